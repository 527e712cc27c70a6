"""What the report shows where the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from embersort.evaluation.calibration import reliability
from embersort.evaluation.comparison import Comparison
from embersort.report.pack import pack, smallest_unsigned
from embersort.types import FloatArray, IntArray

SCORES = ("accuracy", "precision", "recall", "f1")


def truth_facts(
    comparison: Comparison, truth_snr: FloatArray | None, spike_probability: FloatArray
) -> dict[str, Any]:
    """Return the scores of every true unit and the faults of the found ones, as plain values.

    Parameters
    ----------
    comparison : Comparison
    truth_snr : ndarray, shape (n_true_units,), optional
        Signal-to-noise ratio of the true units; without it the page takes that of the matched
        found unit, and puts true units without match at the edge.
    spike_probability : ndarray, shape (n_found_spikes,)
        Not finite where none was estimated.
    """
    return {
        "rule": comparison.rule,
        "tolerance_samples": comparison.tolerance_samples,
        "ids": [int(unit_id) for unit_id in comparison.truth_ids],
        "n_spikes": [int(count) for count in comparison.n_truth],
        "matched": [int(index) for index in comparison.matched_index],
        "snr": None if truth_snr is None else [_finite(value) for value in truth_snr],
        "scores": {
            name: [round(float(value), 6) for value in getattr(comparison, name)] for name in SCORES
        },
        "faults": [
            "false positive"
            if false
            else "redundant"
            if redundant
            else "over-merged"
            if over
            else ""
            for false, redundant, over in zip(
                comparison.is_false_positive,
                comparison.is_redundant,
                comparison.is_overmerged,
                strict=True,
            )
        ],
        "found_accuracy": [round(float(v), 4) for v in comparison.found_scores.accuracy],
        "reliability": _reliability_facts(comparison, spike_probability),
        "summary": {
            name: (None if value != value else value)
            for name, value in comparison.summary().items()
        },
    }


def pack_confusion(comparison: Comparison) -> str:
    """Pack the confusion matrix with true units by accuracy and their matches on the diagonal."""
    rows = np.argsort(-comparison.accuracy, kind="stable")
    columns = found_order(comparison, rows)
    table = comparison.confusion
    rows_all = np.append(rows, len(rows))
    columns_all = np.append(columns, len(columns))
    ordered = table[rows_all][:, columns_all]
    return pack(
        {"confusion": smallest_unsigned(ordered)},
        {"rows": [int(row) for row in rows], "columns": [int(column) for column in columns]},
    )


def found_order(comparison: Comparison, rows: IntArray) -> IntArray:
    """Return found units in the order of the true units that they answer, then the others."""
    answers = [int(comparison.matched_index[row]) for row in rows]
    matched = list(dict.fromkeys(index for index in answers if index >= 0))
    rest = np.setdiff1d(np.arange(len(comparison.found_ids)), matched)
    if len(rest) and len(rows):
        rest = rest[
            np.argsort(comparison.match_counts[rows][:, rest].argmax(axis=0), kind="stable")
        ]
    return np.concatenate([np.asarray(matched, np.int64), rest.astype(np.int64)])


def _reliability_facts(
    comparison: Comparison, spike_probability: FloatArray
) -> dict[str, Any] | None:
    """Return what was said of spikes and what came true; None where nothing was said."""
    if not np.isfinite(spike_probability).any():
        return None
    found = reliability(spike_probability, comparison.found_spike_agrees)
    return {
        "n_spikes": [int(count) for count in found.n_spikes],
        "said": [_finite(value) for value in found.said],
        "came_true": [_finite(value) for value in found.came_true],
        "error": _finite(found.expected_calibration_error),
    }


def _finite(value: float) -> float | None:
    """Return a rounded number, None where it is not finite."""
    return round(float(value), 4) if np.isfinite(value) else None
