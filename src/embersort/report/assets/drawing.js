// @ts-check
"use strict";
/*
 * How any figure gets onto the page: colours, axes, and drawing when it comes into sight.
 */

const Drawing = (() => {
	const CONFIG = {
		displaylogo: false,
		modeBarButtons: [["toImage", "resetScale2d"]],
	};

	/** @param {string} [title] @param {Record<string, any>} [more] */
	function axis(title = "", more = {}) {
		return {
			title: { text: title, standoff: 6, font: { size: 11 } },
			gridcolor: Page.colour("grid"),
			zerolinecolor: Page.colour("line"),
			linecolor: Page.colour("line"),
			tickfont: { size: 10 },
			...more,
		};
	}

	/** @param {HTMLElement} node @param {object[]} traces @param {Record<string, any>} layout */
	function draw(node, traces, layout) {
		const whole = {
			margin: { l: 46, r: 10, t: 8, b: 38 },
			paper_bgcolor: "rgba(0,0,0,0)",
			plot_bgcolor: "rgba(0,0,0,0)",
			font: { family: "system-ui, sans-serif", size: 11, color: Page.colour("muted") },
			showlegend: false,
			hoverlabel: {
				bgcolor: Page.colour("card"),
				bordercolor: Page.colour("line"),
				font: { color: Page.colour("ink"), size: 11 },
			},
			bargap: 0,
			dragmode: "zoom",
			xaxis: axis(),
			yaxis: axis(),
			...layout,
		};
		later(node, () => {
			Plotly.react(node, traces, whole, CONFIG);
			follow(node);
		});
		return node;
	}

	/** What waits until its frame comes near the window. @type {WeakMap<Element, (() => void)[]>} */
	const waiting = new WeakMap();
	const near = new IntersectionObserver(
		(entries) => {
			for (const entry of entries) {
				if (!entry.isIntersecting) continue;
				near.unobserve(entry.target);
				for (const act of waiting.get(entry.target) || []) act();
				waiting.delete(entry.target);
			}
		},
		{ rootMargin: "400px" },
	);

	/** A page of many figures stands at once: each is drawn when it is about to be seen.
	 * @param {Element} node @param {() => void} act */
	function later(node, act) {
		waiting.set(node, [...(waiting.get(node) || []), act]);
		near.observe(node);
	}

	/** Frames grow and shrink with their row: the drawing follows. @param {HTMLElement} node */
	function follow(node) {
		if (node.dataset.followed) return;
		node.dataset.followed = "yes";
		new ResizeObserver(() => {
			if (node.isConnected && node.clientHeight) Plotly.Plots.resize(node);
		}).observe(node);
	}

	/** A figure with nothing to show says so. @param {HTMLElement} node @param {string} text */
	function empty(node, text) {
		Page.fill(node, Page.el("p", { class: "nothing" }, text));
	}

	/** @param {HTMLElement} node @param {(point: any) => void} act */
	function onClick(node, act) {
		later(node, () => {
			/** @type {any} */ (node).on("plotly_click", (event) => act(event.points[0]));
		});
	}

	/** @param {string} hex @param {number} alpha */
	function faded(hex, alpha) {
		const value = Number.parseInt(hex.slice(1), 16);
		return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${alpha})`;
	}

	/** Colours of units that lie side by side. @param {number} index */
	function unitColour(index) {
		const N_COLOURS = 8;
		return Page.colour(`unit-${index % N_COLOURS}`);
	}

	/** @returns {[number, string][]} from the page's ground to its accent */
	function ramp() {
		return [
			[0, Page.colour("ramp-0")],
			[0.25, Page.colour("ramp-1")],
			[0.6, Page.colour("ramp-2")],
			[1, Page.colour("ramp-3")],
		];
	}

	return { axis, draw, empty, onClick, faded, unitColour, ramp };
})();
