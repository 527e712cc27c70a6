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
			"Round a spike of typical height, on the channels nearest to the peak; triangles mark spikes of this unit and (grey) of others.",
			{ wide: true, controls },
		);
		cards.append(card);
		const channels = pack.facts.trace_channels;
		const units = Array.from(pack.arrays.trace_unit.values);
		const spikes = Array.from(pack.arrays.trace_spike.values).map((sample, i) => ({
			sample,
			unit: units[i],
			channelRow: channels.indexOf(facts.values.peak_channel?.[units[i]]),
			colour: units[i] === unit ? Page.colour("ember") : Page.colour("muted"),
			text: name(units[i]),
		}));
		return UnitFigures.traces(
			figure,
			{
				traces: rows(pack.arrays[state === "raw" ? "trace_raw" : "trace_filtered"]),
				startS: pack.facts.trace_start_s,
				rateHz: facts.sampling_rate_hz,
				channels,
			},
			spikes.filter((spike) => spike.channelRow >= 0),
		);
	}

	return { amplitude, depth, rate, traces };
})();
