// @ts-check
"use strict";
/*
 * The views of the report, chosen by the address.
 */

const Report = (() => {
	const { el } = Page;
	const { facts } = ReportState;
	const main = /** @type {HTMLElement} */ (document.getElementById("main"));
	/** @type {Record<string, {title: string, show: () => Promise<void> | void, hidden?: boolean}>} */
	const VIEWS = {
		overview: { title: "Overview", show: () => ReportOverview.show(main, openUnit) },
		unit: { title: "Unit", show: unitPage, hidden: facts.unit_ids.length === 0 },
		pairs: { title: "Merges", show: pairs, hidden: facts.unit_ids.length < 2 },
		traces: { title: "Traces", show: traces, hidden: !facts.has_traces },
		truth: { title: "Against the truth", show: truth, hidden: !facts.truth },
		run: { title: "Run", show: run },
	};

	const viewName = () => {
		const name = Page.address.read().get("view") || "overview";
		return name in VIEWS && !VIEWS[name].hidden ? name : "overview";
	};

	const openUnit = (unit) => Page.address.write({ view: "unit", unit: facts.unit_ids[unit] });

	async function render() {
		const name = viewName();
		const links = Object.entries(VIEWS)
			.filter(([, view]) => !view.hidden)
			.map(([key, view]) =>
				el("a", { href: Page.address.link({ view: key }), "aria-current": key === name ? "page" : null }, view.title),
			);
		Page.fill(/** @type {HTMLElement} */ (document.getElementById("nav")), ...links);
		timeRange();
		await VIEWS[name].show();
		Page.drawn();
	}

	/** The two sliders of the range of time. */
	function timeRange() {
		const node = /** @type {HTMLElement} */ (document.getElementById("range"));
		const { from, to, startS, endS } = ReportState.range();
		const slider = (label, value, low, high, change) =>
			el("input", {
				type: "range",
				min: low,
				max: high,
				step: 1,
				value,
				"aria-label": label,
				onchange: (event) => change(Number(event.target.value)),
			});
		Page.fill(
			node,
			el("span", {}, "Time"),
			slider("Start of the range of time", from, 0, ReportState.N_BLOCKS - 1, (v) =>
				Page.address.write({ from: v || null, to: Math.max(v + 1, to) }, true),
			),
			slider("End of the range of time", to, 1, ReportState.N_BLOCKS, (v) =>
				Page.address.write({ to: v, from: Math.min(from, v - 1) || null }, true),
			),
			el("output", {}, `${Page.number(startS, 1)}–${Page.number(endS, 1)} s`),
		);
	}

	async function unitPage() {
		const asked = Number(Page.address.read().get("unit"));
		const unit = Math.max(0, facts.unit_ids.indexOf(asked));
		await ReportUnit.show(main, unit, await ReportState.unitRows());
	}

	async function pairs() {
		await ReportPairs.show(main, await ReportState.unitRows());
	}

	async function traces() {
		const pack = await Pack.open("traces");
		if (!pack) return;
		const state = Page.address.read();
		const { startS, endS } = ReportState.range();
		const starts = pack.facts.start_s;
		const inside = starts.map((_, i) => i).filter((i) => starts[i] >= startS && starts[i] < endS);
		const window = inside.includes(Number(state.get("window"))) ? Number(state.get("window")) : (inside[0] ?? 0);
		const kind = state.get("traces") === "raw" ? "raw" : "filtered";
		const times = (inside.length ? inside : [window]).map(
			(i) => /** @type {[string, string]} */ ([String(i), `${Page.number(starts[i], 1)} s`]),
		);
		const controls = el(
			"div",
			{ class: "tools" },
			Page.choice(times, String(window), (v) => Page.address.write({ window: v }, true), "Stretch of the recording"),
			Page.choice(
				[
					["filtered", "filtered"],
					["raw", "raw"],
				],
				kind,
				(v) => Page.address.write({ traces: v }, true),
				"Traces",
			),
		);
		const { card, figure } = Page.card(
			"Traces with spikes",
			`Stretches of the recording inside the range of time, channels in order of depth (${thinned(pack)}). Each spike is coloured on its own samples, on the channels where its unit is largest, in the unit's colour.`,
			{ controls },
		);
		figure.style.minHeight = `${Math.max(360, Math.min(900, pack.facts.channels.length * 22))}px`;
		Page.fill(main, card);
		const units = Array.from(pack.arrays[`unit_${window}`].values);
		const spikes = Array.from(pack.arrays[`spike_${window}`].values).map((sample, i) => ({
			sample,
			rows: UnitFigures.rowsOf(facts.reach[units[i]], pack.facts.channels, facts.positions_um),
			colour: Figures.unitColour(units[i]),
			text: `unit ${facts.unit_ids[units[i]]}`,
		}));
		UnitFigures.traces(
			figure,
			{
				traces: Pack.rows(pack.arrays[`${kind}_${window}`]),
				startS: starts[window],
				rateHz: facts.sampling_rate_hz,
				channels: pack.facts.channels,
				depthUm: pack.facts.channels.map((c) => facts.positions_um[c][1]),
				masked: facts.masked_s,
			},
			spikes,
		);
	}

	/** @param {{facts: Record<string, any>}} pack */
	function thinned(pack) {
		const [shown, all] = [pack.facts.channels.length, pack.facts.n_channels];
		return shown < all ? `${shown} of ${all}, evenly spread: the page has room for no more` : `all ${all}`;
	}

	async function truth() {
		await ReportTruth.show(main, openUnit);
	}

	function run() {
		const times = el("dl", { class: "facts" });
		for (const [stage, seconds] of Object.entries(facts.timings_s))
			times.append(el("dt", {}, stage), el("dd", {}, Page.duration(seconds)));
		Page.fill(
			main,
			el(
				"div",
				{ class: "cards" },
				el("section", { class: "card" }, el("header", {}, el("h3", {}, "Time of each stage")), times),
				maskedCard(),
				el(
					"section",
					{ class: "card wide" },
					el("header", {}, el("h3", {}, "Version, parameters, machine")),
					el("pre", { tabindex: 0 }, JSON.stringify(facts.provenance, null, 2)),
				),
			),
		);
	}

	/** What was masked as artefact, and when. */
	function maskedCard() {
		const stretches = facts.masked_s;
		const list = el(
			"ul",
			{},
			...stretches.map(([from, to]) => el("li", {}, `${Page.number(from, 3)}–${Page.number(to, 3)} s`)),
		);
		const text = "Nothing was masked as artefact.";
		return el(
			"section",
			{ class: "card" },
			el("header", {}, el("h3", {}, "Masked stretches")),
			stretches.length ? el("div", { class: "pairs" }, list) : el("p", { class: "hint" }, text),
		);
	}

	/** @param {KeyboardEvent} event */
	function onKey(event) {
		const inField = /** @type {Element} */ (event.target).closest?.("input,select,textarea,.tabulator");
		if (inField || event.ctrlKey || event.altKey || event.metaKey) return;
		if (viewName() === "pairs" && ReportPairs.onKey(event)) event.preventDefault();
		if (viewName() !== "unit") return;
		const step = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
		if (step) /** @type {HTMLElement | null} */ (main.querySelector(`a[rel=${step}]`))?.click();
	}

	function start() {
		Page.theme(document.getElementById("theme"), render);
		document.getElementById("skip")?.addEventListener("click", (event) => {
			event.preventDefault();
			main.focus();
		});
		window.addEventListener("hashchange", render);
		document.addEventListener("keydown", onKey);
		render();
	}

	return { start };
})();
