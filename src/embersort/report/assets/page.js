// @ts-check
"use strict";
/*
 * What every page needs: elements, numbers, the address, light and dark, downloads.
 */

const Page = (() => {
	/**
	 * Make an element. Text is always text: no value of a recording becomes markup.
	 * @param {string} tag
	 * @param {Record<string, any>} [attributes] `on…` are listeners, `class` and `data-…` as in HTML
	 * @param {...(Node | string | number | null | undefined | false)} children
	 * @returns {any}
	 */
	function el(tag, attributes = {}, ...children) {
		const node = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes)) {
			if (value === null || value === undefined || value === false) continue;
			if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
			else node.setAttribute(name, value === true ? "" : String(value));
		}
		for (const child of children) {
			if (child === null || child === undefined || child === false) continue;
			node.append(child instanceof Node ? child : String(child));
		}
		return node;
	}

	/** @param {Element} node @param {...Node} children */
	function fill(node, ...children) {
		node.replaceChildren(...children);
	}

	/** Making a format is slow, using one is not. @type {Map<number, Intl.NumberFormat>} */
	const formats = new Map();

	/** @param {number | null | undefined} value @param {number} [decimals] */
	function number(value, decimals = 2) {
		if (value === null || value === undefined || !Number.isFinite(value)) return "–";
		let format = formats.get(decimals);
		if (!format) {
			format = new Intl.NumberFormat("en-GB", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
			formats.set(decimals, format);
		}
		return format.format(value);
	}

	/** @param {number} seconds */
	function duration(seconds) {
		if (!Number.isFinite(seconds)) return "–";
		if (seconds < 100) return `${number(seconds, seconds < 10 ? 2 : 1)} s`;
		const minutes = seconds / 60;
		return minutes < 100 ? `${number(minutes, 1)} min` : `${number(minutes / 60, 1)} h`;
	}

	/** The state kept in the address, so that a link shows what its sender saw. */
	const address = {
		/** @returns {URLSearchParams} */
		read: () => new URLSearchParams(location.hash.slice(1)),
		/** @param {Record<string, any>} changes null removes @returns {string} */
		link(changes) {
			const state = address.read();
			for (const [name, value] of Object.entries(changes))
				if (value === null || value === undefined || value === "") state.delete(name);
				else state.set(name, String(value));
			return `#${state}`;
		},
		/** Keep a change in the address that the page has made already. @param {Record<string, any>} changes */
		note(changes) {
			history.replaceState(null, "", address.link(changes));
		},
		/** @param {Record<string, any>} changes @param {boolean} [keepHistory] */
		write(changes, keepHistory = false) {
			const next = address.link(changes);
			if (next === location.hash) return;
			if (keepHistory) history.replaceState(null, "", next);
			else history.pushState(null, "", next);
			window.dispatchEvent(new HashChangeEvent("hashchange"));
		},
	};

	/** Say that the view of the present address stands: `data-drawn` counts the views. */
	function drawn() {
		document.body.dataset.drawn = String(Number(document.body.dataset.drawn || 0) + 1);
	}

	/** @param {string} name of a CSS variable @returns {string} */
	function colour(name) {
		return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
	}

	/** @returns {boolean} */
	function isDark() {
		return colour("scheme") === "dark";
	}

	/** Put the light/dark button to work. @param {HTMLElement | null} button @param {() => void} redraw */
	function theme(button, redraw) {
		const root = document.documentElement;
		try {
			const kept = localStorage.getItem("embersort-theme");
			if (kept) root.dataset.theme = kept;
		} catch {
			// A page opened from a file may have no storage; the system's choice then stands.
		}
		button?.addEventListener("click", () => {
			root.dataset.theme = isDark() ? "light" : "dark";
			try {
				localStorage.setItem("embersort-theme", root.dataset.theme);
			} catch {
				// As above.
			}
			redraw();
		});
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
	}

	/** @param {string} name @param {string} text @param {string} [type] */
	function download(name, text, type = "text/csv") {
		const url = URL.createObjectURL(new Blob([text], { type }));
		const link = el("a", { href: url, download: name });
		document.body.append(link);
		link.click();
		link.remove();
		URL.revokeObjectURL(url);
	}

	/** @param {(string | number | null | undefined)[][]} rows @param {string} [separator] */
	function separated(rows, separator = ",") {
		const cell = (value) => {
			const text = value === null || value === undefined ? "" : String(value);
			return /["\n\r]/.test(text) || text.includes(separator) ? `"${text.replaceAll('"', '""')}"` : text;
		};
		return `${rows.map((row) => row.map(cell).join(separator)).join("\n")}\n`;
	}

	/**
	 * A figure in its frame.
	 * @param {string} title
	 * @param {string} hint what the figure shows and how to read it
	 * @param {{wide?: boolean, tall?: boolean, controls?: Node}} [options]
	 * @returns {{card: HTMLElement, figure: HTMLElement}}
	 */
	function card(title, hint, options = {}) {
		const figure = el("div", { class: "figure", role: "img", "aria-label": `${title}. ${hint}` });
		const size = `${options.wide ? " wide" : ""}${options.tall ? " tall" : ""}`;
		const frame = el(
			"section",
			{ class: `card${size}` },
			el("header", {}, el("h3", { title: hint }, title), options.controls),
			figure,
			el("p", { class: "hint" }, hint),
		);
		return { card: frame, figure };
	}

	/** @param {string} label @param {string | Node} value @param {string} [note] */
	function tile(label, value, note = "") {
		return el(
			"div",
			{ class: "tile", title: note || null },
			el("span", { class: "tile-value" }, value),
			el("span", { class: "tile-label" }, label),
		);
	}

	/**
	 * A small line without axes.
	 * @param {number[]} values @param {number} low @param {number} high @param {string} stroke
	 */
	function sparkline(values, low, high, stroke) {
		const [WIDTH, HEIGHT] = [60, 40];
		const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
		svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
		svg.setAttribute("aria-hidden", "true");
		const line = document.createElementNS(svg.namespaceURI || "", "polyline");
		const swing = high - low || 1;
		const place = (v, i) =>
			`${((i / Math.max(1, values.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 2 - ((v - low) / swing) * (HEIGHT - 4)).toFixed(1)}`;
		line.setAttribute("points", values.map(place).join(" "));
		line.setAttribute("style", `fill:none;stroke:${stroke};stroke-width:1.4`);
		svg.append(line);
		return svg;
	}

	/** Buttons of which one is pressed. @param {[string, string][]} choices @param {string} chosen
	 * @param {(value: string) => void} choose @param {string} label */
	function choice(choices, chosen, choose, label) {
		const buttons = choices.map(([value, text]) =>
			el("button", { type: "button", "aria-pressed": String(value === chosen), onclick: () => choose(value) }, text),
		);
		return el("div", { class: "choice", role: "group", "aria-label": label }, ...buttons);
	}

	return {
		el,
		fill,
		number,
		duration,
		address,
		drawn,
		colour,
		isDark,
		theme,
		download,
		separated,
		card,
		tile,
		sparkline,
		choice,
	};
})();
