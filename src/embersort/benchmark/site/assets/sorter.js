// @ts-check
"use strict";
/*
 * A version of a sorter: what it is, what it is good at, what it costs.
 */

const SorterPage = (() => {
	const { el } = Page;
	const SNR_EDGES = [0, 3, 5, 7, 10, 15, 20, Infinity];

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const name = Page.address.read().get("name") || index.sorters[0].key;
		const s = index.sorters.findIndex((sorter) => sorter.key === name);
		if (s < 0) throw new Error(`there is no sorter ${name}`);
		const sorter = index.sorters[s];
		const chosen = UnitPoints.state();
		const scores = await Site.scores(chosen.rule, chosen.metric);
		const cards = el("div", { class: "cards" });
		Page.fill(
			main,
			Site.crumbs(Site.link("index", {}, "Results")),
			el("h1", {}, sorter.title || sorter.name),
			el(
				"div",
				{ class: "controls" },
				Site.select(
					"Sorter",
					"name",
					index.sorters.map((x) => [x.key, x.key]),
					name,
				),
				...UnitPoints.controls(chosen),
			),
			cards,
		);
		about(cards, sorter);
		await difficulty(cards, index, scores, s, chosen);
		bySet(cards, index, scores, s, chosen);
		cost(cards, index, s);
		versions(cards, index, sorter, scores, chosen);
		failures(cards, index, s);
	}

	function about(cards, sorter) {
		cards.append(
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "The sorter")),
				Site.list({
					name: sorter.name,
					version: sorter.version,
					licence: sorter.licence,
					homepage: sorter.homepage ? Site.outward(sorter.homepage) : null,
					"settings from": sorter.settings_source,
					needs: sorter.needs,
					installed: sorter.requirements?.join(" "),
					note: sorter.is_reference ? "Is given the true templates: a reference, no sorter." : null,
				}),
				sorter.parameters && Object.keys(sorter.parameters).length
					? el("pre", { tabindex: 0 }, JSON.stringify(sorter.parameters, null, 1))
					: el("p", { class: "hint" }, "Runs with its own default settings; those of each run stand on its page."),
			),
		);
	}

	const all = (index) => index.recordings.map((_, r) => r);

	/** Bands of a difficulty that hold about as many units each; fixed ones for SNR. */
	function bands(name, values) {
		if (name === "snr") return SNR_EDGES;
		const sorted = Float64Array.from(values).sort();
		const edges = [0, 1, 2, 3, 4].map((i) => sorted[Math.floor((i * sorted.length) / 5)]);
		return [...new Set(edges), Infinity];
	}

	async function difficulty(cards, index, scores, s, chosen) {
		const what = UnitPoints.DIFFICULTY[chosen.against];
		const { card, figure } = Page.card(
			`${UnitPoints.METRICS[chosen.metric]} against ${what}`,
			"Mean over true units in bands; grey: all other sorters.",
			{ wide: true },
		);
		cards.append(card);
		const values = await UnitPoints.column(index, chosen.against);
		const edges = bands(chosen.against, values);
		const shown = (edge) => Page.number(edge, edge % 1 ? 2 : 0);
		const label = edges
			.slice(0, -1)
			.map((e, i) => (Number.isFinite(edges[i + 1]) ? `${shown(e)}–${shown(edges[i + 1])}` : `${shown(e)}–`));
		const curve = (t) => {
			const units = UnitPoints.scored(index, all(index), scores[t]);
			return edges.slice(0, -1).map((low, i) => {
				const inside = units.filter((u) => values[u] >= low && values[u] < edges[i + 1]);
				return inside.length ? Scoring.mean(inside.map((u) => scores[t][u])) : null;
			});
		};
		const others = index.sorters.map((_, t) => t).filter((t) => t !== s);
		const lines = [...others, s].map((t) => ({
			x: /** @type {any} */ (label),
			y: curve(t),
			name: index.sorters[t].key,
			colour: Page.colour(t === s ? "ember" : "contact"),
			width: t === s ? 2.6 : 1.2,
		}));
		Figures.lines(figure, lines, { x: what, y: chosen.metric, zero: true });
	}

	function bySet(cards, index, scores, s, chosen) {
		const { card, figure } = Page.card("By study set", "Mean over recordings.", { wide: true });
		cards.append(card);
		const view = { index, scores, show: "mean", rule: chosen.rule, snr: 0, threshold: 0.8, failuresAsZero: false };
		const sets = [...Scoring.tree(index, all(index))]
			.map(([set, studies]) => ({ set, cell: Scoring.cell(view, [...studies.values()].flat(), s) }))
			.filter((x) => x.cell.value !== null);
		if (!sets.length) return Figures.empty(figure, "No result yet");
		return Figures.bars(
			figure,
			{ x: /** @type {any} */ (sets.map((x) => x.set)), y: sets.map((x) => x.cell.value ?? 0), width: 0.7 },
			{ x: "", y: chosen.metric },
		);
	}

	function cost(cards, index, s) {
		const { card, figure } = Page.card(
			"Run time",
			"Wall time against channels times duration; a straight line at 45° is linear.",
		);
		cards.append(card);
		const points = all(index).filter(
			(r) => index.outcome[r][s] === 0 && index.costs.wall_s[r][s] && index.recordings[r].n_channels,
		);
		if (!points.length) return Figures.empty(figure, "No times, or no sizes of recordings");
		return Figures.points(
			figure,
			[
				{
					x: points.map((r) => index.recordings[r].n_channels * index.recordings[r].duration_s),
					y: points.map((r) => index.costs.wall_s[r][s]),
					text: points.map((r) => `${index.recordings[r].name}: ${Page.duration(index.costs.wall_s[r][s])}`),
					key: points.map((r) => index.recordings[r].name),
					size: 7,
				},
			],
			{ x: "channels × seconds", y: "wall time, s", log: true, logY: true },
		);
	}

	function versions(cards, index, sorter, scores, chosen) {
		const own = index.sorters.map((x, t) => ({ ...x, t })).filter((x) => x.name === sorter.name);
		if (own.length < 2) return;
		const view = { index, scores, show: "mean", rule: chosen.rule, snr: 0, threshold: 0.8, failuresAsZero: false };
		const rows = own.map((x) => {
			const cell = Scoring.cell(view, all(index), x.t);
			return el(
				"tr",
				{},
				el("td", {}, Site.link("sorter", { name: x.key }, x.version)),
				el("td", {}, Page.number(cell.value, 3)),
				el("td", {}, `${cell.n} of ${cell.of}`),
				el("td", {}, Site.link("compare", { a: own[0].key, b: x.key }, "compare with the first")),
			);
		});
		cards.append(
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "Versions")),
				el(
					"table",
					{ class: "plain" },
					el(
						"thead",
						{},
						el(
							"tr",
							{},
							...["version", `mean ${chosen.metric}`, "recordings", ""].map((t) => el("th", { scope: "col" }, t)),
						),
					),
					el("tbody", {}, ...rows),
				),
			),
		);
	}

	function failures(cards, index, s) {
		const bad = all(index).filter((r) => !["ok", "not_run"].includes(index.outcomes[index.outcome[r][s]]));
		if (!bad.length) return;
		cards.append(
			el(
				"section",
				{ class: "card wide" },
				el("header", {}, el("h3", {}, "Runs without a sorting")),
				el(
					"ul",
					{},
					...bad.map((r) =>
						el(
							"li",
							{},
							Site.link(
								"result",
								{ recording: index.recordings[r].name, sorter: index.sorters[s].key },
								index.recordings[r].name,
							),
							`: ${Site.outcomeText(index.outcomes[index.outcome[r][s]])}`,
						),
					),
				),
			),
		);
	}

	return { show };
})();
