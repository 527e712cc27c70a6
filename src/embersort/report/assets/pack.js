// @ts-check
"use strict";
/*
 * Reads what embersort.report.pack writes: base64(deflate(head + data)).
 */

/**
 * @typedef {Object} Unpacked
 * @property {Record<string, {values: ArrayLike<number>, shape: number[]}>} arrays
 * @property {Record<string, any>} facts
 */

const Pack = (() => {
	const TYPES = {
		int8: Int8Array,
		uint8: Uint8Array,
		int16: Int16Array,
		uint16: Uint16Array,
		int32: Int32Array,
		uint32: Uint32Array,
		float32: Float32Array,
	};
	/** @type {Map<string, Promise<Unpacked>>} */
	const opened = new Map();

	/** @param {string} text @returns {Promise<Unpacked>} */
	async function read(text) {
		const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
		const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
		const whole = await new Response(stream).arrayBuffer();
		const headLength = new DataView(whole).getUint32(0, true);
		const head = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, headLength)));
		/** @type {Unpacked["arrays"]} */
		const arrays = {};
		for (const [name, entry] of Object.entries(head.arrays)) {
			const length = entry.shape.reduce((a, b) => a * b, 1);
			const stored = new TYPES[entry.dtype](whole, 4 + headLength + entry.offset, length);
			const values = "scale" in entry ? Float32Array.from(stored, (v) => entry.zero + entry.scale * v) : stored;
			arrays[name] = { values, shape: entry.shape };
		}
		return { arrays, facts: head.facts };
	}

	/**
	 * Open the pack in the element `pack-NAME`, once; null where the page has none.
	 * @param {string} name @returns {Promise<Unpacked | null>}
	 */
	async function open(name) {
		let node = document.getElementById(`pack-${name}`);
		if (!node && document.readyState === "loading") {
			// The overview is drawn while the rest of a large page still arrives.
			await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
			node = document.getElementById(`pack-${name}`);
		}
		if (!node) return null;
		let promise = opened.get(name);
		if (!promise) {
			promise = read(node.textContent || "");
			opened.set(name, promise);
		}
		return promise;
	}

	/**
	 * Row `index` of an array's first axis.
	 * @param {{values: ArrayLike<number>, shape: number[]}} array @param {number} index
	 * @returns {number[]}
	 */
	function row(array, index) {
		const size = array.shape.slice(1).reduce((a, b) => a * b, 1);
		return Array.prototype.slice.call(array.values, index * size, (index + 1) * size);
	}

	/**
	 * All rows of a matrix.
	 * @param {{values: ArrayLike<number>, shape: number[]}} array @returns {number[][]}
	 */
	function rows(array) {
		return Array.from({ length: array.shape[0] }, (_, index) => row(array, index));
	}

	/**
	 * Sum rows [from, to) of a matrix: how a range of time is chosen.
	 * @param {number[][]} matrix @param {number} from @param {number} to @returns {number[]}
	 */
	function sumRows(matrix, from, to) {
		const sum = new Array(matrix[0]?.length || 0).fill(0);
		for (let r = from; r < Math.min(to, matrix.length); r++)
			for (let c = 0; c < sum.length; c++) sum[c] += matrix[r][c];
		return sum;
	}

	return { open, read, row, rows, sumRows };
})();
