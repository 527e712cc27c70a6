// @ts-check
"use strict";
/* global Figures, Pack, Page, ReportState, ReportUnit, Table, UnitFigures */
/*
 * The views of the report, chosen by the address.
 */

const Report = (() => {
	const { el } = Page;
	const { facts } = ReportState;
	const main = /** @type {HTMLElement} */ (document.getElementById("main"));
	/** @type {Record<string, {title: string, show: () => Promise<void> | void, hidden?: boolean}>} */
	const VIEWS = {
		overview: { title: "Overview", show: overview },
		unit: { title: "Unit", show: unitPage, hidden: facts.unit_ids.length === 0 },
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
		document.body.dataset.ready = location.hash;
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

	async function overview() {
		const table = await ReportState.unitRows();
		const snr = facts.values.snr || [];
		const sorted = [...snr].filter((v) => v !== null).sort((a, b) => a - b);
		const total = Object.values(facts.timings_s).reduce((a, b) => a + b, 0);
		const tiles = el(
			"div",
			{ class: "tiles" },
			Page.tile("units", String(facts.unit_ids.length)),
			Page.tile(
				"spikes",
				Page.number(
					table.reduce((sum, row) => sum + row.n_spikes, 0),
					0,
				),
			),
			Page.tile("recording", Page.duration(facts.duration_s)),
			Page.tile("channels", String(facts.positions_um.length)),
			Page.tile("median SNR", sorted.length ? Page.number(sorted[Math.floor(sorted.length / 2)], 1) : "–"),
			total > 0 ? Page.tile("to sort", Page.duration(total), "Wall time of all stages") : el("span"),
			total > 0 ? Page.tile("times real time", Page.number(facts.duration_s / total, 1)) : el("span"),
			...(facts.truth ? truthTiles() : []),
		);
		for (const node of [...tiles.children]) if (!node.className) node.remove();
		const split = el("div", { class: "split" });
		const cards = el("div", { class: "cards", style: "margin-top:12px" });
		Page.fill(main, tiles, split, cards);
		if (!facts.unit_ids.length) {
			Page.fill(split, el("p", { class: "lead" }, "No units were found in this recording."));
			return;
		}
		probeMap(split, table);
		unitTable(split, table);
		await activity(cards, table);
		await gallery(cards, table);
	}

	function truthTiles() {
		const s = facts.truth.summary;
		return [
			Page.tile("mean accuracy", Page.number(s.accuracy), "Mean over true units with spikes"),
			Page.tile(
				"well detected",
				`${s.n_well_detected} of ${s.n_true_units}`,
				"True units with accuracy of 0.8 or more",
			),
		];
	}

	function probeMap(parent, table) {
		const { card, figure } = Page.card("Units on the probe", "Size by signal-to-noise ratio; click one to open it.", {
			tall: true,
		});
		parent.append(card);
		const size = table.map((row) => 6 + 1.1 * Math.min(14, Math.max(0, row.snr || 0)));
		UnitFigures.probe(
			figure,
			facts.positions_um,
			[
				{
					x: table.map((row) => row.x_um),
					y: table.map((row) => row.y_um),
					text: table.map(
						(row) => `unit ${row.unit_id}, SNR ${Page.number(row.snr, 1)}, ${Page.number(row.rate_hz, 1)} Hz`,
					),
					key: table.map((row) => row.unit),
					size: /** @type {any} */ (size),
					colour: table.map((row) => Figures.unitColour(row.unit)),
				},
			],
			{ click: openUnit },
		);
	}

	function unitTable(parent, table) {
		const heads = ReportState.heads();
		const state = Page.address.read();
		const node = el("div", { id: "unit-table" });
		const count = el("span", { class: "hint", role: "status" });
		const search = el("input", {
			type: "search",
			value: state.get("filter") || "",
			placeholder: "Filter: snr>5 rate<20 good",
			"aria-label": "Filter units, for example snr>5 rate<20 good",
		});
		const save = (name, kind) =>
			el(
				"button",
				{ type: "button", onclick: () => Page.download(name, ReportState.exportLabels(kind), "text/plain") },
				name,
			);
		parent.append(
			el(
				"section",
				{ class: "card" },
				el(
					"div",
					{ class: "tools" },
					search,
					count,
					el(
						"button",
						{ type: "button", onclick: () => Page.download("units.csv", Table.csv(heads, table)) },
						"units.csv",
					),
					save("labels.csv", "csv"),
					save("cluster_group.tsv", "phy"),
				),
				node,
				el(
					"p",
					{ class: "hint" },
					"Click a head to sort, a row to open its unit. Spikes, rate, refractory and presence follow the range of time.",
				),
			),
		);
		const sort = state.get("sort") || "snr";
		const grid = Table.make(node, heads, table, {
			open: (row) => openUnit(row.unit),
			height: "430px",
			sort: {
				column: heads.some((h) => h.name === sort) ? sort : "unit_id",
				dir: state.get("dir") === "asc" ? "asc" : "desc",
			},
			onSort: (column, dir) => Page.address.write({ sort: column, dir }, true),
		});
		const apply = () => {
			const test = Table.filter(search.value, heads);
			grid.setFilter((row) => test(row));
			count.textContent = `${table.filter(test).length} of ${table.length} units`;
		};
		grid.on("tableBuilt", apply);
		search.addEventListener("input", () => {
			history.replaceState(null, "", Page.address.link({ filter: search.value }));
			apply();
		});
	}

	async function activity(cards, table) {
		const pack = await Pack.open("overview");
		if (!pack) return;
		const { startS, endS } = ReportState.range();
		const rangeX = [startS, endS];
		const counts = Pack.rows(pack.arrays.counts);
		const width = facts.duration_s / counts[0].length;
		const times = counts[0].map((_, i) => (i + 0.5) * width);
		const drift = Page.card(
			"Drift raster",
			"Spikes by depth and time; darker is more. Slanted bands mean that the tissue moved.",
			{ wide: true },
		);
		const sure = table.filter((row) => typeof row.confidence === "number");
		const raster = Page.card(
			"Activity of all units",
			"Spikes in each bin, units ordered by depth (top is far along the probe), each scaled to its own largest bin.",
			{ wide: true },
		);
		const scatter = Page.card("Signal-to-noise ratio and rate", "One point per unit; click one to open it.");
		cards.append(drift.card, raster.card, scatter.card);
		if (sure.length) confidence(cards, sure);
		const edges = pack.facts.depth_edges_um;
		Figures.image(
			drift.figure,
			{
				z: Pack.rows(pack.arrays.drift_count).map((r) => r.map((v) => (v ? Math.log10(1 + v) : null))),
				x: times,
				y: edges.slice(1).map((e, i) => (e + edges[i]) / 2),
			},
			{
				x: "time, s",
				y: "y, µm",
				rangeX,
				colours: Figures.ramp()
					.slice(1)
					.map(([, c], i) => /** @type {[number, string]} */ ([i / 2, c])),
				hover: "%{x:.1f} s, %{y:.0f} µm<extra></extra>",
			},
		);
		const order = table.map((row) => row.unit).sort((a, b) => facts.values.y_um[a] - facts.values.y_um[b]);
		Figures.image(
			raster.figure,
			{
				z: order.map((u) => counts[u].map((c) => c / Math.max(1, ...counts[u]))),
				x: times,
				text: order.map((u) => counts[u].map((c) => `unit ${facts.unit_ids[u]}: ${c}`)),
			},
			{
				x: "time, s",
				y: "unit, by depth",
				rangeX,
				hover: "%{x:.1f} s, %{text} spikes<extra></extra>",
				click: (point) => openUnit(order[point.pointIndex[0]]),
			},
		);
		Figures.points(
			scatter.figure,
			[
				{
					x: table.map((r) => r.snr),
					y: table.map((r) => r.rate_hz),
					text: table.map((r) => `unit ${r.unit_id}`),
					key: table.map((r) => r.unit),
					colour: table.map((r) => Figures.unitColour(r.unit)),
					size: 8,
				},
			],
			{ x: "SNR", y: "rate, Hz", click: openUnit },
		);
	}

	function confidence(cards, rows) {
		const { card, figure } = Page.card(
			"Confidence of the units",
			"Units ordered by confidence: how many can be trusted as they are, how many deserve a look. Click one to open it.",
		);
		cards.append(card);
		const sorted = [...rows].sort((a, b) => b.confidence - a.confidence);
		Figures.points(
			figure,
			[
				{
					x: sorted.map((_, i) => i + 1),
					y: sorted.map((r) => r.confidence),
					text: sorted.map((r) => `unit ${r.unit_id}: ${Page.number(r.confidence)}`),
					key: sorted.map((r) => r.unit),
					colour: sorted.map((r) => Figures.unitColour(r.unit)),
					size: 7,
				},
			],
			{ x: "units", y: "confidence", rangeY: [0, 1.05], click: openUnit },
		);
	}

	/** Every unit's template at its peak channel, drawn small. */
	async function gallery(cards, table) {
		const pack = await Pack.open("overview");
		if (!pack?.arrays.peak_wave) return;
		const waves = Pack.rows(pack.arrays.peak_wave);
		const low = Math.min(...waves.map((w) => Math.min(...w)));
		const high = Math.max(...waves.map((w) => Math.max(...w)));
		const items = table.map((row) =>
			el(
				"a",
				{
					href: Page.address.link({ view: "unit", unit: row.unit_id }),
					title: `Unit ${row.unit_id}, SNR ${Page.number(row.snr, 1)}`,
				},
				Page.sparkline(waves[row.unit], low, high, `var(--unit-${row.unit % 8})`),
				el("span", {}, row.unit_id),
			),
		);
		cards.append(
			el(
				"section",
				{ class: "card full" },
				el("header", {}, el("h3", {}, "Units at a glance")),
				el("div", { class: "gallery" }, ...items),
				el("p", { class: "hint" }, "Template at the peak channel, all on one scale."),
			),
		);
	}

	async function unitPage() {
		const asked = Number(Page.address.read().get("unit"));
		const unit = Math.max(0, facts.unit_ids.indexOf(asked));
		await ReportUnit.show(main, unit, await ReportState.unitRows());
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
			"Stretches of the recording inside the range of time, channels in order of depth; a triangle marks each spike on its unit's peak channel, in the unit's colour.",
			{ controls },
		);
		figure.style.height = `${Math.max(360, Math.min(900, pack.facts.channels.length * 22))}px`;
		Page.fill(main, card);
		const units = Array.from(pack.arrays[`unit_${window}`].values);
		const spikes = Array.from(pack.arrays[`spike_${window}`].values).map((sample, i) => ({
			sample,
			channelRow: pack.facts.channels.indexOf(facts.values.peak_channel?.[units[i]]),
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
			},
			spikes.filter((s) => s.channelRow >= 0),
		);
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
				el(
					"section",
					{ class: "card wide" },
					el("header", {}, el("h3", {}, "Version, parameters, machine")),
					el("pre", { tabindex: 0 }, JSON.stringify(facts.provenance, null, 2)),
				),
			),
		);
	}

	/** @param {KeyboardEvent} event */
	function onKey(event) {
		const inField = /** @type {Element} */ (event.target).closest?.("input,select,textarea,.tabulator");
		if (inField || viewName() !== "unit" || event.ctrlKey || event.altKey || event.metaKey) return;
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
