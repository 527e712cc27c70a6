// @ts-check
"use strict";
/*
 * Definitions, the registry, files to download, changes between snapshots.
 */

const MethodsPage = (() => {
	const { el } = Page;
	const DEFINITIONS = {
		"matching spike":
			"a found spike within the tolerance of a true one (0.4 ms one to one; 1 ms best match); each spike matches at most once",
		accuracy: "n_match / (n_match + n_missed + n_false)",
		precision: "n_match / (n_match + n_false)",
		recall: "n_match / (n_match + n_missed)",
		F1: "2 · precision · recall / (precision + recall)",
		"one to one":
			"each found unit answers at most one true unit: the assignment with the largest summed agreement, from 0.5 on (SpikeInterface)",
		"best match":
			"each true unit takes the found unit that agrees most with it, however often that is used (SpikeForest)",
		SNR: "largest absolute value of the mean snippet over the noise (MAD / 0.6745) of that channel, 300–6000 Hz (SpikeForest)",
		"overlapping spike": "a true spike near which, in time and on the probe, another true unit fires",
		"well detected": "accuracy of at least 0.8",
		"false positive unit": "a found unit that agrees with no true unit by 0.2",
		"redundant unit": "an unmatched found unit that agrees with a matched true unit by at least 0.2",
		"over-merged unit": "a found unit that agrees with two true units by more than 0.2",
		"mean of a row":
			"mean over its recordings of the mean over each one's true units; recordings without a result are left out, or count as 0 where chosen, and the coverage stands beside",
		"median, count, fraction": "over all true units of the row's recordings with a result",
		interval: "95 % percentile bootstrap over recordings, 1000 resamples",
		"run time": "sum of the wall times of a row's sorts; memory: the largest peak",
		resolution: "scores on these pages are kept to a ten-thousandth, rounded down; the files below hold them in full",
	};

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const [downloads, changes] = await Promise.all([Site.load("downloads"), Site.load("changes")]);
		const registry = el("div");
		const heads = [
			{
				name: "name",
				title: "Recording",
				text: true,
				width: 240,
				show: (row) => Site.link("recording", { name: row.name }, row.name),
			},
			{ name: "kind", title: "Truth", text: true },
			{ name: "n_units", title: "True units", n_decimals: 0 },
			{ name: "n_channels", title: "Channels", n_decimals: 0 },
			{ name: "duration_s", title: "Duration", unit: "s", n_decimals: 0 },
			{ name: "probe", title: "Probe", text: true },
			{ name: "region", title: "Region", text: true },
		];
		Page.fill(
			main,
			el("h1", {}, "Data and methods"),
			el("h2", {}, "Definitions"),
			el("section", { class: "card" }, Site.list(DEFINITIONS)),
			el("h2", {}, "Downloads"),
			el(
				"section",
				{ class: "card" },
				el(
					"p",
					{},
					`Schema version ${index.schema}. Every row of results: one recording, one sorter. Units: one true unit, one sorter, one rule.`,
				),
				el(
					"ul",
					{ id: "downloads" },
					...Object.entries(downloads?.files || {}).map(([name, size]) =>
						el(
							"li",
							{},
							el("a", { href: `downloads/${name}`, download: "" }, name),
							` ${Page.number(size / 1e6, 2)} MB`,
						),
					),
				),
			),
			el("h2", {}, "Changes between snapshots"),
			el("section", { class: "card", id: "changes" }, ...snapshots(changes || {})),
			el("h2", {}, "Registry"),
			el(
				"section",
				{ class: "card" },
				el(
					"header",
					{},
					el("h3", {}, "Recordings"),
					el(
						"button",
						{ type: "button", onclick: () => Page.download("registry.csv", Table.csv(heads, index.recordings)) },
						"CSV",
					),
				),
				registry,
			),
		);
		Table.make(registry, heads, index.recordings, { height: index.recordings.length > 14 ? "480px" : undefined });
	}

	function snapshots(changes) {
		const names = Object.keys(changes);
		if (!names.length) return [el("p", { class: "hint" }, "This site shows one snapshot.")];
		return names.map((name) => {
			const { added, removed, changed } = changes[name];
			const line = (c) => `${c.sorter} on ${c.recording}: ${shown(c.before)} → ${shown(c.now)}`;
			return el(
				"div",
				{},
				el("h3", {}, `Since ${name}: ${added.length} added, ${removed.length} removed, ${changed.length} changed`),
				el("ul", {}, ...changed.map((c) => el("li", {}, line(c)))),
			);
		});
	}

	const shown = (side) =>
		`${side.outcome === "ok" ? Page.number(side.accuracy, 3) : Site.outcomeText(side.outcome)}${side.version ? ` (${side.version})` : ""}`;

	return { show };
})();
