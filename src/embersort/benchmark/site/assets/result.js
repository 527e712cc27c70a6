// @ts-check
"use strict";
/*
 * One result: a sorter on a recording.
 */

const ResultPage = (() => {
	const { el } = Page;

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const query = Page.address.read();
		const entry = index.recordings.find((r) => r.name === query.get("recording"));
		const s = index.sorters.findIndex((sorter) => sorter.key === query.get("sorter"));
		if (!entry || s < 0) throw new Error(`there is no result of ${query.get("sorter")} on ${query.get("recording")}`);
		const data = await Site.load(`recordings/${entry.slug}`);
		const result = data.results.find((r) => r.sorter === s);
		if (!result) throw new Error(`${index.sorters[s].key} was not run on ${entry.name}`);
		const detail = result.has_data ? await Site.load(`results/${entry.slug}-${index.sorters[s].slug}`) : null;
		const chosen = UnitPoints.state();
		const cards = el("div", { class: "cards" });
		Page.fill(
			main,
			Site.crumbs(
				Site.link("index", {}, "Results"),
				Site.link("study", { set: entry.set }, entry.set),
				Site.link("recording", { name: entry.name }, Site.nameOf(entry)),
			),
			el("h1", {}, `${index.sorters[s].key} on ${Site.nameOf(entry)}`),
			tiles(result, chosen),
			el("div", { class: "controls" }, ...UnitPoints.controls(chosen, false)),
			cards,
		);
		if (result.outcome === "ok" && result.scores[chosen.rule]) {
			scores(cards, entry, data, result, chosen, index.sorters[s].key);
			await confusion(cards, detail);
			table(cards, entry, data, result, chosen, index.sorters[s].key);
		}
		run(cards, result, detail);
	}

	/** @param {string} text */
	const lastLine = (text) => text.trim().split("\n").pop() || "";

	function tiles(result, chosen) {
		const summary = result.scores[chosen.rule]?.summary;
		if (!summary) {
			return el(
				"p",
				{ class: "lead failed-run", role: "alert" },
				`No sorting: ${Site.outcomeText(result.outcome)}. ${lastLine(result.error)}`,
			);
		}
		return el(
			"div",
			{ class: "tiles" },
			Page.tile("mean accuracy", Page.number(summary.accuracy, 3)),
			Page.tile("mean precision", Page.number(summary.precision, 3)),
			Page.tile("mean recall", Page.number(summary.recall, 3)),
			Page.tile("well detected", `${summary.n_well_detected} of ${summary.n_true_units}`, "Accuracy of 0.8 or more"),
			Page.tile("false positive units", String(summary.n_false_positive)),
			Page.tile("redundant units", String(summary.n_redundant)),
			Page.tile("over-merged units", String(summary.n_overmerged)),
			Page.tile("run time", Page.duration(result.wall_s ?? Number.NaN)),
			Page.tile("peak memory", `${Page.number(result.peak_memory_mib, 0)} MiB`),
		);
	}

	function scores(cards, entry, data, result, chosen, sorter) {
		const { card, figure } = Page.card(
			`${UnitPoints.METRICS[chosen.metric]} against SNR`,
			"One point per true unit; click one to open it.",
			{ wide: true },
		);
		cards.append(card);
		const y = result.scores[chosen.rule].units[chosen.metric];
		Figures.points(
			figure,
			[
				{
					x: data.truth.snr,
					y,
					text: y.map((v, u) => `true unit ${data.truth.unit_id[u]}: ${Page.number(v)}`),
					key: y.map((_, u) => Site.href("unit", { recording: entry.name, unit: u, sorter })),
					size: 7,
				},
			],
			{
				x: "SNR",
				y: chosen.metric,
				rangeY: [-0.05, 1.05],
				click: (href) => {
					location.href = href;
				},
			},
		);
	}

	async function confusion(cards, detail) {
		const pack = await Site.unpack(detail, "confusion");
		if (!pack) return;
		const { card, figure } = Page.card(
			"Confusion matrix",
			"Matching spikes of true units (rows, best first) and found units (columns), as a share of the row. Last column: missed; last row: false.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		Figures.confusion(figure, Pack.rows(pack.arrays.confusion), detail.rows, detail.columns, detail.row_totals);
	}

	function table(cards, entry, data, result, chosen, sorter) {
		const node = el("div");
		const heads = [
			{
				name: "unit_id",
				title: "True unit",
				n_decimals: 0,
				show: (row) => Site.link("unit", { recording: entry.name, unit: row.unit, sorter }, `unit ${row.unit_id}`),
			},
			{ name: "matched_id", title: "Found unit", n_decimals: 0 },
			{ name: "snr", title: "SNR", n_decimals: 1 },
			...Object.entries(UnitPoints.METRICS).map(([name, title]) => ({ name, title, n_decimals: 3 })),
		];
		const { units } = result.scores[chosen.rule];
		const rows = units.unit_id.map((id, u) => ({
			unit: u,
			unit_id: id,
			matched_id: units.matched_id[u],
			snr: data.truth.snr?.[u],
			...Object.fromEntries(Object.keys(UnitPoints.METRICS).map((name) => [name, units[name][u]])),
		}));
		cards.append(
			el(
				"section",
				{ class: "card wide tall" },
				el(
					"header",
					{},
					el("h3", {}, "True units"),
					el("button", { type: "button", onclick: () => Page.download("result.csv", Table.csv(heads, rows)) }, "CSV"),
				),
				node,
			),
		);
		Table.make(node, heads, rows, { height: "430px", sort: { column: "accuracy", dir: "desc" } });
	}

	function run(cards, result, detail) {
		cards.append(
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "The run")),
				Site.list({
					outcome: Site.outcomeText(result.outcome),
					"wall time": result.wall_s === null ? null : Page.duration(result.wall_s),
					"processor time": result.cpu_s === null ? null : Page.duration(result.cpu_s),
					"found units": result.n_units,
					"found spikes": result.n_spikes,
					machine: result.machine,
					"load of the machine": result.load_average,
					seed: result.seed,
				}),
				el("h3", {}, "Run it again"),
				el("pre", { id: "command", tabindex: 0 }, result.command),
				detail?.download
					? el(
							"p",
							{},
							el(
								"a",
								{ href: detail.download, download: "" },
								"The sorting (.npz: sample_index, unit_index, unit_ids)",
							),
						)
					: null,
			),
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "Parameters")),
				Object.keys(result.parameters ?? {}).length
					? el("pre", { tabindex: 0 }, JSON.stringify(result.parameters, null, 1))
					: el("p", { class: "hint" }, "The sorter's own defaults."),
			),
		);
		if (result.error)
			cards.append(
				el(
					"section",
					{ class: "card full" },
					el("header", {}, el("h3", {}, "Error")),
					el("pre", { tabindex: 0 }, result.error),
				),
			);
		if (detail?.log)
			cards.append(
				el(
					"section",
					{ class: "card full" },
					el("header", {}, el("h3", {}, "Log")),
					el("pre", { tabindex: 0 }, detail.log),
				),
			);
	}

	return { show };
})();
