// @ts-check
"use strict";
/*
 * Wins and losses of two sorters, recording by recording.
 */

const PairedPanel = (() => {
	const { el } = Page;

	/** The two sorters of the address; else Embersort and the best of the others. */
	function chosenPair(view, recordings) {
		const { sorters } = view.index;
		const keys = sorters.map((s) => s.key);
		const mean = { ...view, show: "mean" };
		const ranked = keys
			.map((_, s) => s)
			.filter((s) => !sorters[s].is_reference)
			.sort(
				(s, t) => (Scoring.cell(mean, recordings, t).value ?? -1) - (Scoring.cell(mean, recordings, s).value ?? -1),
			);
		const own = ranked.find((s) => sorters[s].name === "embersort") ?? ranked[0] ?? 0;
		const a = keys.includes(view.a) ? keys.indexOf(view.a) : own;
		const b = keys.includes(view.b) ? keys.indexOf(view.b) : (ranked.find((s) => s !== a) ?? (a ? 0 : 1));
		return [a, b];
	}

	/** @param {any} view @param {number[]} recordings @returns {HTMLElement} */
	function make(view, recordings) {
		const keys = view.index.sorters.map((s) => s.key);
		if (keys.length < 2) return el("span");
		const [a, b] = chosenPair(view, recordings);
		const result = Scoring.paired(view, recordings, a, b);
		const choices = /** @type {[string, string][]} */ (keys.map((k) => [k, k]));
		const range = result.interval
			? ` [${Page.number(result.interval[0], 3)}, ${Page.number(result.interval[1], 3)}]`
			: "";
		const text =
			result.mean === null
				? "These two have no recording in common."
				: `better on ${result.wins}, worse on ${result.losses}, equal (within 0.005) on ${result.ties} of ${result.pairs.length} recordings; mean difference ${Page.number(result.mean, 3)}${range}`;
		return el(
			"section",
			{ class: "card", id: "paired" },
			el(
				"header",
				{},
				el("h3", {}, "Two sorters, recording by recording"),
				Site.link("compare", { a: keys[a], b: keys[b] }, "unit by unit"),
			),
			el(
				"div",
				{ class: "controls" },
				Site.select("First", "a", choices, keys[a]),
				Site.select("against", "b", choices, keys[b]),
			),
			el("p", { role: "status" }, text),
			strip(view, result.pairs),
		);
	}

	/** One bar per recording, ordered by the difference. */
	function strip(view, pairs) {
		const sorted = [...pairs].sort((p, q) => q.a - q.b - (p.a - p.b));
		const top = Math.max(0.05, ...sorted.map((p) => Math.abs(p.a - p.b)));
		return el(
			"div",
			{ class: "strip", "aria-hidden": "true" },
			...sorted.map((p) => {
				const d = p.a - p.b;
				return el("span", {
					title: `${view.index.recordings[p.r].name}: ${Page.number(d, 3)}`,
					class: d >= 0 ? "up" : "down",
					style: `--h:${((Math.abs(d) / top) * 100).toFixed(1)}%`,
				});
			}),
		);
	}

	return { make };
})();
