"""Sums over the spikes of a unit, in a fixed order."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import IntArray

MAX_SPIKES = 400
"""Of more spikes only so many, evenly spread, shape the direction in which a unit spreads."""
N_ITERATIONS = 8
TINY = 1e-9


@njit(cache=True, nogil=True)
def pairs_within(
    first_sample: IntArray,
    first_edges: IntArray,
    second_sample: IntArray,
    second_edges: IntArray,
    partner: IntArray,
    window_samples: int,
) -> NDArray[np.float64]:
    """Count the pairs of spikes of each unit and its partner that are near in time.

    Parameters
    ----------
    first_sample, second_sample : ndarray, int64
        Spikes by unit, in order of time within each.
    first_edges, second_edges : ndarray, shape (n_units + 1,), int64
        Where each unit's spikes start.
    partner : ndarray, shape (n_units,), int64
        Unit of the second that each of the first is held against.
    window_samples : int
        Pairs at most so far apart count, in either direction.
    """
    counts = np.zeros(len(partner))
    for u in range(len(partner)):
        low, stop = second_edges[partner[u]], second_edges[partner[u] + 1]
        for i in range(first_edges[u], first_edges[u + 1]):
            while low < stop and second_sample[low] < first_sample[i] - window_samples:
                low += 1
            j = low
            while j < stop and second_sample[j] <= first_sample[i] + window_samples:
                counts[u] += 1
                j += 1
    return counts


@njit(cache=True, nogil=True)
def leading_spread(
    codes: NDArray[np.float32],
    channel_index: IntArray,
    n_channels: int,
    rows: IntArray,
    edges: IntArray,
) -> NDArray[np.float64]:
    """Return how each unit's spikes spread along the direction in which they spread most.

    Parameters
    ----------
    codes : ndarray, shape (n_spikes, n_local * n_components), float32
    channel_index : ndarray, shape (n_spikes,), int64
    n_channels : int
    rows, edges : ndarray, int64
        Spikes by unit, and where each unit's start.

    Returns
    -------
    ndarray, shape (n_units, 3), float64
        Standard deviation along it, over that of a typical dimension; coefficient of
        bimodality, (skew² + 1) / kurtosis, 1/3 for a normal distribution and 1 for two points;
        and by how much the mean of the last third lies from that of the first, on the same
        scale. Only the spikes on the unit's commonest channel are looked at; NaN below three of
        them.
    """
    n_units = len(edges) - 1
    result = np.full((n_units, 3), np.nan)
    for u in range(n_units):
        mine = rows[edges[u] : edges[u + 1]]
        channel = _commonest(channel_index[mine], n_channels)
        mine = mine[channel_index[mine] == channel]
        if len(mine) < 3:
            continue
        step = max(1, (len(mine) + MAX_SPIKES - 1) // MAX_SPIKES)
        mine = mine[::step]
        if len(mine) < 3:
            continue
        deviation = _deviations(codes, mine)
        along = _principal(deviation)
        spread, result[u, 1] = _moments(along)
        typical = np.sqrt((deviation**2).mean()) + TINY
        third = len(along) // 3
        result[u, 0] = spread / typical
        result[u, 2] = abs(along[-third:].mean() - along[:third].mean()) / typical
    return result


@njit(cache=True, nogil=True)
def _commonest(channels: IntArray, n_channels: int) -> int:
    counts = np.zeros(n_channels, np.int64)
    for channel in channels:
        counts[channel] += 1
    return int(counts.argmax())


@njit(cache=True, nogil=True)
def _deviations(codes: NDArray[np.float32], rows: IntArray) -> NDArray[np.float64]:
    """Return codes less their mean."""
    n_codes = codes.shape[1]
    mean = np.zeros(n_codes)
    for row in rows:
        for k in range(n_codes):
            mean[k] += codes[row, k]
    result = np.empty((len(rows), n_codes))
    for i in range(len(rows)):
        for k in range(n_codes):
            result[i, k] = codes[rows[i], k] - mean[k] / len(rows)
    return result


@njit(cache=True, nogil=True)
def _principal(deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the projections on the first principal direction, by power iteration."""
    n, n_codes = deviation.shape
    length2 = np.zeros(n)
    for i in range(n):
        for k in range(n_codes):
            length2[i] += deviation[i, k] ** 2
    direction = deviation[length2.argmax()].copy()
    along = np.zeros(n)
    if length2.max() <= 0:
        return along
    for _ in range(N_ITERATIONS):
        direction /= np.sqrt((direction**2).sum())
        along[:] = 0.0
        for i in range(n):
            for k in range(n_codes):
                along[i] += deviation[i, k] * direction[k]
        direction[:] = 0.0
        for i in range(n):
            for k in range(n_codes):
                direction[k] += along[i] * deviation[i, k]
    return along


@njit(cache=True, nogil=True)
def _moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return standard deviation and coefficient of bimodality."""
    second = third = fourth = 0.0
    mean = values.mean()
    for value in values:
        square = (value - mean) ** 2
        second += square
        third += square * (value - mean)
        fourth += square * square
    n = len(values)
    second, third, fourth = second / n, third / n, fourth / n
    if second <= 0:
        return 0.0, 1.0
    skew, kurtosis = third / second**1.5, fourth / second**2
    return np.sqrt(second), (skew * skew + 1) / kurtosis
