// @ts-check
"use strict";
/*
 * What every page of the website needs: data by name, links, state in the address.
 */

const Site = (() => {
	const { el } = Page;
	/** @type {Map<string, {promise: Promise<any>, done: (value: any) => void}>} */
	const waiting = new Map();
	/** @type {(() => Promise<void> | void) | null} */
	let show = null;

	/** @param {string} name */
	function slot(name) {
		let entry = waiting.get(name);
		if (!entry) {
			/** @type {(value: any) => void} */
			let done = () => {};
			const promise = new Promise((resolve) => {
				done = resolve;
			});
			entry = { promise, done };
			waiting.set(name, entry);
		}
		return entry;
	}

	/** Called by the data files. @param {string} name @param {any} value */
	function receive(name, value) {
		slot(name).done(value);
	}

	/**
	 * Load a data file once; null where the site has none. A script, not a fetch, so that the site
	 * also works from a folder.
	 * @param {string} name @returns {Promise<any>}
	 */
	function load(name) {
		const known = waiting.has(name);
		const entry = slot(name);
		if (!known) {
			const script = el("script", { src: `data/${name}.js` });
			script.onerror = () => entry.done(null);
			document.head.append(script);
		}
		return entry.promise;
	}

	/** @param {any} data @param {string} name @returns {Promise<any>} */
	async function unpack(data, name) {
		const text = data?.packs?.[name];
		return text ? Pack.read(text) : null;
	}

	/** Everything that all pages know: recordings, sorters, outcomes, signal-to-noise ratios. */
	async function index() {
		const facts = await load("index");
		if (!facts.snr) facts.snr = (await unpack(facts, "snr")).arrays.snr.values;
		return facts;
	}

	/** @type {Map<string, Float32Array[]>} */
	const scoreTables = new Map();

	/** Scores, one array per sorter with one value per true unit; NaN where there is none.
	 * @param {string} rule @param {string} metric */
	async function scores(rule, metric) {
		const [MISSING, LEVELS] = [65535, 10000];
		const name = `scores-${rule}-${metric}`;
		const known = scoreTables.get(name);
		if (known) return known;
		const pack = await unpack(await load(name), "scores");
		const { low, high } = pack.arrays;
		const [nSorters, nUnits] = low.shape;
		const table = Array.from({ length: nSorters }, (_, s) => {
			const column = new Float32Array(nUnits);
			for (let u = 0; u < nUnits; u++) {
				const stored = low.values[s * nUnits + u] + 256 * high.values[s * nUnits + u];
				column[u] = stored === MISSING ? Number.NaN : stored / LEVELS;
			}
			return column;
		});
		scoreTables.set(name, table);
		return table;
	}

	/** @param {string} page @param {Record<string, any>} state @returns {string} */
	function href(page, state) {
		const query = new URLSearchParams();
		for (const [name, value] of Object.entries(state))
			if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
		return `${page}.html#${query}`;
	}

	/** @param {string} page @param {Record<string, any>} state @param {string} text */
	const link = (page, state, text) => el("a", { href: href(page, state) }, text);

	/** A select that writes the address.
	 * @param {string} label @param {string} name @param {[string, string][]} choices @param {string} value */
	function select(label, name, choices, value) {
		return el(
			"label",
			{ class: "field" },
			el("span", {}, label),
			el(
				"select",
				{ "data-name": name, onchange: (event) => Page.address.write({ [name]: event.target.value }) },
				...choices.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
			),
		);
	}

	/** A slider that writes the address.
	 * @param {string} label @param {string} name @param {number} value
	 * @param {{min: number, max: number, step: number, decimals: number}} scale */
	function slider(label, name, value, scale) {
		const output = el("output", {}, Page.number(value, scale.decimals));
		return el(
			"label",
			{ class: "field" },
			el("span", {}, `${label} `, output),
			el("input", {
				type: "range",
				"data-name": name,
				min: scale.min,
				max: scale.max,
				step: scale.step,
				value,
				oninput: (event) => {
					output.textContent = Page.number(Number(event.target.value), scale.decimals);
				},
				onchange: (event) => Page.address.write({ [name]: event.target.value }, true),
			}),
		);
	}

	/** A recording's name without its set: alone, "001" says little. @param {{study: string, title: string}} recording */
	function nameOf(recording) {
		return `${recording.study}/${recording.title}`;
	}

	/** How a sorter is drawn; where colours come round again, its points and lines take another form. @param {number} s */
	function lookOf(s) {
		const N_COLOURS = 8;
		const FORMS = [
			{ symbol: "circle", dash: "solid" },
			{ symbol: "diamond", dash: "dash" },
			{ symbol: "square", dash: "dot" },
		];
		return { colour: Figures.unitColour(s), ...FORMS[Math.floor(s / N_COLOURS) % FORMS.length] };
	}

	/** A path of links above a page's title. @param {...Node} parts */
	function crumbs(...parts) {
		const shown = parts.flatMap((part, i) => (i ? [document.createTextNode(" / "), part] : [part]));
		return el("nav", { class: "crumbs", "aria-label": "Where this page is" }, ...shown);
	}

	/** @param {Record<string, any>} facts @returns {HTMLElement} */
	function list(facts) {
		const node = el("dl", { class: "facts" });
		for (const [name, value] of Object.entries(facts)) {
			if (value === null || value === undefined || value === "") continue;
			node.append(el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value)));
		}
		return node;
	}

	/** A link for what may be an address, text for the rest. @param {string} value */
	function outward(value) {
		const safe = /^https?:\/\//.test(value);
		return safe ? el("a", { href: value, rel: "noreferrer" }, value) : document.createTextNode(value);
	}

	/** @param {string} outcome */
	const outcomeText = (outcome) => outcome.replaceAll("_", " ");

	async function render() {
		const main = document.getElementById("main");
		try {
			await show?.();
		} catch (error) {
			if (main)
				Page.fill(main, el("p", { class: "lead", role: "alert" }, `This page cannot be shown: ${error.message}`));
			document.body.dataset.failed = "yes";
			Page.drawn();
			throw error;
		}
		Page.drawn();
	}

	/** @param {{show: (main: HTMLElement) => Promise<void> | void}} page */
	function start(page) {
		const main = /** @type {HTMLElement} */ (document.getElementById("main"));
		show = () => page.show(main);
		Page.theme(document.getElementById("theme"), render);
		document.getElementById("skip")?.addEventListener("click", (event) => {
			event.preventDefault();
			main.focus();
		});
		window.addEventListener("hashchange", render);
		render();
	}

	return {
		receive,
		load,
		unpack,
		index,
		scores,
		href,
		link,
		select,
		slider,
		nameOf,
		lookOf,
		crumbs,
		list,
		outward,
		outcomeText,
		start,
	};
})();
