"""The found units' side of a comparison: each against the true unit that it agrees most with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.evaluation.matching import match_trains, spikes_of_units
from embersort.types import BoolArray, FloatArray, IntArray, Sorting


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundScores:
    """How good each found unit is, whether or not another answers the same true unit better.

    Attributes
    ----------
    accuracy, precision, recall : ndarray, shape (n_found_units,), float64
        With the true unit of the highest agreement, which is the accuracy; 0 without any.
    """

    accuracy: FloatArray
    precision: FloatArray
    recall: FloatArray


def found_scores(
    counts: IntArray, agreement: FloatArray, n_truth: IntArray, n_found: IntArray
) -> FoundScores:
    """Score each found unit.

    Parameters
    ----------
    counts, agreement : ndarray, shape (n_true_units, n_found_units)
        Matching spikes of each pair, and its agreement.
    n_truth, n_found : ndarray
        Number of spikes of each unit.
    """
    if agreement.size == 0:
        none = np.zeros(len(n_found))
        return FoundScores(accuracy=none, precision=none.copy(), recall=none.copy())
    best, units = agreement.argmax(axis=0), np.arange(len(n_found))
    n_match = counts[best, units]
    return FoundScores(
        accuracy=agreement[best, units],
        precision=n_match / np.maximum(n_found, 1),
        recall=n_match / np.maximum(n_truth[best], 1),
    )


def agreeing_spikes(
    truth: Sorting, found: Sorting, agreement: FloatArray, tolerance: int
) -> BoolArray:
    """Mark the found spikes that are their unit's best true unit's."""
    hit = np.zeros(found.n_spikes, bool)
    if agreement.size == 0:
        return hit
    truth_spikes, found_spikes = spikes_of_units(truth), spikes_of_units(found)
    for found_index, true_index in enumerate(agreement.argmax(axis=0)):
        of_truth, of_found = truth_spikes[true_index], found_spikes[found_index]
        partner = match_trains(
            truth.sample_index[of_truth], found.sample_index[of_found], tolerance
        )
        hit[of_found[partner[partner >= 0]]] = True
    return hit
