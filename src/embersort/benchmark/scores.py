"""The scores of one result, computed from its sorting and the truth, and cached apart from it."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from embersort.benchmark.exchange import SORTING, StoredRecording, read_sorting
from embersort.benchmark.hashing import hash_file, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.store import Entry, Store
from embersort.benchmark.unit_measures import measure_units
from embersort.evaluation.comparison import Comparison, Rule, compare
from embersort.evaluation.overlap import accuracy_over_time, overlapping_spikes, recall_of
from embersort.types import BoolArray, Sorting

TRUTH_STAGE = "truth"
COMPARE_STAGE = "compare"
MEASURE_STAGE = "measures"
TRUTH_VERSION = 2
COMPARE_VERSION = 1
MEASURE_VERSION = 1
"""Raised when the meaning of a score changes: then scores are computed anew, sorts are not."""

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
    return found.record | {
        "n_channels": stored.n_channels,
        "duration_s": stored.n_samples / stored.sampling_rate_hz,
        "sampling_rate_hz": stored.sampling_rate_hz,
    }


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


def measure_result(stored: StoredRecording, result: Entry, home: Home) -> dict[str, Any]:
    """Return the measures of a sort's units (``measure_units``); empty for one that failed.

    They need no truth, and are cached apart from the scores.
    """
    if result.record["outcome"] != "ok":
        return {}
    sorting_hash = hash_file(result.folder / SORTING)
    key = hash_json(
        {"version": MEASURE_VERSION, "recording": stored.content, "sorting": sorting_hash}
    )
    store = Store(folder=home.results)
    found = store.find(MEASURE_STAGE, key)
    if found is None:
        sorting = read_sorting(result.folder / SORTING, stored.sampling_rate_hz, stored.n_samples)
        found = store.write(MEASURE_STAGE, key, measure_units(stored, sorting))
    return found.record


def _scores(truth: Sorting, found: Sorting, rule: Rule, overlaps: BoolArray) -> dict[str, Any]:
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


def _overlaps(stored: StoredRecording, truth: Sorting, table: dict[str, Any]) -> BoolArray:
    """Mark the true spikes that a near unit's spike overlaps."""
    positions = stored.geometry.positions_um[np.array(table["peak_channel"], np.int64)]
    return overlapping_spikes(truth, unit_position_um=positions.reshape(-1, 2), within_um=NEAR_UM)


def _measure_truth(stored: StoredRecording) -> dict[str, Any]:
    truth = stored.truth()
    table = measure_units(stored, truth) | {"drift_um": stored.drift_um}
    overlaps = _overlaps(stored, truth, table)
    counts = np.maximum(truth.spike_counts(), 1)
    share = np.bincount(truth.unit_index, overlaps, truth.n_units) / counts
    return table | {"overlap_share": share.round(4).tolist()}
