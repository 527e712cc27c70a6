// @ts-check
"use strict";
/*
 * How scores of units become one number: the only place where the website computes any.
 * The definitions stand on the page "Data and methods".
 */

const Scoring = (() => {
	const N_RESAMPLES = 1000;

	/**
	 * @typedef {Object} View
	 * @property {any} index
	 * @property {Float32Array[]} scores by sorter, per unit
	 * @property {string} show what a cell holds
	 * @property {string} rule
	 * @property {number} snr smallest signal-to-noise ratio
	 * @property {number} threshold
	 * @property {boolean} failuresAsZero
	 */

	/** @typedef {{value: number | null, n: number, of: number, units: number, failed: number, parts: number[]}} Cell */

	/** Scores of one sorter on one recording, for the units above the ratio.
	 * @param {View} view @param {number} r @param {number} s @returns {number[] | null} null without a result */
	function unitScores(view, r, s) {
		const recording = view.index.recordings[r];
		const ok = view.index.outcome[r][s] === 0;
		if (!ok && !(view.failuresAsZero && wasRun(view, r, s))) return null;
		const values = [];
		for (let u = recording.first_unit; u < recording.first_unit + recording.n_units; u++) {
			if (view.index.snr[u] < view.snr - 1e-4) continue;
			const score = view.scores[s][u];
			if (ok && Number.isNaN(score)) continue;
			values.push(ok ? score : 0);
		}
		return values;
	}

	/** @param {View} view @param {number} r @param {number} s */
	function wasRun(view, r, s) {
		return !["not_run", "not_installed", "no_recording"].includes(view.index.outcomes[view.index.outcome[r][s]]);
	}

	const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

	/** @param {number[]} values */
	function median(values) {
		const sorted = Float64Array.from(values).sort();
		const half = sorted.length >> 1;
		return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
	}

	/**
	 * One cell: a group of recordings, a sorter.
	 * @param {View} view @param {number[]} recordings positions @param {number} s @returns {Cell}
	 */
	function cell(view, recordings, s) {
		const costs = { wall: "wall_s", cpu: "cpu_s", memory: "peak_memory_mib" };
		const failed = recordings.filter((r) => wasRun(view, r, s) && view.index.outcome[r][s] !== 0).length;
		const base = { of: recordings.length, failed };
		if (view.show === "failures") {
			const run = recordings.filter((r) => wasRun(view, r, s)).length;
			return { ...base, value: run ? failed : null, n: run, units: 0, parts: [] };
		}
		if (view.show in costs) {
			const column = view.index.costs[costs[view.show]];
			const values = recordings
				.filter((r) => view.index.outcome[r][s] === 0 && column[r][s] !== null)
				.map((r) => column[r][s]);
			const value = values.length
				? view.show === "memory"
					? Math.max(...values)
					: values.reduce((a, b) => a + b, 0)
				: null;
			return { ...base, value, n: values.length, units: 0, parts: values };
		}
		return { ...base, ...overUnits(view, recordings, s) };
	}

	/** @param {View} view @param {number[]} recordings @param {number} s */
	function overUnits(view, recordings, s) {
		/** @type {number[][]} */
		const groups = [];
		let n = 0;
		for (const r of recordings) {
			const values = unitScores(view, r, s);
			if (values === null) continue;
			n += 1;
			if (values.length) groups.push(values);
		}
		const all = groups.flat();
		const parts = groups.map(mean);
		const above = all.filter((v) => v >= view.threshold - 1e-6).length;
		let value = null;
		if (n && view.show === "count") value = above;
		else if (all.length && view.show === "mean") value = mean(parts);
		else if (all.length && view.show === "median") value = median(all);
		else if (all.length && view.show === "fraction") value = above / all.length;
		return { value, n, units: all.length, parts };
	}

	/** A small generator of fixed numbers, so that an interval is the same at each look. @param {number} seed */
	function mulberry(seed) {
		let state = seed;
		return () => {
			state = (state + 0x6d2b79f5) | 0;
			let t = Math.imul(state ^ (state >>> 15), 1 | state);
			t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
			return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
		};
	}

	/** Percentile bootstrap of the mean over recordings. @param {number[]} values @returns {[number, number] | null} */
	function interval(values) {
		if (values.length < 2) return null;
		const random = mulberry(1);
		const means = new Float64Array(N_RESAMPLES);
		for (let i = 0; i < N_RESAMPLES; i++) {
			let sum = 0;
			for (let k = 0; k < values.length; k++) sum += values[Math.floor(random() * values.length)];
			means[i] = sum / values.length;
		}
		means.sort();
		return [means[Math.floor(0.025 * N_RESAMPLES)], means[Math.ceil(0.975 * N_RESAMPLES) - 1]];
	}

	/**
	 * Two sorters on the recordings that both sorted, recording by recording.
	 * @param {View} view @param {number[]} recordings @param {number} a @param {number} b
	 */
	function paired(view, recordings, a, b) {
		const TIE = 0.005;
		const pairs = [];
		for (const r of recordings) {
			const first = unitScores(view, r, a);
			const second = unitScores(view, r, b);
			if (first?.length && second?.length) pairs.push({ r, a: mean(first), b: mean(second) });
		}
		const differences = pairs.map((p) => p.a - p.b);
		return {
			pairs,
			wins: differences.filter((d) => d > TIE).length,
			losses: differences.filter((d) => d < -TIE).length,
			ties: differences.filter((d) => Math.abs(d) <= TIE).length,
			mean: differences.length ? mean(differences) : null,
			interval: interval(differences),
		};
	}

	/** Recordings grouped by set and study, in order. @param {any} index @param {number[]} chosen */
	function tree(index, chosen) {
		/** @type {Map<string, Map<string, number[]>>} */
		const sets = new Map();
		for (const r of chosen) {
			const recording = index.recordings[r];
			if (!sets.has(recording.set)) sets.set(recording.set, new Map());
			const studies = /** @type {Map<string, number[]>} */ (sets.get(recording.set));
			if (!studies.has(recording.study)) studies.set(recording.study, []);
			studies.get(recording.study)?.push(r);
		}
		return sets;
	}

	return { cell, unitScores, wasRun, interval, paired, tree, mean, median };
})();
