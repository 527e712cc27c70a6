// @ts-check
"use strict";
/*
 * What the views of the report share: the facts, the range of time, the labels.
 */

const ReportState = (() => {
	/** @type {any} */
	const facts = JSON.parse(document.getElementById("facts")?.textContent || "{}");
	const N_BLOCKS = facts.block_edges_s.length - 1;
	const LABELS = ["good", "mua", "noise"];
	const storeName = `embersort-labels ${facts.title} ${facts.n_spikes} ${facts.unit_ids.length}`;
	/** @type {Record<string, string>} */
	let labels = {};
	try {
		labels = JSON.parse(localStorage.getItem(storeName) || "{}");
	} catch {
		// No storage for a page from a file: labels last until the page is closed.
	}

	/** The chosen range of time, as blocks [from, to). */
	function range() {
		const state = Page.address.read();
		const from = Math.min(Math.max(0, Number(state.get("from") || 0)), N_BLOCKS - 1) || 0;
		const to = Math.min(Math.max(from + 1, Number(state.get("to") || N_BLOCKS)), N_BLOCKS) || N_BLOCKS;
		return { from, to, startS: facts.block_edges_s[from], endS: facts.block_edges_s[to] };
	}

	/** @param {number} unit @param {string} label empty removes it */
	function setLabel(unit, label) {
		const id = String(facts.unit_ids[unit]);
		if (label) labels[id] = label;
		else delete labels[id];
		keep();
	}

	function keep() {
		try {
			localStorage.setItem(storeName, JSON.stringify(labels));
		} catch {
			// As above.
		}
	}

	/** @param {number} unit */
	const label = (unit) => labels[String(facts.unit_ids[unit])] || "";

	/** What was decided of two units: accept, refuse, or nothing. @param {number} a @param {number} b */
	const pairKey = (a, b) => [facts.unit_ids[a], facts.unit_ids[b]].sort((x, y) => x - y).join("+");
	const decision = (a, b) => labels[pairKey(a, b)] || "";

	/** @param {number} a @param {number} b @param {string} what empty takes it back */
	function decide(a, b, what) {
		if (what) labels[pairKey(a, b)] = what;
		else delete labels[pairKey(a, b)];
		keep();
	}

	/** Units joined by accepted pairs. @returns {number[][]} groups of unit ids */
	function merges() {
		/** @type {Map<number, Set<number>>} */
		const groups = new Map();
		for (const [key, what] of Object.entries(labels)) {
			if (what !== "accept") continue;
			const [a, b] = key.split("+").map(Number);
			const joined = new Set([a, b, ...(groups.get(a) || []), ...(groups.get(b) || [])]);
			for (const id of joined) groups.set(id, joined);
		}
		return [...new Set(groups.values())].map((group) => [...group].sort((x, y) => x - y));
	}

	/** Labels and merges in SpikeInterface's curation format, version 2. */
	function curation() {
		return {
			format_version: "2",
			unit_ids: facts.unit_ids,
			label_definitions: { quality: { label_options: LABELS, exclusive: true } },
			manual_labels: facts.unit_ids
				.filter((id) => labels[String(id)])
				.map((id) => ({ unit_id: id, labels: { quality: [labels[String(id)]] } })),
			merges: merges().map((unit_ids) => ({ unit_ids })),
			splits: [],
			removed: [],
		};
	}

	const saveCuration = () =>
		Page.download("curation.json", `${JSON.stringify(curation(), null, 1)}\n`, "application/json");

	/** Labels as CSV, or as Phy's cluster_group.tsv. @param {"csv" | "phy"} kind */
	function exportLabels(kind) {
		const rows = facts.unit_ids.map((id) => [id, labels[String(id)] || "unsorted"]);
		if (kind === "csv") return Page.separated([["unit_id", "label"], ...rows]);
		return Page.separated([["cluster_id", "group"], ...rows], "\t");
	}

	/** The rows of the unit table for the chosen range of time. */
	async function unitRows() {
		const overview = await Pack.open("overview");
		if (!overview) return [];
		const { from, to, startS, endS } = range();
		const counts = Pack.rows(overview.arrays.counts);
		const violations = Pack.rows(overview.arrays.violations);
		const binsPerBlock = (counts[0]?.length || N_BLOCKS) / N_BLOCKS;
		return facts.unit_ids.map((id, unit) => {
			/** @type {Record<string, any>} */
			const row = { unit, unit_id: id, label: label(unit) };
			for (const [name, values] of Object.entries(facts.values)) row[name] = values[unit];
			let n = 0;
			let present = 0;
			for (let block = from; block < to; block++) {
				let inBlock = 0;
				for (let b = 0; b < binsPerBlock; b++) inBlock += counts[unit][block * binsPerBlock + b];
				n += inBlock;
				present += inBlock > 0 ? 1 : 0;
			}
			const short = violations[unit].slice(from, to).reduce((a, b) => a + b, 0);
			row.n_spikes = n;
			row.rate_hz = endS > startS ? n / (endS - startS) : 0;
			// An interval belongs to the block of its first spike; the last spike of all begins none.
			const nIntervals = to === N_BLOCKS ? n - 1 : n;
			row.refractory_fraction = nIntervals > 0 ? (100 * short) / nIntervals : 0;
			row.presence = present / (to - from);
			return row;
		});
	}

	/** The heads of the unit table. @returns {any[]} */
	function heads() {
		return [
			{
				name: "unit_id",
				title: "Unit",
				n_decimals: 0,
				meaning: "Name of the unit; opens its page",
				show: (row) =>
					Page.el(
						"a",
						{ href: Page.address.link({ view: "unit", unit: row.unit_id }) },
						Page.el("span", { class: "dot", style: `background:var(--unit-${row.unit % 8})` }),
						row.unit_id,
					),
			},
			{
				name: "label",
				title: "Label",
				text: true,
				width: 86,
				meaning: "Your label; kept in this browser",
				show: labelChoice,
			},
			...facts.columns.map((column) => ({
				...column,
				text: (facts.values[column.name] || []).some((v) => typeof v === "string"),
			})),
		];
	}

	/** @param {{unit: number, label: string}} row @param {() => void} [after] */
	function labelChoice(row, after) {
		const options = ["", ...LABELS].map((value) =>
			Page.el("option", { value, selected: label(row.unit) === value }, value || "–"),
		);
		return Page.el(
			"select",
			{
				"aria-label": `Label of unit ${facts.unit_ids[row.unit]}`,
				onchange: (event) => {
					setLabel(row.unit, event.target.value);
					row.label = event.target.value;
					if (typeof after === "function") after();
				},
			},
			...options,
		);
	}

	return {
		facts,
		N_BLOCKS,
		LABELS,
		range,
		setLabel,
		label,
		labelChoice,
		exportLabels,
		decision,
		decide,
		curation,
		saveCuration,
		unitRows,
		heads,
	};
})();
