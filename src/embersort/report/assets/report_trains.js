// @ts-check
"use strict";
/*
 * Spike times inside the page, and correlograms of any two units in any window.
 */

const ReportTrains = (() => {
	const N_BINS = 50;
	/** Largest lag, ms: half the width of a correlogram. */
	const WINDOWS_MS = [10, 50, 200];
	/** @type {Map<number, Int32Array>} */
	const made = new Map();

	/** Ticks of one unit's spikes. @param {number} unit */
	async function train(unit) {
		const pack = await Pack.open("trains");
		if (!pack) return new Int32Array(0);
		const kept = made.get(unit);
		if (kept) return kept;
		const counts = pack.arrays.count.values;
		let first = 0;
		for (let u = 0; u < unit; u++) first += counts[u];
		const ticks = new Int32Array(counts[unit]);
		let at = 0;
		for (let i = 0; i < ticks.length; i++) {
			at += pack.arrays.delta.values[first + i];
			ticks[i] = at;
		}
		made.set(unit, ticks);
		return ticks;
	}

	/**
	 * Count pairs of spikes by lag, second unit minus first, inside the range of time.
	 * @param {number} first @param {number} second @param {number} windowMs
	 * @returns {Promise<{counts: number[], binMs: number, untilS: number}>}
	 */
	async function correlogram(first, second, windowMs) {
		const pack = await Pack.open("trains");
		const perS = pack ? pack.facts.ticks_per_s : 1;
		const [a, b] = [await train(first), await train(second)];
		const { startS, endS } = ReportState.range();
		const reach = (windowMs * perS) / 1e3;
		const width = (2 * reach) / (2 * N_BINS);
		const counts = new Array(2 * N_BINS).fill(0);
		let low = 0;
		for (const tick of a) {
			if (tick < startS * perS || tick >= endS * perS) continue;
			while (low < b.length && b[low] < tick - reach) low++;
			for (let j = low; j < b.length && b[j] < tick + reach; j++) {
				// A spike is no pair with itself.
				if (first === second && b[j] === tick) continue;
				counts[Math.min(2 * N_BINS - 1, Math.floor((b[j] - tick + reach) / width))]++;
			}
		}
		return { counts, binMs: windowMs / N_BINS, untilS: pack ? pack.facts.until_s : 0 };
	}

	/** Buttons that choose the window of correlograms. */
	function windowChoice() {
		return Page.choice(
			WINDOWS_MS.map((w) => /** @type {[string, string]} */ ([String(w), `±${w} ms`])),
			String(windowMs()),
			(value) => Page.address.write({ lag: value }, true),
			"Window of the correlogram",
		);
	}

	function windowMs() {
		const asked = Number(Page.address.read().get("lag"));
		return WINDOWS_MS.includes(asked) ? asked : 50;
	}

	/** Draw a correlogram into a figure. @param {HTMLElement} figure @param {number} a @param {number} b @param {string} colour */
	async function draw(figure, a, b, colour) {
		const { counts, binMs } = await correlogram(a, b, windowMs());
		Figures.correlogram(figure, counts, binMs, { colour, refractoryMs: facts().refractory_ms });
	}

	const facts = () => ReportState.facts;

	return { correlogram, draw, windowChoice, windowMs };
})();
