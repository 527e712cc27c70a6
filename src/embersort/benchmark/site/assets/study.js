// @ts-check
"use strict";
/*
 * A study, or a whole study set: how every sorter does on it.
 */

const StudyPage = (() => {
	const { el } = Page;
	const MAX_POINTS = 1500;

	/** @param {HTMLElement} main */
	async function show(main) {
		const index = await Site.index();
		const query = Page.address.read();
		const set = query.get("set") || index.recordings[0].set;
		const study = query.get("study");
		const chosen = UnitPoints.state();
		const recordings = index.recordings.flatMap((r, i) => (r.set === set && (!study || r.study === study) ? [i] : []));
		if (!recordings.length) throw new Error(`there is no study ${study || set}`);
		const scores = await Site.scores(chosen.rule, chosen.metric);
		const first = await Site.load(`recordings/${index.recordings[recordings[0]].slug}`);
		const cards = el("div", { class: "cards" });
		Page.fill(
			main,
			study
				? Site.crumbs(Site.link("index", {}, "Results"), Site.link("study", { set }, set))
				: Site.crumbs(Site.link("index", {}, "Results")),
			el("h1", {}, study || set),
			about(index, recordings, first?.facts || {}, study),
			el("div", { class: "controls" }, ...UnitPoints.controls(chosen)),
			cards,
		);
		const against = await UnitPoints.column(index, chosen.against);
		scatter(cards, index, recordings, scores, against, chosen);
		ordered(cards, index, recordings, scores, chosen);
		distribution(cards, index, recordings, scores, chosen);
		list(cards, index, recordings, study);
	}

	function about(index, recordings, facts, study) {
		const units = recordings.reduce((n, r) => n + index.recordings[r].n_units, 0);
		return el(
			"section",
			{ class: "card" },
			Site.list({
				"": (study && facts.study_description) || facts.title,
				description: facts.description,
				truth: facts.kind,
				probe: facts.probe,
				species: facts.species,
				region: facts.region,
				licence: facts.licence,
				DOI: facts.doi ? Site.outward(`https://doi.org/${facts.doi.replace(/^https?:\/\/doi\.org\//, "")}`) : null,
				size: `${recordings.length} recordings, ${units} true units`,
			}),
		);
	}

	function scatter(cards, index, recordings, scores, against, chosen) {
		const title = `${UnitPoints.METRICS[chosen.metric]} against ${UnitPoints.DIFFICULTY[chosen.against]}`;
		const { card, figure } = Page.card(
			title,
			"One point per true unit and sorter; click one to open the unit. Names above switch sorters off.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		const most = Math.ceil(MAX_POINTS / index.sorters.length);
		const groups = index.sorters.map((sorter, s) => {
			const units = UnitPoints.thinned(UnitPoints.scored(index, recordings, scores[s]), most);
			return {
				x: units.map((u) => against[u]),
				y: units.map((u) => scores[s][u]),
				key: units.map((u) => UnitPoints.href(index, u, sorter.key)),
				text: units.map(
					(u) => `${sorter.key}, ${Site.nameOf(UnitPoints.place(index, u).recording)}: ${Page.number(scores[s][u])}`,
				),
				name: sorter.key,
				...Site.lookOf(s),
				size: 5,
			};
		});
		Figures.points(figure, groups, {
			x: UnitPoints.DIFFICULTY[chosen.against],
			y: chosen.metric,
			rangeY: [-0.03, 1.03],
			legend: true,
			click: go,
		});
	}

	/** @param {string} href */
	function go(href) {
		location.href = href;
	}

	function ordered(cards, index, recordings, scores, chosen) {
		const { card, figure } = Page.card(
			"In falling order",
			"True units ordered by each sorter's score: the curve that stays high the longest wins.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		const lines = index.sorters.map((sorter, s) => {
			const y = UnitPoints.scored(index, recordings, scores[s])
				.map((u) => scores[s][u])
				.sort((a, b) => b - a);
			return { x: y.map((_, i) => i + 1), y, name: sorter.key, ...Site.lookOf(s), width: 1.8 };
		});
		Figures.lines(figure, lines, { x: "true units", y: chosen.metric, zero: true, legend: true });
	}

	function distribution(cards, index, recordings, scores, chosen) {
		const { card, figure } = Page.card(
			"Distribution by sorter",
			"Box: quartiles and median over true units; whiskers reach 1.5 times the box.",
		);
		card.classList.add("full");
		cards.append(card);
		Figures.boxes(
			figure,
			index.sorters.map((sorter, s) => ({
				name: sorter.key,
				y: UnitPoints.scored(index, recordings, scores[s]).map((u) => scores[s][u]),
				colour: Figures.unitColour(s),
			})),
			{ y: chosen.metric },
		);
	}

	function list(cards, index, recordings, study) {
		const node = el("div");
		cards.append(el("section", { class: "card full" }, el("header", {}, el("h3", {}, "Recordings")), node));
		Table.make(
			node,
			[
				{
					name: "title",
					title: "Recording",
					text: true,
					width: 200,
					show: (row) => Site.link("recording", { name: row.name }, study ? row.title : Site.nameOf(row)),
				},
				{ name: "n_units", title: "True units", n_decimals: 0 },
				{ name: "n_channels", title: "Channels", n_decimals: 0 },
				{ name: "duration_s", title: "Duration", unit: "s", n_decimals: 0 },
				{ name: "drift_um", title: "Drift", unit: "µm", n_decimals: 0 },
			],
			recordings.map((r) => index.recordings[r]),
			{ open: (row) => go(Site.href("recording", { name: row.name })) },
		);
	}

	return { show };
})();
