// @ts-check
"use strict";
/*
 * The report's view of the truth, where it is known.
 */

const ReportTruth = (() => {
	const { el } = Page;
	const { facts } = ReportState;

	/** @param {HTMLElement} main @param {(unit: number) => void} openUnit */
	async function show(main, openUnit) {
		const truth = facts.truth;
		const s = truth.summary;
		const tiles = el(
			"div",
			{ class: "tiles" },
			Page.tile("mean accuracy", Page.number(s.accuracy)),
			Page.tile("mean precision", Page.number(s.precision)),
			Page.tile("mean recall", Page.number(s.recall)),
			Page.tile("well detected", `${s.n_well_detected} of ${s.n_true_units}`, "Accuracy of 0.8 or more"),
			Page.tile("false positive units", String(s.n_false_positive)),
			Page.tile("redundant units", String(s.n_redundant)),
			Page.tile("over-merged units", String(s.n_overmerged)),
		);
		const cards = el("div", { class: "cards" });
		const lead = `${truth.rule === "one_to_one" ? "One found unit for one true unit" : "Best found unit for each true unit"}, spikes matched within ${truth.tolerance_samples} samples. Accuracy = matched / (true + found − matched). Spikes of the whole recording, whatever the range of time.`;
		Page.fill(main, el("p", { class: "lead" }, lead), tiles, cards);
		accuracy(cards, openUnit);
		ordered(cards);
		balance(cards, openUnit);
		if (truth.reliability) reliability(cards);
		if (facts.values.predicted_accuracy) predicted(cards, openUnit);
		await confusion(cards);
		table(cards, openUnit);
	}

	/** SNR of a true unit, or of the found unit that answers it. @param {number} index */
	function snrOf(index) {
		if (facts.truth.snr) return facts.truth.snr[index];
		const found = facts.truth.matched[index];
		return found >= 0 ? (facts.values.snr?.[found] ?? null) : null;
	}

	function accuracy(cards, openUnit) {
		const { truth } = facts;
		const own = truth.snr ? "of the true unit" : "of the matched found unit; true units without match stand at 0";
		const { card, figure } = Page.card(
			"Accuracy against signal-to-noise ratio",
			`One point per true unit; the ratio is that ${own}. Click one to open the found unit.`,
			{ wide: true },
		);
		cards.append(card);
		const score = truth.scores.accuracy;
		const at = (keep) => truth.ids.map((_, i) => i).filter(keep);
		const group = (indices, colour, symbol, label) => ({
			x: indices.map((i) => snrOf(i) ?? 0),
			y: indices.map((i) => score[i]),
			text: indices.map(
				(i) => `true unit ${truth.ids[i]}: accuracy ${Page.number(score[i])}, ${truth.n_spikes[i]} spikes`,
			),
			key: indices.map((i) => truth.matched[i]),
			colour,
			symbol,
			name: label,
			size: 8,
		});
		Figures.points(
			figure,
			[
				group(
					at((i) => truth.matched[i] >= 0),
					Page.colour("ember"),
					"circle",
					"matched",
				),
				group(
					at((i) => truth.matched[i] < 0),
					Page.colour("muted"),
					"circle-open",
					"no unit found",
				),
			],
			{
				x: "SNR",
				y: "accuracy",
				rangeY: [-0.05, 1.05],
				legend: true,
				shapes: [
					{
						type: "line",
						xref: "paper",
						x0: 0,
						x1: 1,
						y0: 0.8,
						y1: 0.8,
						line: { color: Page.colour("muted"), width: 1, dash: "dot" },
					},
				],
				click: (found) => found >= 0 && openUnit(found),
			},
		);
	}

	function ordered(cards) {
		const { card, figure } = Page.card(
			"Scores in falling order",
			"True units ordered by each score: the more of the curve lies high, the better.",
		);
		cards.append(card);
		const colours = { accuracy: "ember", precision: "blue", recall: "teal" };
		const lines = Object.entries(colours).map(([name, colour]) => {
			const y = [...facts.truth.scores[name]].sort((a, b) => b - a);
			return { x: y.map((_, i) => i + 1), y, name, colour: Page.colour(colour), width: 1.8 };
		});
		Figures.lines(figure, lines, { x: "true units", y: "score", zero: true, legend: true });
	}

	function balance(cards, openUnit) {
		const { truth } = facts;
		const { card, figure } = Page.card(
			"Precision and recall",
			"Low precision: foreign spikes in the unit (merged). Low recall: its spikes are missed or lie elsewhere (split).",
		);
		cards.append(card);
		const at = truth.ids.map((_, i) => i).filter((i) => truth.matched[i] >= 0);
		Figures.points(
			figure,
			[
				{
					x: at.map((i) => truth.scores.recall[i]),
					y: at.map((i) => truth.scores.precision[i]),
					text: at.map((i) => `true unit ${truth.ids[i]}`),
					key: at.map((i) => truth.matched[i]),
					size: 7,
				},
			],
			{ x: "recall", y: "precision", rangeX: [-0.05, 1.05], rangeY: [-0.05, 1.05], click: openUnit },
		);
	}

	/** A dotted line where what was said is what came true. */
	const DIAGONAL = () => ({
		type: "line",
		x0: 0,
		x1: 1,
		y0: 0,
		y1: 1,
		line: { color: Page.colour("muted"), width: 1, dash: "dot" },
	});

	function reliability(cards) {
		const { n_spikes, said, came_true, error } = facts.truth.reliability;
		const { card, figure } = Page.card(
			"Reliability of spikes",
			`Spikes by their probability: what was said, and the share that did belong to the true unit that their unit agrees most with. On the line, nothing was promised too much. Expected calibration error ${Page.number(error, 3)}. Larger points stand for more spikes.`,
		);
		cards.append(card);
		const at = n_spikes.map((_, i) => i).filter((i) => n_spikes[i] > 0);
		const most = Math.max(...n_spikes);
		Figures.points(
			figure,
			[
				{
					x: at.map((i) => said[i]),
					y: at.map((i) => came_true[i]),
					text: at.map(
						(i) => `said ${Page.number(said[i])}, came true ${Page.number(came_true[i])}: ${n_spikes[i]} spikes`,
					),
					size: at.map((i) => 5 + 11 * Math.sqrt(n_spikes[i] / most)),
				},
			],
			{ x: "probability", y: "share that belongs", rangeX: [-0.05, 1.05], rangeY: [-0.05, 1.05], shapes: [DIAGONAL()] },
		);
	}

	function predicted(cards, openUnit) {
		const { found_accuracy } = facts.truth;
		const { predicted_accuracy: said, predicted_accuracy_low: low, predicted_accuracy_high: high } = facts.values;
		const { card, figure } = Page.card(
			"Predicted and true accuracy",
			"One point per found unit: what was predicted, with its 90 % interval, and its agreement with the true unit that it resembles most. Click one to open it.",
		);
		cards.append(card);
		const at = found_accuracy.map((_, i) => i).filter((i) => typeof said[i] === "number");
		Figures.points(
			figure,
			[
				{
					x: at.map((i) => found_accuracy[i]),
					y: at.map((i) => said[i]),
					low: low && at.map((i) => low[i]),
					high: high && at.map((i) => high[i]),
					text: at.map(
						(i) =>
							`unit ${facts.unit_ids[i]}: predicted ${Page.number(said[i])}, true ${Page.number(found_accuracy[i])}`,
					),
					key: at,
					size: 7,
				},
			],
			{
				x: "true accuracy",
				y: "predicted accuracy",
				rangeX: [-0.05, 1.05],
				rangeY: [-0.05, 1.05],
				shapes: [DIAGONAL()],
				click: openUnit,
			},
		);
	}

	async function confusion(cards) {
		const pack = await Pack.open("truth");
		if (!pack) return;
		const { card, figure } = Page.card(
			"Confusion matrix",
			"Matching spikes of true units (rows, best first) and found units (columns, in the order of their matches), as a share of the row. Last column: missed; last row: false.",
			{ wide: true, tall: true },
		);
		cards.append(card);
		const { rows, columns } = pack.facts;
		Figures.confusion(
			figure,
			Pack.rows(pack.arrays.confusion),
			rows.map((i) => facts.truth.ids[i]),
			columns.map((i) => facts.unit_ids[i]),
			rows.map((i) => facts.truth.n_spikes[i]),
		);
	}

	function table(cards, openUnit) {
		const { truth } = facts;
		const heads = [
			{ name: "true_id", title: "True unit", n_decimals: 0 },
			{ name: "found_id", title: "Found unit", n_decimals: 0 },
			{ name: "n_spikes", title: "True spikes", n_decimals: 0 },
			{ name: "snr", title: "SNR", n_decimals: 1 },
			...Object.keys(truth.scores).map((name) => ({ name, title: name, n_decimals: 3 })),
		];
		const rows = truth.ids.map((id, i) => ({
			true_id: id,
			found: truth.matched[i],
			found_id: truth.matched[i] >= 0 ? facts.unit_ids[truth.matched[i]] : null,
			n_spikes: truth.n_spikes[i],
			snr: snrOf(i),
			...Object.fromEntries(Object.entries(truth.scores).map(([name, values]) => [name, values[i]])),
		}));
		const node = el("div");
		cards.append(
			el(
				"section",
				{ class: "card wide tall" },
				el(
					"header",
					{},
					el("h3", {}, "True units"),
					el(
						"button",
						{ type: "button", onclick: () => Page.download("truth.csv", Table.csv(heads, rows)) },
						"truth.csv",
					),
				),
				node,
			),
		);
		Table.make(node, heads, rows, {
			height: "430px",
			sort: { column: "accuracy", dir: "desc" },
			open: (row) => row.found >= 0 && openUnit(row.found),
		});
		const faulty = truth.faults.map((fault, i) => ({ fault, id: facts.unit_ids[i] })).filter((f) => f.fault);
		if (!faulty.length) return;
		cards.append(
			el(
				"section",
				{ class: "card full" },
				el("header", {}, el("h3", {}, "Found units with a fault")),
				el(
					"p",
					{ class: "tools" },
					...faulty.map((f) =>
						el("a", { href: Page.address.link({ view: "unit", unit: f.id }) }, `unit ${f.id}: ${f.fault}`),
					),
				),
			),
		);
	}

	return { show };
})();
