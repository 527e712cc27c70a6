// @ts-check
"use strict";
/*
 * The home page: study set → study → recording by sorter.
 */

const IndexPage = (() => {
	const { el } = Page;
	const SHOWN = {
		mean: "mean",
		median: "median",
		count: "units above threshold",
		fraction: "fraction above threshold",
		wall: "run time, s",
		cpu: "processor time, s",
		memory: "peak memory, MiB",
		failures: "failed runs",
	};
	const CHANNELS = { any: [0, Infinity], "1–4": [1, 4], "5–16": [5, 16], "17–64": [17, 64], "65–": [65, Infinity] };
	/** Larger is worse. */
	const COSTLY = ["wall", "cpu", "memory", "failures"];

	function state() {
		const query = Page.address.read();
		const among = (name, values, usual) => (values.includes(query.get(name) || "") ? query.get(name) || usual : usual);
		return {
			rule: among("rule", ["one_to_one", "spikeforest"], "one_to_one"),
			metric: among("metric", ["accuracy", "precision", "recall", "f1"], "accuracy"),
			show: among("show", Object.keys(SHOWN), "mean"),
			snr: Number(query.get("snr") || 0) || 0,
			threshold: Number(query.get("threshold") ?? 0.8),
			kind: query.get("kind") || "",
			region: query.get("region") || "",
			probe: query.get("probe") || "",
			channels: query.get("channels") || "any",
			failuresAsZero: query.get("failures") === "zero",
			open: new Set((query.get("open") || "").split(" ").filter(Boolean)),
			a: query.get("a"),
			b: query.get("b"),
		};
	}

	/** @param {HTMLElement} main */
	async function show(main) {
		const chosen = state();
		const index = await Site.index();
		const scores = await Site.scores(chosen.rule, chosen.metric);
		const view = { index, scores, ...chosen };
		const recordings = filtered(index, chosen);
		const focus = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.key;
		const nUnits = recordings.reduce((sum, r) => sum + index.recordings[r].n_units, 0);
		Page.fill(
			main,
			el("h1", {}, "How well do spike sorters do?"),
			el(
				"p",
				{ class: "lead" },
				`${index.sorters.length} sorters on ${recordings.length} recordings with ${nUnits.toLocaleString("en-GB")} true units. Open a study set, a study, a recording, a unit; every number leads to what it was computed from.`,
			),
			controls(index, chosen),
			table(view, recordings),
			PairedPanel.make(view, recordings),
		);
		if (focus) /** @type {HTMLElement | null} */ (main.querySelector(`[data-key="${CSS.escape(focus)}"]`))?.focus();
	}

	/** @param {any} index @param {ReturnType<typeof state>} chosen @returns {number[]} */
	function filtered(index, chosen) {
		const [low, high] = CHANNELS[chosen.channels] || CHANNELS.any;
		return index.recordings.flatMap((recording, r) => {
			const fits =
				(!chosen.kind || recording.kind === chosen.kind) &&
				(!chosen.region || recording.region === chosen.region) &&
				(!chosen.probe || recording.probe === chosen.probe) &&
				(chosen.channels === "any" || (recording.n_channels >= low && recording.n_channels <= high));
			return fits ? [r] : [];
		});
	}

	function controls(index, chosen) {
		const values = (name) => [...new Set(index.recordings.map((r) => r[name]).filter(Boolean))].sort();
		const any = (name, word) => /** @type {[string, string][]} */ ([["", word], ...values(name).map((v) => [v, v])]);
		const filters = ["kind", "probe", "region"].filter((name) => values(name).length > 1);
		return el(
			"div",
			{ class: "controls" },
			Site.select("Show", "show", Object.entries(SHOWN), chosen.show),
			Site.select(
				"of",
				"metric",
				[
					["accuracy", "accuracy"],
					["precision", "precision"],
					["recall", "recall"],
					["f1", "F1"],
				],
				chosen.metric,
			),
			Site.select(
				"Matching",
				"rule",
				[
					["one_to_one", "one to one, 0.4 ms"],
					["spikeforest", "best match, 1 ms"],
				],
				chosen.rule,
			),
			Site.slider("SNR at least", "snr", chosen.snr, { min: 0, max: 30, step: 0.5, decimals: 1 }),
			Site.slider("Threshold", "threshold", chosen.threshold, { min: 0, max: 1, step: 0.05, decimals: 2 }),
			Site.select(
				"Failed runs",
				"failures",
				[
					["", "left out"],
					["zero", "count as 0"],
				],
				chosen.failuresAsZero ? "zero" : "",
			),
			...filters.map((name) =>
				Site.select(name[0].toUpperCase() + name.slice(1), name, any(name, "any"), chosen[name]),
			),
			Site.select(
				"Channels",
				"channels",
				Object.keys(CHANNELS).map((k) => [k, k]),
				chosen.channels,
			),
		);
	}

	function table(view, recordings) {
		const { index } = view;
		const head = el(
			"tr",
			{},
			el("th", { scope: "col" }, "Study set"),
			...index.sorters.map((s) =>
				el(
					"th",
					{ scope: "col", class: s.is_reference ? "reference" : null },
					Site.link("sorter", { name: s.key }, s.title || s.name),
					el("span", { class: "version" }, s.version),
				),
			),
		);
		const body = el("tbody", {});
		const largest = COSTLY.includes(view.show) || view.show === "count" ? null : 1;
		body.append(row(view, recordings, "All recordings", { level: 0, key: "all" }, largest));
		for (const [set, studies] of Scoring.tree(index, recordings)) {
			const inSet = [...studies.values()].flat();
			const open = view.open.has(set);
			body.append(row(view, inSet, set, { level: 1, key: set, open, page: { set } }, largest));
			if (!open) continue;
			for (const [study, inStudy] of studies) {
				const key = `${set}/${study}`;
				const openStudy = view.open.has(key);
				body.append(row(view, inStudy, study, { level: 2, key, open: openStudy, page: { set, study } }, largest));
				if (openStudy)
					for (const r of inStudy)
						body.append(
							row(
								view,
								[r],
								index.recordings[r].title,
								{ level: 3, key: index.recordings[r].name, recording: r },
								largest,
							),
						);
			}
		}
		const csv = el(
			"button",
			{ type: "button", onclick: () => Page.download("results.csv", asCsv(view, recordings)) },
			"this table as CSV",
		);
		return el(
			"div",
			{ class: "card" },
			el(
				"div",
				{ class: "heat", tabindex: 0, role: "region", "aria-label": "Scores by study set and sorter" },
				el("table", { id: "heat" }, el("caption", {}, caption(view)), el("thead", {}, head), body),
			),
			el("div", { class: "tools" }, csv),
		);
	}

	function caption(view) {
		const unit =
			view.show === "mean"
				? "mean over recordings of the mean over true units"
				: view.show === "median"
					? "median over true units"
					: SHOWN[view.show];
		const metric = COSTLY.includes(view.show) ? "" : ` of ${view.metric}`;
		const above = view.snr > 0 ? `, units with SNR of at least ${Page.number(view.snr, 1)}` : "";
		const threshold = ["count", "fraction"].includes(view.show)
			? ` (${view.metric} at least ${Page.number(view.threshold)})`
			: "";
		return `${unit}${metric}${threshold}${above}. Small: recordings with a result / recordings.`;
	}

	function row(view, recordings, name, place, largest) {
		const cells = view.index.sorters.map((_, s) => Scoring.cell(view, recordings, s));
		const top = largest ?? Math.max(1e-9, ...cells.map((c) => c.value || 0));
		return el(
			"tr",
			{ class: `level-${place.level}`, "data-row": place.key },
			head(view, name, place),
			...cells.map((c, s) => cell(view, c, recordings, s, top, place)),
		);
	}

	function head(view, name, place) {
		const toggle = () => {
			const open = new Set(view.open);
			if (open.has(place.key)) open.delete(place.key);
			else open.add(place.key);
			Page.address.write({ open: [...open].join(" ") });
		};
		const button =
			"open" in place
				? el(
						"button",
						{
							class: "twist",
							type: "button",
							"aria-expanded": String(place.open),
							"aria-label": `${place.open ? "Close" : "Open"} ${name}`,
							"data-key": place.key,
							onclick: toggle,
						},
						place.open ? "▾" : "▸",
					)
				: null;
		const text =
			place.recording !== undefined
				? Site.link("recording", { name: view.index.recordings[place.recording].name }, name)
				: place.page
					? Site.link("study", place.page, name)
					: name;
		return el("th", { scope: "row" }, button, text);
	}

	function cell(view, c, recordings, s, top, place) {
		const costly = COSTLY.includes(view.show);
		const decimals = ["mean", "median", "fraction"].includes(view.show) ? 2 : 0;
		const outcome = view.index.outcomes[view.index.outcome[recordings[0]]?.[s]];
		const failedText =
			place.level === 3 && c.value === null ? (outcome === "not_run" ? "" : Site.outcomeText(outcome)) : null;
		const linear = c.value === null ? 0 : Math.max(0, Math.min(1, c.value / top));
		// Most scores lie high: the square tells 0.7 from 0.9.
		const share = costly ? linear : linear ** 2;
		const style = c.value === null ? null : `--share:${(share * 100).toFixed(1)}%`;
		const content = failedText ?? (c.value === null ? "–" : Page.number(c.value, decimals));
		const value =
			place.recording !== undefined && outcome !== "not_run"
				? Site.link(
						"result",
						{ recording: view.index.recordings[place.recording].name, sorter: view.index.sorters[s].key },
						content,
					)
				: content;
		const node = el(
			"td",
			{
				class: `${costly ? "cost" : "score"}${failedText ? " failed" : ""}`,
				style,
				"data-value": c.value ?? "",
				"data-sorter": view.index.sorters[s].key,
			},
			el("span", { class: "value" }, value),
			place.level < 3 ? el("span", { class: "cover" }, `${c.n}/${c.of}`) : null,
			c.failed && place.level < 3 ? el("span", { class: "fails", title: `${c.failed} failed` }, `✕${c.failed}`) : null,
		);
		node.addEventListener("pointerenter", () => explain(node, view, c), { once: true });
		return node;
	}

	/** Intervals are computed when they are asked for. */
	function explain(node, view, c) {
		const range = view.show === "mean" ? Scoring.interval(c.parts) : null;
		const parts = [`${c.n} of ${c.of} recordings`];
		if (c.units) parts.push(`${c.units} units`);
		if (c.failed) parts.push(`${c.failed} failed`);
		node.title = `${c.value === null ? "no result" : Page.number(c.value, 3)}${range ? ` [${Page.number(range[0], 3)}, ${Page.number(range[1], 3)}] (95 %, over recordings)` : ""}; ${parts.join(", ")}`;
	}

	function asCsv(view, recordings) {
		const rows = [...recordings].map((r) => [
			view.index.recordings[r].name,
			...view.index.sorters.map((_, s) => Scoring.cell(view, [r], s).value),
		]);
		return Page.separated([["recording", ...view.index.sorters.map((s) => s.key)], ...rows]);
	}

	return { show };
})();
