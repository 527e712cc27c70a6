// @ts-check
"use strict";
/*
 * What the page of one unit shows over time: amplitude, rate, depth, traces.
 */

const ReportUnitTime = (() => {
	const { facts } = ReportState;
	const rows = (array) => Pack.rows(array);
	const name = (unit) => `unit ${facts.unit_ids[unit]}`;

	/** Spikes over time. */
	function overTime(cards, pack, key, title, hint, label) {
		const { card, figure } = Page.card(title, hint, { wide: true });
		cards.append(card);
		const { startS, endS } = ReportState.range();
		Figures.points(
			figure,
			[
				{
					x: Array.from(pack.arrays.point_time_s.values),
					y: Array.from(pack.arrays[key].values),
					size: 3.5,
					opacity: 0.5,
				},
			],
			{ x: "time, s", y: label, rangeX: [startS, endS] },
		);
	}

	function amplitude(cards, pack) {
		const n = pack.arrays.point_time_s.shape[0];
		overTime(
			cards,
			pack,
			"point_amplitude",
			"Amplitude over time",
			`Height of ${n} of the spikes in units of the noise. A cut-off edge near the threshold means missed spikes.`,
			"noise units",
		);
	}

	/** Heights of all spikes, where detection ends, and what the missing flank says. */
	function heights(cards, pack) {
		if (!pack.arrays.heights) return;
		const missed = pack.facts.missed;
		const { card, figure } = Page.card(
			"Amplitude histogram",
			missed === null
				? "Heights of all spikes. Too few to estimate how many are missed."
				: `Heights of all spikes. Amplitude cut-off: about ${Page.number(100 * missed, 1)} % are missed below the threshold, if the histogram is symmetric round its mode. Dotted: mode${facts.threshold === null ? "" : " and detection threshold"}.`,
		);
		cards.append(card);
		const step = pack.facts.height_step;
		const counts = Array.from(pack.arrays.heights.values);
		Figures.bars(
			figure,
			{ x: counts.map((_, i) => (i + 0.5) * step), y: counts, width: step },
			{
				x: "height, noise units",
				y: "spikes",
				mark: [facts.threshold, pack.facts.mode].filter((value) => value !== null),
			},
		);
	}

	/** The mean snippet in successive stretches of the recording. */
	function shape(cards, pack) {
		if (!pack.arrays.epochs) return;
		const { card, figure } = Page.card(
			"Template over time",
			"Mean of the snippets at the peak channel in successive stretches of the recording, pale to dark: what changes has moved, grown, or is another neuron.",
		);
		cards.append(card);
		const all = rows(pack.arrays.epochs);
		const timeMs = all[0].map((_, i) => ((i - facts.n_before) / facts.sampling_rate_hz) * 1e3);
		Figures.lines(
			figure,
			all.map((y, i) => ({
				x: timeMs,
				y,
				name: `to ${Page.number(pack.facts.epoch_end_s[i], 0)} s`,
				colour: Page.colour("ember"),
				opacity: 0.25 + (0.75 * (i + 1)) / all.length,
			})),
			{ x: "time, ms", y: "µV", legend: true },
		);
	}

	function depth(cards, pack) {
		// A sorter that places all spikes of a unit alike leaves nothing to see.
		if (new Set(pack.arrays.point_y_um.values).size < 2) return;
		overTime(
			cards,
			pack,
			"point_y_um",
			"Depth over time",
			"Estimated place of single spikes along the probe: drift shows as a slope.",
			"y, µm",
		);
	}

	async function rate(cards, _pack, unit) {
		const { card, figure } = Page.card("Firing rate", "Spikes per second in bins of the recording.", { wide: true });
		cards.append(card);
		const overview = await Pack.open("overview");
		if (!overview) return;
		const counts = Pack.row(overview.arrays.counts, unit);
		const width = facts.duration_s / counts.length;
		const { startS, endS } = ReportState.range();
		Figures.lines(
			figure,
			[{ x: counts.map((_, i) => (i + 0.5) * width), y: counts.map((c) => c / width), step: true, fill: true }],
			{ x: "time, s", y: "Hz", rangeX: [startS, endS], zero: true },
		);
	}

	function traces(cards, pack, unit) {
		if (!pack.arrays.trace_raw) return;
		const state = Page.address.read().get("traces") || "filtered";
		const controls = Page.choice(
			[
				["filtered", "filtered"],
				["raw", "raw"],
			],
			state,
			(value) => Page.address.write({ traces: value }, true),
			"Traces",
		);
		const { card, figure } = Page.card(
			"Traces",
			"Round a spike of typical height, on the channels nearest to the peak. Spikes are coloured on their own samples: this unit's, and (grey) others'.",
			{ wide: true, controls },
		);
		cards.append(card);
		const channels = pack.facts.trace_channels;
		const units = Array.from(pack.arrays.trace_unit.values);
		const spikes = Array.from(pack.arrays.trace_spike.values).map((sample, i) => ({
			sample,
			unit: units[i],
			rows: (facts.reach[units[i]] || []).map((c) => channels.indexOf(c)).filter((row) => row >= 0),
			colour: units[i] === unit ? Page.colour("ember") : Page.colour("ink"),
			text: name(units[i]),
		}));
		return UnitFigures.traces(
			figure,
			{
				traces: rows(pack.arrays[state === "raw" ? "trace_raw" : "trace_filtered"]),
				startS: pack.facts.trace_start_s,
				rateHz: facts.sampling_rate_hz,
				channels,
				depthUm: channels.map((c) => facts.positions_um[c][1]),
				masked: facts.masked_s,
			},
			spikes,
		);
	}

	return { amplitude, heights, shape, depth, rate, traces };
})();
