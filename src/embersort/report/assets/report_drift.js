// @ts-check
"use strict";
/*
 * The drift map: single spikes by depth, time and height, with the motion and what was masked on it.
 */

const ReportDrift = (() => {
	const { facts } = ReportState;

	/** @param {HTMLElement} cards @param {any} pack the overview's */
	function show(cards, pack) {
		const { card, figure } = Page.card("Drift map", hint(pack), { wide: true });
		cards.append(card);
		const [time, depth, height] = ["map_time_s", "map_y_um", "map_height"].map((key) => pack.arrays[key].values);
		if (!time.length) return Figures.empty(figure, "No spikes");
		const { startS, endS } = ReportState.range();
		const low = depth.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY) - 10;
		const high = depth.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) + 10;
		const image = dots(time, depth, height, [startS, endS], [low, high]);
		return Figures.draw(figure, motionLines(), {
			xaxis: Figures.axis("time, s", { range: [startS, endS], showgrid: false, zeroline: false }),
			yaxis: Figures.axis("depth (y), µm", { range: [low, high], showgrid: false, zeroline: false }),
			images: [
				{
					source: image,
					xref: "x",
					yref: "y",
					x: startS,
					y: high,
					sizex: endS - startS,
					sizey: high - low,
					sizing: "stretch",
					layer: "below",
				},
			],
			shapes: facts.masked_s
				.filter(([from, to]) => to > startS && from < endS)
				.map(([x0, x1]) => ({
					type: "rect",
					x0,
					x1,
					yref: "paper",
					y0: 0,
					y1: 1,
					fillcolor: Page.colour("muted"),
					opacity: 0.25,
					line: { width: 0 },
				})),
		});
	}

	function hint(pack) {
		const shown = pack.arrays.map_time_s.values.length;
		const part = shown < facts.n_spikes ? `${shown} of ${facts.n_spikes} spikes, evenly spread` : "All spikes";
		const motion = facts.motion ? " Lines: the estimated motion of the tissue, from each depth." : "";
		const masked = facts.masked_s.length ? " Grey: masked as artefact." : "";
		return `${part}, by depth and time; darker is higher. Slanted bands mean that the tissue moved.${motion}${masked}`;
	}

	/** Single spikes as one picture: thousands of marks of their own would be slow.
	 * @returns {string} a data address */
	function dots(time, depth, height, [startS, endS], [low, high]) {
		const [WIDTH, HEIGHT, DOT] = [1600, 640, 2];
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [WIDTH, HEIGHT];
		const context = canvas.getContext("2d");
		if (!context) return "";
		const LEVELS = 6;
		const top = Math.max(
			1,
			...Array.from(
				{ length: Math.min(2000, height.length) },
				(_, i) => height[Math.floor((i * height.length) / Math.min(2000, height.length))],
			),
		);
		for (let level = 0; level < LEVELS; level++) {
			context.fillStyle = Figures.faded(Page.colour("ramp-3"), 0.18 + (0.82 * level) / (LEVELS - 1));
			for (let i = 0; i < time.length; i++) {
				if (time[i] < startS || time[i] > endS) continue;
				if (Math.min(LEVELS - 1, Math.floor((height[i] / top) * LEVELS)) !== level) continue;
				const x = ((time[i] - startS) / (endS - startS)) * WIDTH;
				const y = ((high - depth[i]) / (high - low)) * HEIGHT;
				context.fillRect(x, y, DOT, DOT);
			}
		}
		return canvas.toDataURL("image/png");
	}

	/** The tissue's displacement, drawn from each depth at which it was estimated. */
	function motionLines() {
		if (!facts.motion) return [{ type: "scatter", x: [], y: [] }];
		const { time_s, depth_um, displacement_um } = facts.motion;
		return depth_um.map((depth, column) => ({
			type: "scatter",
			mode: "lines",
			x: time_s,
			y: displacement_um.map((row) => depth + row[column]),
			line: { color: Page.colour("ink"), width: 1.4 },
			hovertemplate: "%{x:.1f} s: %{y:.1f} µm<extra></extra>",
		}));
	}

	return { show };
})();
