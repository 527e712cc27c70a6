"""The scores of one result, computed from its sorting and the truth, and cached apart from it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from embersort.benchmark.exchange import SORTING, StoredRecording, read_sorting
from embersort.benchmark.hashing import hash_file, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.store import Entry, Store
from embersort.evaluation.comparison import Comparison, Rule, compare
from embersort.evaluation.overlap import accuracy_over_time, overlapping_spikes, recall_of
from embersort.types import FloatArray, IntArray, Sorting

TRUTH_STAGE = "truth"
COMPARE_STAGE = "compare"
TRUTH_VERSION = 2
COMPARE_VERSION = 1
"""Raised when the meaning of a score changes: then scores are computed anew, sorts are not."""

BAND_HZ = (300.0, 6000.0)
"""Band in which SNR is measured (SpikeForest)."""
MAD_TO_SD = 0.6744897501960817
"""Median absolute deviation of a normal distribution of standard deviation 1."""
NOISE_SECONDS = 20.0
"""Seconds of recording, evenly spread, from which noise is measured."""
MAX_SPIKES = 500
"""Spikes of a unit that are averaged into its template (SpikeForest)."""
TEMPLATE_MS = 2.0
"""Length of that template, centred on the spike."""
TIME_BIN_S = 10.0
"""Bin of accuracy over time."""
NEAR_UM = 100.0
"""Units whose peak channels are this near can overlap."""


def truth_table(stored: StoredRecording, home: Home) -> dict[str, Any]:
    """Return what is known of the true units, measured once per recording.

    Returns
    -------
    dict
        Columns ``unit_id``, ``snr`` (SpikeForest: the size of the template's
        peak over the noise of its channel), ``rate_hz``, ``n_spikes``,
        ``peak_channel``, ``overlap_share``, each with one entry per unit; and
        ``drift_um``, ``n_channels``, ``duration_s`` and
        ``sampling_rate_hz`` of the recording.
    """
    key = hash_json({"version": TRUTH_VERSION, "recording": stored.content})
    store = Store(folder=home.results)
    found = store.find(TRUTH_STAGE, key)
    if found is None:
        found = store.write(TRUTH_STAGE, key, _measure_truth(stored))
    return found.record


def score_result(stored: StoredRecording, result: Entry, home: Home) -> dict[str, Any]:
    """Return the scores of a sort by both rules; empty for one that failed.

    Returns
    -------
    dict
        ``one_to_one`` and ``spikeforest``, each with ``summary``, a column per
        unit score, and recall of overlapping and of solitary spikes.
    """
    if result.record["outcome"] != "ok" or not stored.has_truth:
        return {}
    key = hash_json(
        {
            "version": COMPARE_VERSION,
            "recording": stored.content,
            "sorting": hash_file(result.folder / SORTING),
        }
    )
    store = Store(folder=home.results)
    found = store.find(COMPARE_STAGE, key)
    if found is None:
        truth = stored.truth()
        sorting = read_sorting(result.folder / SORTING, stored.sampling_rate_hz, stored.n_samples)
        overlaps = _overlaps(stored, truth, truth_table(stored, home))
        record = {rule: _scores(truth, sorting, rule, overlaps) for rule in get_args(Rule)}
        found = store.write(COMPARE_STAGE, key, record)
    return found.record


def _scores(truth: Sorting, found: Sorting, rule: Rule, overlaps: Any) -> dict[str, Any]:
    """Return the scores of one rule as plain values."""
    comparison = compare(truth, found, rule=rule)
    over_time = accuracy_over_time(comparison, truth, found, bin_s=TIME_BIN_S)
    return {
        "summary": _plain(comparison.summary()),
        "recall_overlapping": _number(recall_of(comparison, overlaps)),
        "recall_solitary": _number(recall_of(comparison, ~overlaps)),
        "units": {
            "unit_id": comparison.truth_ids.tolist(),
            "matched_id": _matched_ids(comparison),
            **{
                name: np.round(getattr(comparison, name), 6).tolist()
                for name in ("accuracy", "precision", "recall", "f1")
            },
            "accuracy_over_time": [[_number(v) for v in row] for row in over_time.round(4)],
        },
        "found_units": {
            "unit_id": comparison.found_ids.tolist(),
            "n_spikes": comparison.n_found.tolist(),
            "is_false_positive": comparison.is_false_positive.tolist(),
            "is_redundant": comparison.is_redundant.tolist(),
            "is_overmerged": comparison.is_overmerged.tolist(),
        },
    }


def _matched_ids(comparison: Comparison) -> list[int | None]:
    return [
        int(comparison.found_ids[index]) if index >= 0 else None
        for index in comparison.matched_index
    ]


def _plain(summary: dict[str, Any]) -> dict[str, Any]:
    return {k: _number(v) if isinstance(v, float) else v for k, v in summary.items()}


def _number(value: float) -> float | None:
    """Return a value that JSON can hold: none in place of NaN."""
    return None if np.isnan(value) else float(value)


def _overlaps(stored: StoredRecording, truth: Sorting, table: dict[str, Any]) -> Any:
    """Mark the true spikes that a near unit's spike overlaps."""
    positions = stored.geometry.positions_um[np.array(table["peak_channel"], np.int64)]
    return overlapping_spikes(truth, unit_position_um=positions.reshape(-1, 2), within_um=NEAR_UM)


def _measure_truth(stored: StoredRecording) -> dict[str, Any]:
    truth = stored.truth()
    counts = truth.spike_counts()
    noise = _noise_counts(stored)
    peak_channel, snr = np.zeros(truth.n_units, np.int64), np.zeros(truth.n_units)
    for unit in range(truth.n_units):
        template = _template(stored, truth.train(unit))
        size = np.abs(template).max(axis=0) / noise
        peak_channel[unit] = np.abs(template).max(axis=0).argmax()
        snr[unit] = size[peak_channel[unit]]
    table: dict[str, Any] = {
        "unit_id": truth.unit_ids.tolist(),
        "n_spikes": counts.tolist(),
        "rate_hz": (counts / truth.duration_s).round(4).tolist(),
        "snr": snr.round(4).tolist(),
        "peak_channel": peak_channel.tolist(),
        "drift_um": stored.drift_um,
        "n_channels": stored.n_channels,
        "duration_s": round(stored.n_samples / stored.sampling_rate_hz, 4),
        "sampling_rate_hz": stored.sampling_rate_hz,
    }
    overlaps = _overlaps(stored, truth, table)
    share = np.bincount(truth.unit_index, overlaps, truth.n_units) / np.maximum(counts, 1)
    return table | {"overlap_share": share.round(4).tolist()}


def _noise_counts(stored: StoredRecording) -> FloatArray:
    """Return the noise of each channel (MAD / 0.6745) within the band, in counts."""
    traces = stored.traces()
    length = min(stored.n_samples, round(stored.sampling_rate_hz))
    n_parts = max(1, min(int(NOISE_SECONDS), stored.n_samples // max(1, length)))
    starts = np.linspace(0, stored.n_samples - length, n_parts).astype(np.int64)
    parts = [_band_passed(traces[s : s + length], stored.sampling_rate_hz) for s in starts]
    sample = np.concatenate(parts)
    deviation = np.median(np.abs(sample - np.median(sample, axis=0)), axis=0)
    return np.maximum(deviation / MAD_TO_SD, np.finfo(np.float64).tiny)


def _template(stored: StoredRecording, train: IntArray) -> FloatArray:
    """Return the mean snippet of a unit within the band, in counts, time × channel."""
    half = round(TEMPLATE_MS / 2 * 1e-3 * stored.sampling_rate_hz)
    # The filter needs room on both sides of the window.
    margin = 10 * half
    fits = train[(train >= margin) & (train < stored.n_samples - margin)]
    if not len(fits):
        return np.zeros((1, stored.n_channels))
    chosen = fits[np.linspace(0, len(fits) - 1, min(len(fits), MAX_SPIKES)).astype(np.int64)]
    traces = stored.traces()
    # Averaging and filtering commute, so one filter run per unit is enough.
    mean = np.zeros((2 * margin, stored.n_channels))
    for spike in chosen:
        mean += traces[spike - margin : spike + margin]
    filtered = _band_passed(mean / len(chosen), stored.sampling_rate_hz)
    return filtered[margin - half : margin + half]


def _band_passed(traces: Any, sampling_rate_hz: float) -> FloatArray:
    from scipy.signal import butter, sosfiltfilt

    high_hz = min(BAND_HZ[1], 0.45 * sampling_rate_hz)
    sos = butter(3, (BAND_HZ[0], high_hz), "bandpass", fs=sampling_rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sos, np.asarray(traces, np.float64), axis=0))
