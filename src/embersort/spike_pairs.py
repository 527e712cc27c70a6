"""Pairs of spikes near in time: how many at each lag, and which are too near for one neuron."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import BoolArray, IntArray

REFRACTORY_MS = 2.0
"""A neuron's spikes are at least this far apart: one value from clustering to the report. Chosen on
the development recordings, 2026-12-01: at 1.5 ms, too few pairs tell two neurons from one."""


@njit(nogil=True, cache=True)
def lag_counts(
    first: NDArray[np.int64], second: NDArray[np.int64], reach: int
) -> NDArray[np.int64]:
    """Count the pairs of spikes of two trains at each lag.

    Parameters
    ----------
    first, second : ndarray, shape (n,), int64
        Spike samples in order.
    reach : int
        Longest lag in samples, either way.

    Returns
    -------
    ndarray, shape (2 * reach + 1,), int64
        Pairs at each lag of the second behind the first, from ``-reach`` on. O(n + pairs).
    """
    counts = np.zeros(2 * reach + 1, np.int64)
    start = 0
    for t in first:
        while start < len(second) and second[start] < t - reach:
            start += 1
        i = start
        while i < len(second) and second[i] <= t + reach:
            counts[second[i] - t + reach] += 1
            i += 1
    return counts


def short_intervals(train: IntArray, sampling_rate_hz: float) -> BoolArray:
    """Say which intervals between successive spikes are below `REFRACTORY_MS`.

    Parameters
    ----------
    train : ndarray, shape (n,), int64
        Spike samples in order.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n - 1,), bool
    """
    return np.asarray(np.diff(train) < REFRACTORY_MS * 1e-3 * sampling_rate_hz)
