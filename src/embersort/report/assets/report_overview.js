// @ts-check
"use strict";
/*
 * The report's first view: what was found, where, and when.
 */

const ReportOverview = (() => {
	const { el } = Page;
	const { facts } = ReportState;
	/** @type {(unit: number) => void} */
	let openUnit = () => {};

	/** @param {HTMLElement} main @param {(unit: number) => void} open */
	async function show(main, open) {
		openUnit = open;
		const table = await ReportState.unitRows();
		const snr = facts.values.snr || [];
		const sorted = [...snr].filter((v) => v !== null).sort((a, b) => a - b);
		const stages = Object.values(facts.timings_s);
		const total = facts.timings_s.total ?? stages.reduce((a, b) => a + b, 0);
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
			facts.pairs.length
				? Page.tile(
						"suggested merges",
						el("a", { href: Page.address.link({ view: "pairs" }) }, String(facts.pairs.length)),
						"Pairs of units that look alike and keep each other's refractory period",
					)
				: el("span"),
			facts.masked_s.length
				? Page.tile(
						"masked",
						Page.duration(maskedS()),
						"Stretches with artefacts, left out of the sort; listed under Run",
					)
				: el("span"),
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

	const maskedS = () => facts.masked_s.reduce((sum, [from, to]) => sum + to - from, 0);

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
			placeholder: "Filter: snr > 5 rate < 20 good",
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
					el("button", { type: "button", onclick: () => ReportState.saveCuration() }, "curation.json"),
				),
				node,
				el(
					"p",
					{ class: "hint" },
					"Click a head to sort, a row to open its unit; scroll sideways for more columns. Spikes, rate, refractory and presence follow the range of time.",
				),
			),
		);
		const sort = state.get("sort") || "snr";
		const shown = heads.filter((head) => !head.is_detail);
		const grid = Table.make(node, shown, table, {
			open: (row) => openUnit(row.unit),
			height: "430px",
			sort: {
				column: heads.some((h) => h.name === sort) ? sort : "unit_id",
				dir: state.get("dir") === "asc" ? "asc" : "desc",
			},
			onSort: (column, dir) => Page.address.note({ sort: column, dir }),
		});
		const apply = () => {
			const test = Table.filter(search.value, heads);
			grid.setFilter((row) => test(row));
			const unknown = Table.unknownNames(search.value, heads);
			count.textContent = unknown.length
				? `no column is called ${unknown.join(", ")}`
				: `${table.filter(test).length} of ${table.length} units`;
			count.classList.toggle("warn", unknown.length > 0);
		};
		grid.on("tableBuilt", apply);
		search.addEventListener("input", () => {
			Page.address.note({ filter: search.value });
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
		const sure = table.filter((row) => typeof row.predicted_accuracy === "number");
		const raster = Page.card(
			"Activity of all units",
			"Spikes in each bin, units ordered by depth (top is far along the probe), each scaled to its own largest bin.",
			{ wide: true },
		);
		const scatter = Page.card("Signal-to-noise ratio and rate", "One point per unit; click one to open it.");
		ReportDrift.show(cards, pack);
		cards.append(raster.card, scatter.card);
		if (sure.length) confidence(cards, sure);
		const order = table.map((row) => row.unit).sort((a, b) => facts.values.y_um[a] - facts.values.y_um[b]);
		Figures.image(
			raster.figure,
			{
				z: order.map((u) => {
					const largest = Math.max(1, ...counts[u]);
					return counts[u].map((c) => c / largest);
				}),
				x: times,
				y: order.map((u) => `unit ${facts.unit_ids[u]}`),
			},
			{
				x: "time, s",
				y: "units, by depth",
				rangeX,
				names: true,
				hover: "%{x:.1f} s, %{y}: %{z:.2f} of its largest bin<extra></extra>",
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
		const clean = Page.card(
			"Rate and refractory violations",
			"Many short intervals mean that a unit holds more than one neuron, or noise. Follows the range of time.",
		);
		cards.append(clean.card);
		Figures.points(
			clean.figure,
			[
				{
					x: table.map((r) => r.rate_hz),
					y: table.map((r) => r.refractory_fraction),
					text: table.map((r) => `unit ${r.unit_id}: ${Page.number(r.refractory_fraction)} %`),
					key: table.map((r) => r.unit),
					colour: table.map((r) => Figures.unitColour(r.unit)),
					size: 8,
				},
			],
			{ x: "rate, Hz", y: "short intervals, %", click: openUnit },
		);
	}

	function confidence(cards, rows) {
		const { card, figure } = Page.card(
			"Confidence of the units",
			"Units ordered by predicted accuracy, with its 90 % interval: how many can be trusted as they are, how many deserve a look. Click one to open it.",
		);
		cards.append(card);
		const sorted = [...rows].sort((a, b) => b.predicted_accuracy - a.predicted_accuracy);
		const ends = sorted.every((r) => typeof r.predicted_accuracy_low === "number");
		Figures.points(
			figure,
			[
				{
					x: sorted.map((_, i) => i + 1),
					y: sorted.map((r) => r.predicted_accuracy),
					low: ends ? sorted.map((r) => r.predicted_accuracy_low) : undefined,
					high: ends ? sorted.map((r) => r.predicted_accuracy_high) : undefined,
					text: sorted.map((r) => `unit ${r.unit_id}: ${Page.number(r.predicted_accuracy)}`),
					key: sorted.map((r) => r.unit),
					colour: sorted.map((r) => Figures.unitColour(r.unit)),
					size: 7,
				},
			],
			{ x: "units", y: "predicted accuracy", rangeY: [0, 1.05], click: openUnit },
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

	return { show };
})();
