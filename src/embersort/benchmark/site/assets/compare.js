// @ts-check
"use strict";
/*
 * Two sorters, unit by unit; and all of them, accuracy against time.
 */

const ComparePage = (() => {
	const { el } = Page;
	const MAX_POINTS = 3000;

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const query = Page.address.read();
		const chosen = UnitPoints.state();
		const keys = index.sorters.map((s) => s.key);
		const a = Math.max(0, keys.indexOf(query.get("a") || ""));
		const b =
			keys.indexOf(query.get("b") || "") >= 0 ? keys.indexOf(query.get("b") || "") : Math.min(1, keys.length - 1);
		const scores = await Site.scores(chosen.rule, chosen.metric);
		const view = { index, scores, show: "mean", rule: chosen.rule, snr: 0, threshold: 0.8, failuresAsZero: false };
		const cards = el("div", { class: "cards" });
		const choices = /** @type {[string, string][]} */ (keys.map((k) => [k, k]));
		const result = Scoring.paired(
			view,
			index.recordings.map((_, r) => r),
			a,
			b,
		);
		Page.fill(
			main,
			el("h1", {}, `${keys[a]} against ${keys[b]}`),
			el(
				"div",
				{ class: "controls" },
				Site.select("First", "a", choices, keys[a]),
				Site.select("Second", "b", choices, keys[b]),
				...UnitPoints.controls(chosen, false),
			),
			summary(result, chosen),
			cards,
		);
		units(cards, index, scores, a, b, chosen);
		studies(cards, index, result, chosen);
		pareto(cards, index, view, chosen);
	}

	function summary(result, chosen) {
		if (result.mean === null)
			return el("p", { class: "lead", role: "status" }, "These two have no recording in common.");
		const range = result.interval;
		return el(
			"div",
			{ class: "tiles" },
			Page.tile("recordings of both", String(result.pairs.length)),
			Page.tile("first better", String(result.wins), "by more than 0.005"),
			Page.tile("second better", String(result.losses), "by more than 0.005"),
			Page.tile(`mean difference of ${chosen.metric}`, Page.number(result.mean, 3)),
			range &&
				Page.tile(
					"95 % interval",
					`${Page.number(range[0], 3)} to ${Page.number(range[1], 3)}`,
					"Bootstrap over recordings",
				),
		);
	}

	function units(cards, index, scores, a, b, chosen) {
		const { card, figure } = Page.card(
			"Unit by unit",
			"One point per true unit that both have a score of; above the line the second is better. Click one to open it.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		const every = index.recordings.map((_, r) => r);
		const both = UnitPoints.thinned(
			UnitPoints.scored(index, every, scores[a]).filter((u) => !Number.isNaN(scores[b][u])),
			MAX_POINTS,
		);
		if (!both.length) return Figures.empty(figure, "No unit in common");
		return Figures.points(
			figure,
			[
				{
					x: both.map((u) => scores[a][u]),
					y: both.map((u) => scores[b][u]),
					text: both.map(
						(u) =>
							`${Site.nameOf(UnitPoints.place(index, u).recording)}: ${Page.number(scores[a][u])}, ${Page.number(scores[b][u])}; SNR ${Page.number(index.snr[u], 1)}`,
					),
					key: both.map((u) => UnitPoints.href(index, u, index.sorters[a].key)),
					size: 5,
					opacity: 0.5,
				},
			],
			{
				x: `${index.sorters[a].key}, ${chosen.metric}`,
				y: `${index.sorters[b].key}, ${chosen.metric}`,
				rangeX: [-0.03, 1.03],
				rangeY: [-0.03, 1.03],
				shapes: [
					{ type: "line", x0: 0, x1: 1, y0: 0, y1: 1, line: { color: Page.colour("muted"), width: 1, dash: "dot" } },
				],
				click: (href) => {
					location.href = href;
				},
			},
		);
	}

	function studies(cards, index, result, chosen) {
		const { card, figure } = Page.card(
			"Difference by study set",
			`First minus second, mean ${chosen.metric} of each recording.`,
			{ wide: true },
		);
		cards.append(card);
		const sets = [...new Set(result.pairs.map((p) => index.recordings[p.r].set))];
		if (!sets.length) return Figures.empty(figure, "No recording in common");
		return Figures.boxes(
			figure,
			sets.map((set) => ({
				name: set,
				y: result.pairs.filter((p) => index.recordings[p.r].set === set).map((p) => p.a - p.b),
				colour: Page.colour("ember"),
			})),
			{ y: `difference of ${chosen.metric}`, points: true },
		);
	}

	function pareto(cards, index, view, chosen) {
		const { card, figure } = Page.card(
			"Accuracy against run time",
			"Mean over the recordings of each sorter; up and to the left is better. Dotted: sorters that no other beats in both.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		const every = index.recordings.map((_, r) => r);
		const points = index.sorters
			.map((sorter, s) => {
				const times = every
					.map((r) => index.costs.wall_s[r][s])
					.filter((v, r) => v !== null && index.outcome[r][s] === 0);
				return {
					sorter,
					s,
					time: times.length ? Scoring.mean(times) : null,
					value: Scoring.cell(view, every, s).value,
				};
			})
			.filter((p) => p.time && p.value !== null);
		if (!points.length) return Figures.empty(figure, "No times");
		const front = points
			.filter((p) => !points.some((q) => q.time < p.time && q.value > p.value))
			.sort((p, q) => p.time - q.time);
		Figures.points(
			figure,
			points.map((p) => ({
				x: [p.time],
				y: [p.value],
				name: p.sorter.key,
				text: [`${p.sorter.key}: ${Page.number(p.value, 3)}, ${Page.duration(p.time)} a recording`],
				key: [Site.href("sorter", { name: p.sorter.key })],
				...Site.lookOf(p.s),
				size: 10,
			})),
			{
				x: "mean wall time of a recording, s",
				y: `mean ${chosen.metric}`,
				log: true,
				legend: true,
				shapes: front.slice(1).map((p, i) => ({
					type: "line",
					x0: front[i].time,
					y0: front[i].value,
					x1: p.time,
					y1: p.value,
					line: { color: Page.colour("muted"), width: 1, dash: "dot" },
				})),
				click: (href) => {
					location.href = href;
				},
			},
		);
	}

	return { show };
})();
