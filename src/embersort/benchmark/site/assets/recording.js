// @ts-check
"use strict";
/*
 * A recording: what it is, how to get it, how every sorter did.
 */

const RecordingPage = (() => {
	const { el } = Page;

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const name = Page.address.read().get("name") || index.recordings[0].name;
		const entry = index.recordings.find((r) => r.name === name);
		if (!entry) throw new Error(`there is no recording ${name}`);
		const data = await Site.load(`recordings/${entry.slug}`);
		const pack = await Site.unpack(data, "recording");
		const chosen = UnitPoints.state();
		const cards = el("div", { class: "cards" });
		Page.fill(
			main,
			Site.crumbs(
				Site.link("index", {}, "Results"),
				Site.link("study", { set: entry.set }, entry.set),
				Site.link("study", { set: entry.set, study: entry.study }, entry.study),
			),
			el("h1", {}, Site.nameOf(entry)),
			el("div", { class: "controls" }, ...UnitPoints.controls(chosen, false)),
			cards,
		);
		results(cards, index, data, chosen, name);
		about(cards, entry, data, pack ? "wide" : "full");
		if (pack) views(cards, data, pack, name);
		units(cards, index, data, chosen, name);
	}

	function about(cards, entry, data, width) {
		const { facts, stored } = data;
		const load = `from embersort.benchmark import registry, materialise, home\n\nentries = registry.read_registry([registry.shipped_entries()])\nstored = materialise.materialise(entries[${JSON.stringify(data.name)}], home.find_home())\ntraces, truth = stored.traces(), stored.truth()`;
		cards.append(
			el(
				"section",
				{ class: `card ${width}` },
				el("header", {}, el("h3", {}, "The recording")),
				Site.list({
					truth: facts.kind,
					"true units": entry.n_units,
					channels: stored?.n_channels ?? data.truth.n_channels,
					"sampling rate": stored ? `${stored.sampling_rate_hz} Hz` : null,
					duration: data.truth.duration_s ? Page.duration(data.truth.duration_s) : null,
					drift: data.truth.drift_um ? `${Page.number(data.truth.drift_um, 1)} µm` : null,
					probe: facts.probe,
					region: facts.region,
					species: facts.species,
					licence: facts.licence,
					content: facts.content,
				}),
				el("h3", {}, "How to get it"),
				facts.source
					? sources(facts.source)
					: el("p", { class: "hint" }, "Its registry entry was not at hand when this site was built."),
				el("pre", { tabindex: 0 }, load),
			),
		);
	}

	function sources(source) {
		const files = (source.files || []).map((file) =>
			el("li", {}, Site.outward(file.url), file.sha256 ? el("div", { class: "hint" }, `sha256 ${file.sha256}`) : null),
		);
		const plain = Object.fromEntries(
			Object.entries(source).filter(([key, v]) => key !== "files" && v !== "" && JSON.stringify(v) !== "{}"),
		);
		return el(
			"div",
			{},
			files.length ? el("ul", {}, ...files) : null,
			el("pre", { tabindex: 0 }, JSON.stringify(plain, null, 1)),
		);
	}

	function results(cards, index, data, chosen, name) {
		const node = el("div");
		const heads = [
			{
				name: "sorter",
				title: "Sorter",
				text: true,
				width: 150,
				show: (row) => Site.link("result", { recording: name, sorter: row.sorter }, row.sorter),
			},
			{ name: "outcome", title: "Outcome", text: true, width: 80 },
			...["accuracy", "precision", "recall"].map((key) => ({ name: key, title: key, n_decimals: 3 })),
			{ name: "n_well_detected", title: "Well detected", n_decimals: 0, meaning: "Accuracy of 0.8 or more" },
			{ name: "n_false_positive", title: "False", n_decimals: 0 },
			{ name: "n_redundant", title: "Redundant", n_decimals: 0 },
			{ name: "n_overmerged", title: "Merged", n_decimals: 0 },
			{ name: "wall_s", title: "Time", unit: "s", n_decimals: 0 },
			{ name: "peak_memory_mib", title: "Memory", unit: "MiB", n_decimals: 0 },
		];
		const rows = data.results.map((r) => ({
			...r.scores[chosen.rule]?.summary,
			sorter: index.sorters[r.sorter].key,
			outcome: Site.outcomeText(r.outcome),
			wall_s: r.wall_s,
			peak_memory_mib: r.peak_memory_mib,
		}));
		cards.append(
			el(
				"section",
				{ class: "card full" },
				el(
					"header",
					{},
					el("h3", {}, "All sorters"),
					el(
						"button",
						{ type: "button", onclick: () => Page.download("recording.csv", Table.csv(heads, rows)) },
						"CSV",
					),
				),
				node,
			),
		);
		Table.make(node, heads, rows, { sort: { column: "accuracy", dir: "desc" } });
	}

	function views(cards, data, pack, name) {
		const { positions_um: positions, sampling_rate_hz: rateHz } = data.stored;
		const probe = Page.card(
			"True units on the probe",
			"At their estimated places, size by signal-to-noise ratio; click one to open it.",
			{ tall: true },
		);
		const noise = Page.card("Noise of each channel", "MAD / 0.6745 in the band 300–6000 Hz.");
		const traces = Page.card(
			"Traces",
			"From the middle of the recording, band-passed; triangles mark true spikes on their units' peak channels.",
			{ wide: true },
		);
		traces.figure.style.minHeight = "300px";
		cards.append(probe.card, noise.card, traces.card);
		const ids = data.truth.unit_id || [];
		const places = pack.arrays.place_um ? Pack.rows(pack.arrays.place_um) : [];
		UnitFigures.probe(
			probe.figure,
			positions,
			[
				{
					x: places.map((p) => p[0]),
					y: places.map((p) => p[1]),
					text: ids.map((id, u) => `true unit ${id}, SNR ${Page.number(data.truth.snr[u], 1)}`),
					key: ids.map((_, u) => Site.href("unit", { recording: name, unit: u })),
					size: ids.map((_, u) => 6 + Math.min(14, data.truth.snr[u])),
					colour: ids.map((_, u) => Figures.unitColour(u)),
				},
			],
			{
				click: (href) => {
					location.href = href;
				},
			},
		);
		const levels = Array.from(pack.arrays.noise_uv.values);
		Figures.bars(
			noise.figure,
			{ x: levels.map((_, i) => i), y: levels },
			{ x: "channel", y: "µV", colour: Page.colour("blue") },
		);
		const channels = pack.facts.trace_channels;
		const units = Array.from(pack.arrays.trace_unit?.values || []);
		const spikes = Array.from(pack.arrays.trace_spike?.values || []).map((sample, i) => ({
			sample,
			channelRow: channels.indexOf(data.truth.peak_channel[units[i]]),
			colour: Figures.unitColour(units[i]),
			text: `true unit ${ids[units[i]]}`,
		}));
		UnitFigures.traces(
			traces.figure,
			{ traces: Pack.rows(pack.arrays.filtered), startS: pack.facts.trace_start_s, rateHz, channels },
			spikes.filter((s) => s.channelRow >= 0),
		);
	}

	function units(cards, index, data, chosen, name) {
		const ids = data.truth.unit_id || [];
		const node = el("div");
		const scored = data.results.filter((r) => r.scores[chosen.rule]?.units);
		const heads = [
			{
				name: "unit_id",
				title: "True unit",
				n_decimals: 0,
				show: (row) => Site.link("unit", { recording: name, unit: row.unit }, `unit ${row.unit_id}`),
			},
			{ name: "snr", title: "SNR", n_decimals: 1 },
			{ name: "rate_hz", title: "Rate", unit: "Hz" },
			{ name: "n_spikes", title: "Spikes", n_decimals: 0 },
			{ name: "overlap_share", title: "Overlap" },
			...scored.map((r) => ({ name: `s${r.sorter}`, title: index.sorters[r.sorter].key })),
		];
		const rows = ids.map((id, u) => ({
			unit: u,
			unit_id: id,
			...Object.fromEntries(["snr", "rate_hz", "n_spikes", "overlap_share"].map((key) => [key, data.truth[key]?.[u]])),
			...Object.fromEntries(scored.map((r) => [`s${r.sorter}`, r.scores[chosen.rule].units[chosen.metric][u]])),
		}));
		cards.append(
			el(
				"section",
				{ class: "card full" },
				el(
					"header",
					{},
					el("h3", {}, `True units and their ${chosen.metric}`),
					el("button", { type: "button", onclick: () => Page.download("units.csv", Table.csv(heads, rows)) }, "CSV"),
				),
				node,
			),
		);
		Table.make(node, heads, rows, {
			height: rows.length > 14 ? "420px" : undefined,
			sort: { column: "snr", dir: "desc" },
		});
	}

	return { show };
})();
