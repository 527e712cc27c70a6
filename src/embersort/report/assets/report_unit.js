// @ts-check
"use strict";
/*
 * The page of one unit.
 */

const ReportUnit = (() => {
	const { el } = Page;
	const { facts } = ReportState;
	const rows = (array) => Pack.rows(array);

	/** @param {number} unit @returns {string} */
	const name = (unit) => `unit ${facts.unit_ids[unit]}`;
	const timeMs = () =>
		Array.from({ length: facts.n_window }, (_, i) => ((i - facts.n_before) / facts.sampling_rate_hz) * 1e3);

	/** This unit and its two closest: the same three colours in every view. @param {number} place */
	const trio = (place) => Page.colour(["ember", "blue", "teal"][place] || "muted");

	/**
	 * @param {HTMLElement} main @param {number} unit
	 * @param {Record<string, any>[]} table rows of the unit table
	 */
	async function show(main, unit, table) {
		const pack = await Pack.open(`unit-${unit}`);
		if (!pack) return;
		const cards = el("div", { class: "cards" });
		Page.fill(main, header(unit, table[unit]), cards);
		const views = [
			template,
			autocorrelogram,
			intervals,
			waveforms,
			plane,
			ReportUnitTime.amplitude,
			ReportUnitTime.heights,
			ReportUnitTime.shape,
			ReportUnitTime.rate,
			ReportUnitTime.depth,
			ReportUnitTime.traces,
			quality,
			place,
			probability,
			neighbours,
		];
		for (const view of views) view(cards, pack, unit, table);
	}

	/** @param {number} unit @param {Record<string, any>} row */
	function header(unit, row) {
		const n = facts.unit_ids.length;
		const go = (step) => Page.address.link({ unit: facts.unit_ids[(unit + step + n) % n] });
		return el(
			"div",
			{ class: "tools" },
			el("h1", {}, `Unit ${facts.unit_ids[unit]}`),
			el("a", { href: go(-1), rel: "prev", title: "Left arrow key" }, "← previous"),
			el("a", { href: go(1), rel: "next", title: "Right arrow key" }, "next →"),
			el("span", { class: "push" }, `${Page.number(row.n_spikes, 0)} spikes · ${Page.number(row.rate_hz)} Hz`),
			el("label", {}, "Label ", ReportState.labelChoice(/** @type {any} */ (row))),
		);
	}

	function template(cards, pack, unit) {
		const { card, figure } = Page.card(
			"Template on the probe",
			"Typical snippet on each channel, at the place of the channel; the two most similar units behind it.",
			{ tall: true },
		);
		cards.append(card);
		if (!pack.arrays.template) return Figures.empty(figure, "No template");
		const shape = pack.arrays.template.shape;
		const channels = pack.facts.channels;
		const waves = rows(pack.arrays.template).map((flat) =>
			Array.from({ length: shape[1] }, (_, c) => flat.slice(c * shape[2], (c + 1) * shape[2])),
		);
		const shown = [unit, ...pack.facts.nearest.slice(0, 2)];
		return UnitFigures.onProbe(
			figure,
			waves,
			channels.map((c) => facts.positions_um[c]),
			{
				colours: shown.map((_, i) => trio(i)),
				names: shown.map(name),
				channels,
			},
		);
	}

	function autocorrelogram(cards, pack, unit) {
		const { card, figure } = Page.card(
			"Autocorrelogram",
			`Spikes per bin of lag; dotted at ±${facts.refractory_ms} ms. A single neuron leaves a gap round zero.`,
			{ controls: ReportTrains.windowChoice() },
		);
		cards.append(card);
		if (ReportTrains.windowMs() !== facts.lag_bin_ms * pack.arrays.acg.shape[1])
			return ReportTrains.draw(figure, unit, unit, Page.colour("ember"));
		const { from, to } = ReportState.range();
		return Figures.correlogram(figure, Pack.sumRows(rows(pack.arrays.acg), from, to), facts.lag_bin_ms, {
			mirror: true,
			refractoryMs: facts.refractory_ms,
		});
	}

	function intervals(cards, pack) {
		const { card, figure } = Page.card("Interspike intervals", "Time between successive spikes, logarithmic bins.");
		cards.append(card);
		const { from, to } = ReportState.range();
		const edges = facts.interval_edges_ms;
		Figures.bars(
			figure,
			{
				x: edges.slice(1).map((e, i) => Math.sqrt(e * edges[i])),
				y: Pack.sumRows(rows(pack.arrays.isi), from, to),
				width: edges.slice(1).map((e, i) => e - edges[i]),
			},
			{
				x: "interval, ms",
				y: "intervals",
				log: true,
				mark: [facts.refractory_ms],
				hover: "%{x:.2~f} ms: %{y}<extra></extra>",
			},
		);
	}

	function waveforms(cards, pack) {
		if (!pack.arrays.density) return;
		const state = Page.address.read().get("waves") || "density";
		const controls = Page.choice(
			[
				["density", "density"],
				["lines", "samples"],
			],
			state,
			(value) => Page.address.write({ waves: value }, true),
			"Drawn as",
		);
		const { card, figure } = Page.card(
			"Snippets at the peak channel",
			`${pack.facts.n_snippets || 0} snippets spread over the recording, band-passed; the template in front.`,
			{ controls },
		);
		cards.append(card);
		const first = pack.arrays.template ? Pack.row(pack.arrays.template, 0).slice(0, facts.n_window) : undefined;
		return UnitFigures.waveforms(figure, {
			timeMs: timeMs(),
			template: first,
			...(state === "lines"
				? { lines: rows(pack.arrays.snippets) }
				: { density: rows(pack.arrays.density), limits: pack.facts.density_limits_uv }),
		});
	}

	function plane(cards, pack) {
		if (!pack.arrays.plane_x) return;
		const isEmbedding = pack.facts.plane_source === "embedding";
		const { card, figure } = Page.card(
			isEmbedding ? "Embedding" : "Snippets, projected",
			`The unit's spikes and those of the two closest units: ${isEmbedding ? "their embeddings" : "principal components of their snippets near its peak"}, on the plane that separates the three best. Mixed clouds: look at the cross-correlogram.`,
		);
		cards.append(card);
		const { startS, endS } = ReportState.range();
		const [x, y, group, time] = ["plane_x", "plane_y", "plane_group", "plane_time_s"].map(
			(key) => pack.arrays[key].values,
		);
		const groups = pack.facts.plane_units.map((other, index) => {
			const inside = Array.from(time.keys()).filter((i) => group[i] === index && time[i] >= startS && time[i] <= endS);
			return {
				x: inside.map((i) => x[i]),
				y: inside.map((i) => y[i]),
				name: name(other),
				colour: trio(index),
				size: 4,
				opacity: 0.6,
			};
		});
		return Figures.points(figure, groups.reverse(), { x: "first axis", y: "second axis", legend: true });
	}

	function place(cards, pack, unit) {
		const { card, figure } = Page.card(
			"Location",
			"Estimated places of single spikes among the contacts; the ring is the unit's own place.",
		);
		cards.append(card);
		UnitFigures.probe(
			figure,
			facts.positions_um,
			[
				{
					x: Array.from(pack.arrays.point_x_um.values),
					y: Array.from(pack.arrays.point_y_um.values),
					text: [],
					key: [],
					size: 3,
					colour: Figures.faded(Page.colour("ember"), 0.35),
				},
				{
					x: [facts.values.x_um[unit]],
					y: [facts.values.y_um[unit]],
					text: [name(unit)],
					key: [],
					size: 12,
					symbol: "circle-open",
					colour: Page.colour("ink"),
				},
			],
			{ highlight: pack.facts.channels, near: pack.facts.channels.map((c) => facts.positions_um[c]) },
		);
	}

	function neighbours(cards, pack, unit) {
		const { from, to } = ReportState.range();
		pack.facts.nearest.forEach((other, index) => {
			const link = el(
				"a",
				{ href: Page.address.link({ view: "pairs", one: facts.unit_ids[unit], two: facts.unit_ids[other] }) },
				"side by side",
			);
			const { card, figure } = Page.card(
				`${name(unit)} → ${name(other)}`,
				`Cross-correlogram with a similar unit (cosine of the templates ${Page.number(pack.facts.similarity[index])}). A gap at zero lag hints at one neuron in two units.`,
				{ controls: link },
			);
			cards.append(card);
			const array = pack.arrays.ccg;
			const blocks = Pack.row(array, index);
			const width = array.shape[2];
			const table = Array.from({ length: array.shape[1] }, (_, b) => blocks.slice(b * width, (b + 1) * width));
			Figures.correlogram(figure, Pack.sumRows(table, from, to), facts.lag_bin_ms, { colour: trio(index + 1) });
		});
	}

	function quality(cards, pack, unit, table) {
		const list = el("dl", { class: "facts" });
		for (const column of facts.columns) {
			const value = table[unit][column.name];
			const text =
				typeof value === "number" ? `${Page.number(value, column.n_decimals)} ${column.unit}` : String(value ?? "–");
			list.append(
				el("dt", { title: column.meaning }, column.title),
				el("dd", {}, text, el("span", { class: "hint" }, ` ${column.meaning}`)),
			);
		}
		const note = pack.arrays.density
			? null
			: el("p", { class: "hint" }, "This report was written without the recording: it has no snippets and no traces.");
		cards.append(
			el("section", { class: "card wide" }, el("header", {}, el("h3", {}, "Quality and confidence")), list, note),
		);
	}

	function probability(cards, pack) {
		if (!pack.arrays.probability) return;
		const { card, figure } = Page.card(
			"Confidence of single spikes",
			"Probability that a spike belongs to this unit, as calibrated on recordings with known truth.",
		);
		cards.append(card);
		const { from, to } = ReportState.range();
		const counts = Pack.sumRows(rows(pack.arrays.probability), from, to);
		Figures.bars(
			figure,
			{ x: counts.map((_, i) => (i + 0.5) / counts.length), y: counts, width: 1 / counts.length },
			{ x: "probability", y: "spikes" },
		);
	}

	return { show };
})();
