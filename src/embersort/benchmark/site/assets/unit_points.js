// @ts-check
"use strict";
/*
 * True units as points: what the pages of studies, sorters and comparisons draw.
 */

const UnitPoints = (() => {
	const DIFFICULTY = {
		snr: "SNR",
		rate_hz: "firing rate, Hz",
		overlap_share: "share of overlapping spikes",
		n_spikes: "spikes",
		peak_channel: "peak channel",
	};
	const METRICS = { accuracy: "accuracy", precision: "precision", recall: "recall", f1: "F1" };
	const RULES = { one_to_one: "one to one, 0.4 ms", spikeforest: "best match, 1 ms" };

	/** Rule, metric and difficulty of the address. */
	function state() {
		const query = Page.address.read();
		const among = (name, values, usual) => {
			const given = query.get(name) || "";
			return given in values ? given : usual;
		};
		return {
			rule: among("rule", RULES, "one_to_one"),
			metric: among("metric", METRICS, "accuracy"),
			against: among("against", DIFFICULTY, "snr"),
		};
	}

	/** @param {ReturnType<typeof state>} chosen @param {boolean} [withDifficulty] */
	function controls(chosen, withDifficulty = true) {
		return [
			Site.select("Metric", "metric", Object.entries(METRICS), chosen.metric),
			Site.select("Matching", "rule", Object.entries(RULES), chosen.rule),
			withDifficulty && Site.select("Against", "against", Object.entries(DIFFICULTY), chosen.against),
		].filter(Boolean);
	}

	/** One number of every true unit. @param {any} index @param {string} name @returns {Promise<ArrayLike<number>>} */
	async function column(index, name) {
		if (name === "snr") return index.snr;
		const pack = await Site.unpack(await Site.load("units"), "units");
		return pack.arrays[name].values;
	}

	/** The recording of a unit of the whole site. @param {any} index @param {number} unit */
	function place(index, unit) {
		let [low, high] = [0, index.recordings.length - 1];
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (index.recordings[middle].first_unit <= unit) low = middle;
			else high = middle - 1;
		}
		return { recording: index.recordings[low], unit: unit - index.recordings[low].first_unit };
	}

	/** Units of some recordings that a sorter has a score of.
	 * @param {any} index @param {number[]} recordings @param {Float32Array} scores */
	function scored(index, recordings, scores) {
		const units = [];
		for (const r of recordings) {
			const { first_unit: first, n_units: n } = index.recordings[r];
			for (let u = first; u < first + n; u++) if (!Number.isNaN(scores[u])) units.push(u);
		}
		return units;
	}

	/** @param {any} index @param {number} unit @param {string} [sorter] @returns {string} */
	function href(index, unit, sorter) {
		const at = place(index, unit);
		return Site.href("unit", { recording: at.recording.name, unit: at.unit, sorter });
	}

	/** At most so many, spread evenly: a browser draws some thousand points at ease.
	 * @template T @param {T[]} items @param {number} most @returns {T[]} */
	function thinned(items, most) {
		if (items.length <= most) return items;
		return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]);
	}

	return { METRICS, RULES, DIFFICULTY, state, controls, column, place, scored, href, thinned };
})();
