// @ts-check
"use strict";
/*
 * Two units side by side: the suggested merges, and any other pair.
 */

const ReportPairs = (() => {
	const { el } = Page;
	const { facts } = ReportState;
	const [ACCEPT, REFUSE] = ["accept", "refuse"];
	const KEYS = { a: ACCEPT, r: REFUSE, u: "" };
	const name = (unit) => `unit ${facts.unit_ids[unit]}`;
	const colour = (place) => Page.colour(["ember", "blue"][place]);

	/** The pair that the address names, or the first suggestion that is not decided. */
	function chosen() {
		const state = Page.address.read();
		const place = (key) => facts.unit_ids.indexOf(Number(state.get(key)));
		if (state.has("one") && state.has("two")) {
			const [a, b] = [place("one"), place("two")];
			if (a >= 0 && b >= 0 && a !== b) return [a, b];
		}
		const open = facts.pairs.find((pair) => !ReportState.decision(...pair.units));
		return (open || facts.pairs[0])?.units || [0, 1];
	}

	const show2 = (a, b, replace = false) =>
		Page.address.write({ view: "pairs", one: facts.unit_ids[a], two: facts.unit_ids[b] }, replace);

	/** @param {HTMLElement} main @param {Record<string, any>[]} table */
	async function show(main, table) {
		const [a, b] = chosen();
		const cards = el("div", { class: "cards" });
		Page.fill(main, header(a, b), list(a, b), cards);
		templates(cards, a, b, await Pack.open("pair-templates"));
		const windows = ReportTrains.windowChoice();
		for (const [first, second, title, place, controls] of [
			[a, b, `Cross-correlogram, ${name(a)} → ${name(b)}`, 1, windows],
			[a, a, `Autocorrelogram, ${name(a)}`, 0, null],
			[b, b, `Autocorrelogram, ${name(b)}`, 1, null],
		]) {
			const { card, figure } = Page.card(
				String(title),
				first === second
					? "Spikes per bin of lag; one neuron leaves a gap round zero."
					: "Spikes per bin of lag. A gap round zero, as in an autocorrelogram: one neuron in two units. Filled: two neurons.",
				{ controls },
			);
			cards.append(card);
			await ReportTrains.draw(figure, first, second, first === second ? colour(place) : Page.colour("teal"));
		}
		await overTime(cards, a, b);
		cards.append(numbers(table, a, b));
	}

	function header(a, b) {
		const pick = (unit, label, change) =>
			el(
				"label",
				{},
				`${label} `,
				el(
					"select",
					{ onchange: (event) => change(Number(event.target.value)) },
					...facts.unit_ids.map((id, index) => el("option", { value: index, selected: index === unit }, id)),
				),
			);
		const decision = ReportState.decision(a, b);
		const button = (what, text, key) =>
			el(
				"button",
				{
					type: "button",
					"aria-pressed": String(decision === what),
					"data-decide": what || "undecided",
					onclick: () => decide(a, b, what),
				},
				`${text} (${key})`,
			);
		return el(
			"div",
			{ class: "tools" },
			el("h1", {}, "Merges"),
			pick(a, "Unit", (value) => show2(value, b)),
			pick(b, "beside", (value) => show2(a, value)),
			button(ACCEPT, "One neuron: merge", "A"),
			button(REFUSE, "Two neurons", "R"),
			button("", "Undecided", "U"),
			el("button", { type: "button", class: "push", onclick: () => ReportState.saveCuration() }, "Save curation.json"),
		);
	}

	/** The suggestions, with what was decided. */
	function list(a, b) {
		const here = facts.pairs.findIndex((pair) => same(pair.units, [a, b]));
		const n = facts.pairs.length;
		const rows = facts.pairs.map((pair, index) =>
			el(
				"a",
				{
					href: Page.address.link({
						view: "pairs",
						one: facts.unit_ids[pair.units[0]],
						two: facts.unit_ids[pair.units[1]],
					}),
					"aria-current": index === here ? "true" : null,
					class: `pair ${ReportState.decision(...pair.units) || "open"}`,
				},
				el("b", {}, `${facts.unit_ids[pair.units[0]]} + ${facts.unit_ids[pair.units[1]]} `),
				el("span", {}, { accept: "merge · ", refuse: "two · " }[ReportState.decision(...pair.units)] || "", pair.words),
			),
		);
		return el(
			"section",
			{ class: "card" },
			el("header", {}, el("h3", {}, n ? `Suggested merges: ${n}` : "No merge is suggested")),
			el("div", { class: "pairs" }, ...rows),
			el(
				"p",
				{ class: "hint" },
				"Pairs that look alike and keep each other's refractory period, the likeliest first. Keys: A merge, R two neurons, U undecided, ← → other pairs. Apply what you saved with: embersort curate OUT --apply curation.json",
			),
		);
	}

	const same = (one, other) => one.every((unit) => other.includes(unit));

	function decide(a, b, what) {
		ReportState.decide(a, b, what);
		const here = facts.pairs.findIndex((pair) => same(pair.units, [a, b]));
		const next =
			what && here >= 0 ? facts.pairs.slice(here + 1).find((pair) => !ReportState.decision(...pair.units)) : null;
		if (next) show2(next.units[0], next.units[1], true);
		else window.dispatchEvent(new HashChangeEvent("hashchange"));
	}

	/** Units' templates on the channels of both. */
	function templates(cards, a, b, pack) {
		const { card, figure } = Page.card(
			"Templates",
			"Typical snippet of both units on the channels that either reaches.",
			{
				tall: true,
			},
		);
		cards.append(card);
		if (!pack) return Figures.empty(figure, "No template");
		const read = (unit) => {
			const n = pack.facts.n_window;
			const flat = Pack.row(pack.arrays.waves, unit);
			const channels = pack.facts.channels[unit];
			return new Map(channels.map((c, i) => [c, flat.slice(i * n, (i + 1) * n)]));
		};
		const [one, two] = [read(a), read(b)];
		const channels = [...new Set([...one.keys(), ...two.keys()])];
		const zero = new Array(pack.facts.n_window).fill(0);
		return UnitFigures.onProbe(
			figure,
			[one, two].map((waves) => channels.map((c) => waves.get(c) || zero)),
			channels.map((c) => facts.positions_um[c]),
			{ colours: [colour(0), colour(1)], names: [name(a), name(b)], channels },
		);
	}

	async function overTime(cards, a, b) {
		const packs = [await Pack.open(`unit-${a}`), await Pack.open(`unit-${b}`)];
		const { startS, endS } = ReportState.range();
		const groups = (key) =>
			packs.map((pack, i) => ({
				x: Array.from(pack?.arrays.point_time_s.values || []),
				y: Array.from(pack?.arrays[key].values || []),
				name: name([a, b][i]),
				colour: colour(i),
				size: 3.5,
				opacity: 0.5,
			}));
		for (const [key, title, hint, label] of [
			[
				"point_amplitude",
				"Amplitudes over time",
				"Height of some spikes of both. One takes over from the other: one neuron that changed.",
				"noise units",
			],
			["point_y_um", "Depth over time", "Estimated depth of some spikes of both.", "y, µm"],
		]) {
			const { card, figure } = Page.card(title, hint, { wide: true });
			cards.append(card);
			Figures.points(figure, groups(key), { x: "time, s", y: label, rangeX: [startS, endS], legend: true });
		}
	}

	/** The columns of the unit table, of both units. */
	function numbers(table, a, b) {
		const list_ = el("dl", { class: "facts" });
		const text = (unit, column) => {
			const value = table[unit][column.name];
			return typeof value === "number" ? Page.number(value, column.n_decimals) : String(value ?? "–");
		};
		for (const column of facts.columns)
			list_.append(
				el("dt", { title: column.meaning }, column.title),
				el("dd", {}, `${text(a, column)} | ${text(b, column)} ${column.unit}`),
			);
		return el("section", { class: "card" }, el("header", {}, el("h3", {}, `${name(a)} | ${name(b)}`)), list_);
	}

	/** @param {KeyboardEvent} event @returns {boolean} whether the key was one of ours */
	function onKey(event) {
		const [a, b] = chosen();
		const key = event.key.toLowerCase();
		if (key in KEYS) {
			decide(a, b, KEYS[key]);
			return true;
		}
		const step = { arrowleft: -1, arrowright: 1 }[key];
		if (!step || !facts.pairs.length) return false;
		const here = facts.pairs.findIndex((pair) => same(pair.units, [a, b]));
		const next = facts.pairs[(here + step + facts.pairs.length) % facts.pairs.length];
		show2(next.units[0], next.units[1], true);
		return true;
	}

	return { show, onKey };
})();
