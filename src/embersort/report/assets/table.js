// @ts-check
"use strict";
/*
 * Tables: sorted by their heads (mouse or keyboard), filtered by a line of text, downloadable.
 */

const Table = (() => {
	/**
	 * @typedef {Object} Head
	 * @property {string} name
	 * @property {string} title
	 * @property {string} [unit]
	 * @property {string} [meaning]
	 * @property {number} [n_decimals]
	 * @property {boolean} [text]
	 * @property {(row: any) => Node | string} [show]
	 * @property {number} [width]
	 */

	/**
	 * @param {HTMLElement} node
	 * @param {Head[]} heads
	 * @param {Record<string, any>[]} rows
	 * @param {{open?: (row: any) => void, height?: string, sort?: {column: string, dir: "asc" | "desc"}, onSort?: (column: string, dir: string) => void}} [options]
	 */
	function make(node, heads, rows, options = {}) {
		const columns = heads.map((head) => ({
			field: head.name,
			title: head.title,
			// Tabulator writes titles as markup: a node keeps a name a name.
			titleFormatter: () =>
				Page.el("span", { title: head.meaning || head.title }, head.unit ? `${head.title}, ${head.unit}` : head.title),
			hozAlign: head.text || head.show ? "left" : "right",
			headerHozAlign: head.text || head.show ? "left" : "right",
			sorter: head.text ? "string" : "number",
			sorterParams: head.text ? {} : { alignEmptyValues: "bottom" },
			minWidth: head.width || Math.max(62, 16 + 7.2 * longestWord(head)),
			widthGrow: head.width ? 2 : 1,
			formatter: (cell) =>
				head.show
					? head.show(cell.getData())
					: head.text
						? document.createTextNode(String(cell.getValue() ?? ""))
						: Page.number(cell.getValue(), head.n_decimals ?? 2),
		}));
		const table = new Tabulator(node, {
			data: rows,
			columns,
			layout: "fitColumns",
			height: options.height,
			initialSort: options.sort ? [options.sort] : [],
			placeholder: "Nothing to show",
			headerSortTristate: false,
			columnDefaults: { headerSortStartingDir: "desc" },
		});
		table.on("tableBuilt", () => makeHeadsReachable(node));
		if (options.open) {
			table.on("rowClick", (event, row) => {
				if (!(/** @type {Element} */ (event.target).closest("a,button,select"))) options.open?.(row.getData());
			});
		}
		if (options.onSort)
			table.on("dataSorted", (sorters) => {
				if (sorters[0]) options.onSort?.(sorters[0].field, sorters[0].dir);
			});
		return table;
	}

	/** A head breaks between words, never inside one. @param {Head} head */
	const longestWord = (head) => Math.max(...`${head.title}, ${head.unit || ""}`.split(" ").map((word) => word.length));

	/** Let the keyboard reach and sort the heads. @param {HTMLElement} node */
	function makeHeadsReachable(node) {
		for (const head of node.querySelectorAll(".tabulator-col-content")) {
			head.setAttribute("tabindex", "0");
			head.addEventListener("keydown", (event) => {
				const key = /** @type {KeyboardEvent} */ (event).key;
				if (key === "Enter" || key === " ") {
					event.preventDefault();
					/** @type {HTMLElement} */ (head).click();
				}
			});
		}
	}

	const COMPARISON = /^(.+?)(<=|>=|<|>|=)(-?[\d.]+)$/;

	/** Names by which a column is known: its own, its title, and the title's first word.
	 * @param {Head[]} heads */
	function known(heads) {
		const names = new Map();
		for (const head of [...heads].reverse()) {
			const title = head.title.toLowerCase();
			for (const name of [
				title.split(" ")[0],
				title.replaceAll(" ", "_"),
				title.replaceAll(" ", ""),
				title,
				head.name.toLowerCase(),
			])
				names.set(name, head.name);
		}
		return names;
	}

	/** The terms of a filter: spaces round a comparison, and inside a column's title, do no harm.
	 * @param {string} text @param {Head[]} heads */
	function terms(text, heads) {
		let line = text.toLowerCase().replaceAll("≥", ">=").replaceAll("≤", "<=");
		for (const head of heads) {
			const title = head.title.toLowerCase();
			if (title.includes(" ")) line = line.replaceAll(title, title.replaceAll(" ", "_"));
		}
		return line
			.replace(/\s*(<=|>=|<|>|=)\s*/g, "$1")
			.split(/[\s,]+/)
			.filter(Boolean);
	}

	/** Names in a filter's comparisons that no column has. @param {string} text @param {Head[]} heads */
	function unknownNames(text, heads) {
		const names = known(heads);
		return terms(text, heads)
			.map((term) => COMPARISON.exec(term)?.[1])
			.filter((name) => name && !names.has(name));
	}

	/**
	 * Read a filter such as `snr>5 rate_hz<=20 good`: comparisons of columns, and words.
	 * @param {string} text @param {Head[]} heads
	 * @returns {(row: Record<string, any>) => boolean}
	 */
	function filter(text, heads) {
		const names = known(heads);
		const tests = terms(text, heads).map((term) => {
			const parts = COMPARISON.exec(term);
			const name = parts && names.get(parts[1]);
			if (parts && name) return compare(name, parts[2], Number(parts[3]));
			return (row) => Object.values(row).some((v) => typeof v !== "object" && String(v).toLowerCase().includes(term));
		});
		return (row) => tests.every((test) => test(row));
	}

	/** @param {string} name @param {string} operator @param {number} bound */
	function compare(name, operator, bound) {
		/** @param {Record<string, any>} row */
		return (row) => {
			const value = row[name];
			if (value === null || value === undefined) return false;
			switch (operator) {
				case "<":
					return value < bound;
				case "<=":
					return value <= bound;
				case ">":
					return value > bound;
				case ">=":
					return value >= bound;
				default:
					return value === bound;
			}
		};
	}

	/** @param {Head[]} heads @param {Record<string, any>[]} rows @returns {string} */
	function csv(heads, rows) {
		return Page.separated([heads.map((h) => h.name), ...rows.map((row) => heads.map((h) => row[h.name]))]);
	}

	return { make, filter, unknownNames, csv };
})();
