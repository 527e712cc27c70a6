// @ts-check
"use strict";
/*
 * Figures from binned data, drawn with Plotly. The report and the website call the same ones.
 * Each takes the element, plain data, and options; none computes a score.
 */

const Figures = (() => {
	const { axis, draw, faded, onClick, ramp } = Drawing;

	/**
	 * Bars of counts.
	 * @param {HTMLElement} node
	 * @param {{x: number[], y: number[], width?: number | number[]}} data
	 * @param {{x: string, y?: string, colour?: string, log?: boolean, mark?: number[], hover?: string}} options
	 */
	function bars(node, data, options) {
		const marks = (options.mark || []).map((x) => ({
			type: "line",
			x0: x,
			x1: x,
			y0: 0,
			y1: 1,
			yref: "paper",
			line: { color: Page.colour("muted"), width: 1, dash: "dot" },
		}));
		return draw(
			node,
			[
				{
					type: "bar",
					x: data.x,
					y: data.y,
					width: data.width,
					marker: { color: options.colour || Page.colour("ember"), line: { width: 0 } },
					hovertemplate: options.hover || "%{x}: %{y}<extra></extra>",
				},
			],
			{
				xaxis: axis(options.x, options.log ? { type: "log", dtick: 1 } : {}),
				yaxis: axis(options.y, { rangemode: "tozero", nticks: 4 }),
				shapes: marks,
			},
		);
	}

	/**
	 * A correlogram: counts of lags, mirrored where one side is given.
	 * @param {HTMLElement} node @param {number[]} counts @param {number} binMs
	 * @param {{mirror?: boolean, colour?: string, refractoryMs?: number}} options
	 */
	function correlogram(node, counts, binMs, options = {}) {
		const whole = options.mirror ? [...counts].reverse().concat(counts) : counts;
		const half = whole.length / 2;
		const x = whole.map((_, index) => (index + 0.5 - half) * binMs);
		const mark = options.refractoryMs ? [-options.refractoryMs, options.refractoryMs] : [];
		return bars(
			node,
			{ x, y: whole, width: binMs },
			{ x: "lag, ms", y: "spikes per bin", colour: options.colour, mark, hover: "%{x:.1f} ms: %{y}<extra></extra>" },
		);
	}

	/**
	 * Points that can be clicked.
	 * @param {HTMLElement} node
	 * @param {{x: number[], y: number[], text?: string[], key?: any[], name?: string, colour?: string | string[], size?: number | number[], symbol?: string | string[], opacity?: number, low?: number[], high?: number[]}[]} groups low and high: ends of bars through the points
	 * @param {{x: string, y: string, log?: boolean, logY?: boolean, rangeX?: number[], rangeY?: number[], square?: boolean, shapes?: object[], legend?: boolean, click?: (key: any) => void}} options
	 */
	function points(node, groups, options) {
		const traces = groups.map((group) => ({
			type: "scatter",
			mode: "markers",
			x: group.x,
			y: group.y,
			text: group.text,
			customdata: group.key,
			name: group.name,
			error_y:
				group.low && group.high
					? {
							type: "data",
							symmetric: false,
							array: group.high.map((end, i) => end - group.y[i]),
							arrayminus: group.low.map((end, i) => group.y[i] - end),
							color: Page.colour("muted"),
							thickness: 1,
							width: 0,
						}
					: undefined,
			marker: {
				color: group.colour || Page.colour("ember"),
				size: group.size || 5,
				opacity: group.opacity ?? 0.75,
				symbol: group.symbol || "circle",
				line: { width: 0 },
			},
			hovertemplate: group.text ? "%{text}<extra></extra>" : "%{x:.3~f}, %{y:.3~f}<extra></extra>",
		}));
		draw(node, traces, {
			xaxis: axis(options.x, { range: options.rangeX, type: options.log ? "log" : "linear", zeroline: false }),
			yaxis: axis(options.y, {
				range: options.rangeY,
				type: options.logY ? "log" : "linear",
				zeroline: false,
				...(options.square ? { scaleanchor: "x" } : {}),
			}),
			shapes: options.shapes || [],
			showlegend: Boolean(options.legend),
			legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } },
			margin: { l: 44, r: 10, t: options.legend ? 28 : 8, b: 36 },
			hovermode: "closest",
		});
		if (options.click) onClick(node, (point) => options.click?.(point.customdata));
		return node;
	}

	/**
	 * An image of counts or scores.
	 * @param {HTMLElement} node
	 * @param {{z: (number | null)[][], x?: any[], y?: any[], text?: string[][]}} data
	 * @param {{x: string, y: string, colours?: [number, string][], limits?: number[], rangeX?: number[], hover?: string, bar?: string, flip?: boolean, category?: boolean, names?: boolean, click?: (point: any) => void}} options
	 */
	function image(node, data, options) {
		draw(
			node,
			[
				{
					type: "heatmap",
					z: data.z,
					x: data.x,
					y: data.y,
					text: data.text,
					colorscale: options.colours || ramp(),
					zmin: options.limits?.[0],
					zmax: options.limits?.[1],
					showscale: Boolean(options.bar),
					colorbar: {
						thickness: 8,
						len: 0.9,
						outlinewidth: 0,
						tickfont: { size: 10 },
						title: { text: options.bar, side: "right", font: { size: 11 } },
					},
					hovertemplate: options.hover || "%{x}, %{y}: %{z}<extra></extra>",
					hoverongaps: false,
				},
			],
			{
				xaxis: axis(options.x, {
					range: options.rangeX,
					showgrid: false,
					...(options.category ? { type: "category", tickangle: -60, automargin: true } : {}),
				}),
				yaxis: axis(options.y, {
					showgrid: false,
					...(options.flip ? { autorange: "reversed" } : {}),
					...(options.category ? { type: "category", automargin: true } : {}),
					...(options.names ? { type: "category", showticklabels: false } : {}),
				}),
			},
		);
		if (options.click) onClick(node, options.click);
		return node;
	}

	/**
	 * Lines over a shared axis.
	 * @param {HTMLElement} node
	 * @param {{x: number[], y: (number | null)[], name?: string, colour?: string, width?: number, fill?: boolean, step?: boolean, opacity?: number, dash?: string}[]} lines
	 * @param {{x: string, y: string, rangeX?: number[], zero?: boolean, shapes?: object[], legend?: boolean}} options
	 */
	function lines(node, lines_, options) {
		return draw(
			node,
			lines_.map((line) => ({
				type: "scatter",
				mode: "lines",
				x: line.x,
				y: line.y,
				name: line.name,
				opacity: line.opacity,
				line: {
					color: line.colour || Page.colour("ember"),
					width: line.width || 1.4,
					shape: line.step ? "hvh" : "linear",
					dash: line.dash || "solid",
				},
				fill: line.fill ? "tozeroy" : "none",
				fillcolor: faded(line.colour || Page.colour("ember"), 0.14),
				hovertemplate: "%{x:.4~f}: %{y:.4~f}<extra></extra>",
			})),
			{
				xaxis: axis(options.x, { range: options.rangeX, zeroline: false }),
				yaxis: axis(options.y, { nticks: 5, ...(options.zero ? { rangemode: "tozero" } : {}) }),
				shapes: options.shapes || [],
				showlegend: Boolean(options.legend),
				legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
			},
		);
	}

	/**
	 * Boxes of values by name.
	 * @param {HTMLElement} node @param {{name: string, y: number[], colour: string}[]} groups
	 * @param {{y: string, points?: boolean}} options
	 */
	function boxes(node, groups, options) {
		return draw(
			node,
			groups.map((group) => ({
				type: "box",
				name: group.name,
				y: group.y,
				boxpoints: options.points ? "all" : false,
				jitter: 0.4,
				pointpos: 0,
				marker: { color: group.colour, size: 4 },
				line: { color: group.colour, width: 1.4 },
				fillcolor: faded(group.colour, 0.15),
			})),
			{ xaxis: axis("", { showgrid: false, automargin: true }), yaxis: axis(options.y) },
		);
	}

	/**
	 * A confusion matrix whose last row is false and whose last column is missed.
	 * @param {HTMLElement} node @param {number[][]} table @param {(number | string)[]} rowIds
	 * @param {(number | string)[]} columnIds @param {number[]} rowTotals true spikes of each row
	 */
	function confusion(node, table, rowIds, columnIds, rowTotals) {
		const share = table.map((row, r) => {
			const total = Math.max(1, r < rowTotals.length ? rowTotals[r] : Math.max(...row));
			return row.map((v) => v / total);
		});
		return image(
			node,
			{
				z: share,
				x: [...columnIds.map((id) => `found ${id}`), "missed"],
				y: [...rowIds.map((id) => `true ${id}`), "false"],
				text: table.map((row) => row.map(String)),
			},
			{
				x: "",
				y: "",
				limits: [0, 1],
				flip: true,
				category: true,
				bar: "share",
				hover: "%{y}, %{x}: %{text} spikes<extra></extra>",
			},
		);
	}

	return { ...Drawing, bars, correlogram, points, image, lines, boxes, confusion };
})();
