// @ts-check
"use strict";
/*
 * One true unit: what every sorter made of it, and one sorter's answer spike by spike.
 */

const UnitPage = (() => {
	const { el } = Page;
	const CLASSES = { matched: "teal", missed: "blue", false: "ember" };

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const query = Page.address.read();
		const entry = index.recordings.find((r) => r.name === query.get("recording"));
		if (!entry) throw new Error(`there is no recording ${query.get("recording")}`);
		const unit = Number(query.get("unit") || 0);
		if (!(unit >= 0 && unit < entry.n_units))
			throw new Error(`${entry.name} has no true unit at position ${query.get("unit")}`);
		const data = await Site.load(`recordings/${entry.slug}`);
		const chosen = UnitPoints.state();
		const ran = data.results.filter((r) => r.scores[chosen.rule]);
		const best = [...ran].sort(
			(a, b) => b.scores[chosen.rule].units.accuracy[unit] - a.scores[chosen.rule].units.accuracy[unit],
		)[0];
		const asked = index.sorters.findIndex((s) => s.key === query.get("sorter"));
		const result = ran.find((r) => r.sorter === asked) || best;
		const cards = el("div", { class: "cards" });
		Page.fill(
			main,
			Site.crumbs(
				Site.link("index", {}, "Results"),
				Site.link("recording", { name: entry.name }, Site.nameOf(entry)),
				...(result
					? [
							Site.link(
								"result",
								{ recording: entry.name, sorter: index.sorters[result.sorter].key },
								index.sorters[result.sorter].key,
							),
						]
					: []),
			),
			el("h1", {}, `True unit ${data.truth.unit_id[unit]}`),
			tiles(data, unit),
			el(
				"div",
				{ class: "controls" },
				...UnitPoints.controls(chosen, false),
				result &&
					Site.select(
						"Sorter",
						"sorter",
						ran.map((r) => [index.sorters[r.sorter].key, index.sorters[r.sorter].key]),
						index.sorters[result.sorter].key,
					),
				steps(entry, unit),
			),
			cards,
		);
		sorters(cards, index, ran, unit, chosen);
		if (!result) return;
		const detail = result.has_data
			? await Site.load(`results/${entry.slug}-${index.sorters[result.sorter].slug}`)
			: null;
		const pack = await Site.unpack(detail, `unit-${unit}`);
		if (pack) views(cards, data, pack, index.sorters[result.sorter].key);
		else await truthOnly(cards, data, unit, Boolean(detail?.partners));
		if (detail?.partners) partners(cards, detail.partners[unit]);
	}

	function steps(entry, unit) {
		const at = (step) => Page.address.link({ unit: (unit + step + entry.n_units) % entry.n_units });
		return el(
			"span",
			{ class: "tools" },
			el("a", { href: at(-1), rel: "prev" }, "← previous"),
			el("a", { href: at(1), rel: "next" }, "next →"),
		);
	}

	function tiles(data, unit) {
		const of = (name, decimals) => Page.number(data.truth[name]?.[unit], decimals);
		return el(
			"div",
			{ class: "tiles" },
			Page.tile("SNR", of("snr", 1)),
			Page.tile("rate", `${of("rate_hz", 2)} Hz`),
			Page.tile("spikes", of("n_spikes", 0)),
			Page.tile("overlapping", `${Page.number(100 * (data.truth.overlap_share?.[unit] ?? Number.NaN), 0)} %`),
			Page.tile("peak channel", String(data.truth.peak_channel?.[unit] ?? "–")),
		);
	}

	function sorters(cards, index, ran, unit, chosen) {
		const node = el("div");
		const heads = [
			{
				name: "sorter",
				title: "Sorter",
				text: true,
				width: 150,
				show: (row) => el("a", { href: Page.address.link({ sorter: row.sorter }) }, row.sorter),
			},
			{ name: "matched_id", title: "Found unit", n_decimals: 0 },
			...Object.entries(UnitPoints.METRICS).map(([name, title]) => ({ name, title, n_decimals: 3 })),
		];
		const rows = ran.map((r) => {
			const { units } = r.scores[chosen.rule];
			return {
				sorter: index.sorters[r.sorter].key,
				matched_id: units.matched_id[unit],
				...Object.fromEntries(Object.keys(UnitPoints.METRICS).map((name) => [name, units[name][unit]])),
			};
		});
		cards.append(
			el("section", { class: "card wide" }, el("header", {}, el("h3", {}, "All sorters on this unit")), node),
		);
		Table.make(node, heads, rows, { sort: { column: chosen.metric, dir: "desc" } });
	}

	function template(cards, data, waves, channels, names) {
		const { card, figure } = Page.card(
			"Templates on the probe",
			"Mean snippet of the true unit and of the found unit that answers it.",
			{ tall: true },
		);
		cards.append(card);
		UnitFigures.onProbe(
			figure,
			waves,
			channels.map((c) => data.stored.positions_um[c]),
			{ colours: [Page.colour("ink"), Page.colour("ember")], names, channels },
		);
	}

	async function truthOnly(cards, data, unit, known) {
		const pack = await Site.unpack(data, "recording");
		if (pack?.arrays.template) {
			template(cards, data, [split(pack.arrays.template, unit)], Pack.row(pack.arrays.channels, unit), ["true unit"]);
		}
		const why = known
			? "This sorter has no unit that answers this one."
			: "Snippets by class are shown where this site was built beside the recordings and sortings.";
		cards.append(el("section", { class: "card full" }, el("p", { class: "hint" }, why)));
	}

	/** Channels × samples of one waveform. */
	function split(array, index) {
		const flat = Pack.row(array, index);
		const width = array.shape[2];
		return Array.from({ length: array.shape[1] }, (_, c) => flat.slice(c * width, (c + 1) * width));
	}

	function views(cards, data, pack, sorter) {
		const { arrays, facts } = pack;
		template(cards, data, [split(arrays.template, 0), split(arrays.template, 1)], facts.channels, [
			"true unit",
			sorter,
		]);
		const n = arrays.template.shape[2];
		const timeMs = Array.from({ length: n }, (_, i) => ((i - facts.n_before) / data.stored.sampling_rate_hz) * 1e3);
		for (const [name, colour] of Object.entries(CLASSES)) {
			const { card, figure } = Page.card(
				`${name[0].toUpperCase()}${name.slice(1)} spikes: ${facts.n[name]}`,
				{
					matched: "True spikes that the found unit has.",
					missed: "True spikes that it lacks.",
					false: "Spikes of the found unit that are not this unit's.",
				}[name],
			);
			cards.append(card);
			if (!arrays[`${name}_snippets`]) Figures.empty(figure, "None");
			else
				UnitFigures.waveforms(figure, {
					lines: Pack.rows(arrays[`${name}_snippets`]),
					timeMs,
					template: split(arrays.template, 0)[0],
					colour: Page.colour(colour),
				});
		}
		const heights = Page.card("Amplitude over time", "Height at the peak of the template, by class.", { wide: true });
		cards.append(heights.card);
		Figures.points(
			heights.figure,
			Object.entries(CLASSES)
				.filter(([name]) => arrays[`${name}_time_s`])
				.map(([name, colour]) => ({
					x: Array.from(arrays[`${name}_time_s`].values),
					y: Array.from(arrays[`${name}_height`].values),
					name,
					colour: Page.colour(colour),
					size: 4.5,
				})),
			{ x: "time, s", y: "µV", legend: true },
		);
		["True unit", "Found unit"].forEach((name, i) => {
			const { card, figure } = Page.card(`${name}: autocorrelogram`, "Pairs of spikes by lag.");
			cards.append(card);
			Figures.correlogram(figure, Pack.row(arrays.acg, i), 1, {
				mirror: true,
				colour: Page.colour(i ? "ember" : "ink"),
			});
		});
		for (const [name, colour] of Object.entries(CLASSES)) stretch(cards, data, pack, name, colour);
	}

	function stretch(cards, data, pack, name, colour) {
		const array = pack.arrays[`${name}_trace`];
		if (!array) return;
		const { card, figure } = Page.card(
			`Traces round a ${name} spike`,
			"Band-passed, on the channels nearest to the peak.",
		);
		cards.append(card);
		UnitFigures.traces(
			figure,
			{
				traces: Pack.rows(array),
				startS: pack.facts[`${name}_start_s`],
				rateHz: data.stored.sampling_rate_hz,
				channels: pack.facts.channels.slice(0, array.shape[0]),
			},
			[{ sample: array.shape[1] >> 1, channelRow: 0, colour: Page.colour(colour), text: `${name} spike` }],
		);
	}

	function partners(cards, list) {
		const rows = list.map((p) =>
			el(
				"tr",
				{},
				el("td", {}, `found unit ${p.found_id}`),
				el("td", {}, Page.number(p.agreement)),
				el("td", {}, String(p.n_match)),
				el("td", {}, p.also_true.length ? `also true units ${p.also_true.join(", ")}` : ""),
			),
		);
		cards.append(
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "Split and merge partners")),
				list.length
					? el(
							"table",
							{ class: "plain" },
							el(
								"thead",
								{},
								el(
									"tr",
									{},
									...["", "agreement", "matching spikes", "shares with"].map((t) => el("th", { scope: "col" }, t)),
								),
							),
							el("tbody", {}, ...rows),
						)
					: el("p", { class: "hint" }, "No found unit shares 5 % with it."),
			),
		);
	}

	return { show };
})();
