// @ts-check
"use strict";
/*
 * Figures in the space of the probe and in the time of a trace.
 */

const UnitFigures = (() => {
	const WAVE_HEIGHT_SHARE = 0.9;

	/** Smallest distance of two contacts along an axis, ignoring equal places.
	 * @param {number[]} values @param {number} fallback */
	function pitch(values, fallback) {
		const MIN_STEP_UM = 4;
		const sorted = [...new Set(values)].sort((a, b) => a - b);
		const steps = sorted
			.slice(1)
			.map((v, i) => v - sorted[i])
			.filter((step) => step >= MIN_STEP_UM);
		return steps.length ? Math.min(...steps) : fallback;
	}

	/**
	 * The contacts of a probe, with units where they lie.
	 * @param {HTMLElement} node
	 * @param {number[][]} positions of the channels, µm
	 * @param {{x: number[], y: number[], text: string[], key: any[], size?: number[], colour?: string[], symbol?: string}[]} groups
	 * @param {{click?: (key: any) => void, highlight?: number[], near?: number[][]}} options `near`: places to zoom to
	 */
	function probe(node, positions, groups, options = {}) {
		const MARK = 6;
		const chosen = new Set(options.highlight || []);
		const [low, high] = [Page.colour("contact"), Page.colour("muted")];
		const contacts = {
			type: "scatter",
			mode: "markers",
			x: positions.map((p) => p[0]),
			y: positions.map((p) => p[1]),
			text: positions.map((p, index) => `channel ${index} (${p[0]}, ${p[1]}) µm`),
			marker: {
				symbol: "square",
				size: positions.length > 100 ? 4 : 7,
				color: chosen.size ? positions.map((_, i) => (chosen.has(i) ? high : low)) : low,
				line: { width: 0 },
			},
			hovertemplate: "%{text}<extra></extra>",
		};
		const units = groups.map((group) => ({
			type: "scatter",
			mode: "markers",
			x: group.x,
			y: group.y,
			text: group.text,
			customdata: group.key,
			marker: {
				color: group.colour || Page.colour("ember"),
				size: group.size || MARK,
				symbol: group.symbol || "circle",
				opacity: 0.85,
				line: { color: Page.colour("card"), width: 1 },
			},
			hovertemplate: "%{text}<extra></extra>",
		}));
		const shown = options.near || positions;
		const xs = shown.map((p) => p[0]).concat(...(options.near ? [] : groups.map((g) => g.x)));
		const ys = shown.map((p) => p[1]).concat(...(options.near ? [] : groups.map((g) => g.y)));
		const wide = span(xs);
		const long = span(ys);
		// A long thin probe is stretched sideways rather than drawn as a line.
		const equal = long < 4 * wide;
		Figures.draw(node, [contacts, ...units], {
			xaxis: Figures.axis("x, µm", { showgrid: false, zeroline: false, range: padded(xs) }),
			yaxis: Figures.axis("y, µm", {
				zeroline: false,
				range: padded(ys),
				...(equal ? { scaleanchor: "x" } : {}),
			}),
			hovermode: "closest",
		});
		if (options.click)
			Figures.onClick(node, (point) => {
				if (point.customdata !== undefined) options.click?.(point.customdata);
			});
		return node;
	}

	/** @param {number[]} values */
	function span(values) {
		const finite = values.filter(Number.isFinite);
		return finite.length ? Math.max(...finite) - Math.min(...finite) : 0;
	}

	/** @param {number[]} values */
	function padded(values) {
		const finite = values.filter(Number.isFinite);
		if (!finite.length) return [-1, 1];
		const room = Math.max(15, 0.06 * span(finite));
		return [Math.min(...finite) - room, Math.max(...finite) + room];
	}

	/**
	 * Waveforms drawn at the places of their channels.
	 * @param {HTMLElement} node
	 * @param {number[][][]} waves units × channels × samples, µV
	 * @param {number[][]} places of the channels, µm
	 * @param {{colours: string[], names: string[], channels: number[]}} options
	 */
	function onProbe(node, waves, places, options) {
		const dx =
			pitch(
				places.map((p) => p[0]),
				40,
			) * 0.86;
		const dy = pitch(
			places.map((p) => p[1]),
			40,
		);
		const peak = Math.max(1e-9, ...waves.flat(2).map(Math.abs));
		const scale = (WAVE_HEIGHT_SHARE * Math.max(dy, 12)) / peak;
		const traces = waves.map((unit, index) => {
			/** @type {(number | null)[]} */
			const x = [];
			/** @type {(number | null)[]} */
			const y = [];
			/** @type {string[]} */
			const text = [];
			unit.forEach((wave, c) => {
				wave.forEach((value, sample) => {
					x.push(places[c][0] + (sample / Math.max(1, wave.length - 1) - 0.5) * dx);
					y.push(places[c][1] + value * scale);
					text.push(`${options.names[index]}, channel ${options.channels[c]}: ${value.toFixed(1)} µV`);
				});
				x.push(null);
				y.push(null);
				text.push("");
			});
			return {
				type: "scatter",
				mode: "lines",
				x,
				y,
				text,
				name: options.names[index],
				line: { color: options.colours[index], width: index === 0 ? 1.8 : 1.1 },
				opacity: index === 0 ? 1 : 0.7,
				hovertemplate: "%{text}<extra></extra>",
			};
		});
		const labels = places.map((p, c) => ({
			x: p[0] - dx / 2,
			y: p[1],
			xanchor: "left",
			yanchor: "bottom",
			text: String(options.channels[c]),
			showarrow: false,
			font: { size: 9, color: Page.colour("muted") },
			opacity: 0.7,
		}));
		return Figures.draw(node, traces.reverse(), {
			xaxis: Figures.axis("x, µm", { showgrid: false, zeroline: false }),
			yaxis: Figures.axis("y, µm", { showgrid: false, zeroline: false }),
			annotations: labels,
			showlegend: waves.length > 1,
			legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, traceorder: "reversed" },
			margin: { l: 44, r: 10, t: 26, b: 36 },
			hovermode: "closest",
		});
	}

	/**
	 * Rows of the shown channels on which a unit's spikes are coloured: those that it reaches, or,
	 * where thinning left none of them, the nearest one. So no spike goes without a mark.
	 * @param {number[]} reach @param {number[]} channels @param {number[][]} positions
	 */
	function rowsOf(reach, channels, positions) {
		const rows = reach.map((c) => channels.indexOf(c)).filter((row) => row >= 0);
		if (rows.length || !reach.length) return rows;
		const [x, y] = positions[reach[0]];
		const far = channels.map((c) => Math.hypot(positions[c][0] - x, positions[c][1] - y));
		return [far.indexOf(Math.min(...far))];
	}

	/**
	 * Traces one above the other, the samples of each spike in colour.
	 * @param {HTMLElement} node
	 * @param {{traces: number[][], startS: number, rateHz: number, channels: number[], depthUm?: number[], masked?: number[][]}} window
	 * @param {{sample: number, rows?: number[], channelRow?: number, colour: string, text: string}[]} spikes `rows`: where it is coloured, or `channelRow` alone
	 */
	function traces(node, window, spikes) {
		const [BEFORE_MS, AFTER_MS] = [0.4, 0.8];
		const step = spacing(window.traces);
		const n = window.traces.length;
		const LABEL_PX = 15;
		const thin = Math.max(1, Math.ceil((n * LABEL_PX) / Math.max(100, node.clientHeight)));
		const nSamples = window.traces[0]?.length || 0;
		const ms = (sample) => (sample / window.rateHz) * 1e3;
		const height = (row, sample) => window.traces[row][sample] + (n - 1 - row) * step;
		const time = Array.from({ length: nSamples }, (_, i) => ms(i));
		const drawn = window.traces.map((trace, row) => ({
			type: "scatter",
			mode: "lines",
			x: time,
			y: trace.map((_, i) => height(row, i)),
			line: { color: Page.colour("trace"), width: n > 40 ? 0.6 : 0.9 },
			hoverinfo: "skip",
		}));
		/** One line a colour, with gaps. @type {Map<string, {x: (number | null)[], y: (number | null)[], text: string[]}>} */
		const marks = new Map();
		const [before, after] = [BEFORE_MS, AFTER_MS].map((t) => Math.round((t * window.rateHz) / 1e3));
		for (const spike of spikes) {
			const line = marks.get(spike.colour) || { x: [], y: [], text: [] };
			marks.set(spike.colour, line);
			for (const row of spike.rows || [spike.channelRow ?? 0]) {
				for (let i = Math.max(0, spike.sample - before); i <= Math.min(nSamples - 1, spike.sample + after); i++) {
					line.x.push(ms(i));
					line.y.push(height(row, i));
					line.text.push(spike.text);
				}
				line.x.push(null);
				line.y.push(null);
				line.text.push("");
			}
		}
		const coloured = [...marks].map(([colour, line]) => ({
			type: "scatter",
			mode: "lines",
			...line,
			line: { color: colour, width: n > 40 ? 1.3 : 1.8 },
			hovertemplate: "%{text}<extra></extra>",
		}));
		const end = window.startS + nSamples / window.rateHz;
		const masked = (window.masked || [])
			.filter(([from, to]) => to > window.startS && from < end)
			.map(([from, to]) => ({
				type: "rect",
				x0: (Math.max(from, window.startS) - window.startS) * 1e3,
				x1: (Math.min(to, end) - window.startS) * 1e3,
				yref: "paper",
				y0: 0,
				y1: 1,
				fillcolor: Page.colour("muted"),
				opacity: 0.2,
				line: { width: 0 },
			}));
		const label = (channel, row) =>
			window.depthUm ? `${channel} · ${Math.round(window.depthUm[row])} µm` : String(channel);
		return Figures.draw(node, [...drawn, ...coloured], {
			margin: { l: 84, r: 10, t: 8, b: 38 },
			xaxis: Figures.axis(`ms after ${Page.number(window.startS, 3)} s`, { showgrid: false, zeroline: false }),
			yaxis: Figures.axis("channel · depth", {
				showgrid: false,
				zeroline: false,
				tickmode: "array",
				tickvals: window.channels.map((_, row) => (n - 1 - row) * step).filter((_, row) => row % thin === 0),
				ticktext: window.channels.map(label).filter((_, row) => row % thin === 0),
			}),
			shapes: masked,
			hovermode: "closest",
		});
	}

	/** Distance of two traces: their usual swing. @param {number[][]} all */
	function spacing(all) {
		const SWINGS = 9;
		const heights = all
			.flat()
			.map(Math.abs)
			.sort((a, b) => a - b);
		return Math.max(1e-6, (heights[Math.floor(heights.length / 2)] || 1) * SWINGS);
	}

	/**
	 * Density of waveforms, or waveforms as lines, with the template over it.
	 * @param {HTMLElement} node
	 * @param {{density?: number[][], limits?: number[], lines?: number[][], template?: number[], timeMs: number[], colour?: string}} data
	 */
	function waveforms(node, data) {
		const shown = [];
		if (data.density && data.limits) {
			const [low, high] = data.limits;
			const n = data.density.length;
			shown.push({
				type: "heatmap",
				z: data.density.map((r) => r.map((v) => (v ? Math.sqrt(v) : null))),
				x: data.timeMs,
				y: data.density.map((_, i) => low + ((i + 0.5) * (high - low)) / n),
				colorscale: Figures.ramp(),
				showscale: false,
				hoverinfo: "skip",
			});
		}
		for (const line of data.lines || [])
			shown.push({
				type: "scatter",
				mode: "lines",
				x: data.timeMs,
				y: line,
				line: { color: data.colour || Page.colour("muted"), width: 0.7 },
				opacity: 0.5,
				hoverinfo: "skip",
			});
		if (data.template)
			shown.push({
				type: "scatter",
				mode: "lines",
				x: data.timeMs,
				y: data.template,
				line: { color: Page.colour("ink"), width: 1.8 },
				hovertemplate: "%{x:.2f} ms: %{y:.1f} µV<extra></extra>",
			});
		return Figures.draw(node, shown, {
			xaxis: Figures.axis("time, ms", { zeroline: false }),
			yaxis: Figures.axis("µV", { nticks: 5 }),
		});
	}

	return { probe, onProbe, rowsOf, traces, waveforms };
})();
