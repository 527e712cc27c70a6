"""Which found spike answers which true spike: greedy one-to-one matching in time."""

from __future__ import annotations

import numpy as np
from numba import njit

from embersort.errors import BadInput
from embersort.types import IntArray, Sorting

# Keeps 0.4 ms at 30 kHz at 12 samples where the product falls a rounding error short of it.
ROUNDING_SLACK_SAMPLES = 1e-9


def tolerance_in_samples(tolerance_ms: float, sampling_rate_hz: float) -> int:
    """Return the largest whole number of samples that does not exceed a tolerance.

    Raises
    ------
    BadInput
        If the tolerance is negative or not finite.

    Examples
    --------
    >>> tolerance_in_samples(0.4, 30000.0), tolerance_in_samples(0.4, 32000.0)
    (12, 12)
    """
    if not (np.isfinite(tolerance_ms) and tolerance_ms >= 0):
        raise BadInput(f"tolerance_ms is {tolerance_ms}, expected a finite value of at least 0")
    return int(np.floor(tolerance_ms * 1e-3 * sampling_rate_hz + ROUNDING_SLACK_SAMPLES))


def count_matches(truth: Sorting, found: Sorting, tolerance_samples: int) -> IntArray:
    """Count the spikes that each true unit shares with each found unit.

    Two spikes match if they are at most ``tolerance_samples`` apart; within a
    pair of units each spike is used once, the earliest first, which is the
    largest possible number of pairs. SpikeInterface counts the same wherever
    no unit fires twice within twice the tolerance; where one does, it may
    count a spike twice, which this does not.

    Parameters
    ----------
    truth, found : Sorting
    tolerance_samples : int
        At least 0.

    Returns
    -------
    ndarray, shape (n_true_units, n_found_units), int64

    Notes
    -----
    O(n_spikes + coincidences) time, O(n_true_units · n_found_units) memory.
    """
    return _count_matches(
        truth.sample_index,
        truth.unit_index,
        found.sample_index,
        found.unit_index,
        np.zeros((truth.n_units, found.n_units), np.int64),
        tolerance_samples,
    )


def match_trains(first: IntArray, second: IntArray, tolerance_samples: int) -> IntArray:
    """Pair the spikes of two trains, earliest first, each spike used once.

    Parameters
    ----------
    first, second : ndarray, int64
        Spike samples, non-decreasing.
    tolerance_samples : int
        Largest distance within a pair.

    Returns
    -------
    ndarray, shape (len(first),), int64
        Position in ``second`` of the partner of each spike of ``first``; −1 for none.

    Notes
    -----
    O(len(first) + len(second)). For points on a line the earliest-first
    pairing has the largest possible number of pairs.

    Examples
    --------
    >>> match_trains(np.array([10, 20, 50]), np.array([12, 19, 21]), 2).tolist()
    [0, 1, -1]
    """
    return _match_trains(first, second, tolerance_samples)


def spikes_of_units(sorting: Sorting) -> list[IntArray]:
    """Return the positions of each unit's spikes, in order of time."""
    order = np.argsort(sorting.unit_index, kind="stable")
    return np.split(order, np.cumsum(sorting.spike_counts())[:-1])


@njit(cache=True, nogil=True)
def _count_matches(  # type: ignore[no-untyped-def]  # noqa: ANN202
    truth_sample,  # noqa: ANN001
    truth_unit,  # noqa: ANN001
    found_sample,  # noqa: ANN001
    found_unit,  # noqa: ANN001
    counts,  # noqa: ANN001
    tolerance,  # noqa: ANN001
):
    n_found = len(found_sample)
    last_truth = np.full(counts.shape, -1, np.int64)
    last_found = np.full(counts.shape, -1, np.int64)
    start = 0
    for i in range(len(truth_sample)):
        while start < n_found and found_sample[start] < truth_sample[i] - tolerance:
            start += 1
        j = start
        while j < n_found and found_sample[j] <= truth_sample[i] + tolerance:
            t, f = truth_unit[i], found_unit[j]
            if last_truth[t, f] != i and last_found[t, f] < j:
                last_truth[t, f] = i
                last_found[t, f] = j
                counts[t, f] += 1
            j += 1
    return counts


@njit(cache=True, nogil=True)
def _match_trains(first, second, tolerance):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    partner = np.full(len(first), -1, np.int64)
    j = 0
    for i in range(len(first)):
        while j < len(second) and second[j] < first[i] - tolerance:
            j += 1
        if j < len(second) and second[j] <= first[i] + tolerance:
            partner[i] = j
            j += 1
    return partner
