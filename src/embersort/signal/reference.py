"""Common median reference."""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import BoolArray, FloatArray, Geometry

MIN_CHANNELS = 8
"""With fewer channels than this the median follows the spikes themselves."""

FAR = 0.75
"""Quantile of the distances between channels from which on they are far apart."""

TISSUE_UM = 40.0
"""Noise of tissue decays with distance at least this fast."""

LEAST_SHARED = 0.1
"""Correlation from which on noise is shared, at any distance."""

LANES = 64
"""Samples whose medians are found at a time: of 384 channels their values fit in a small cache."""


def reference_groups(
    geometry: Geometry, channel_ok: BoolArray, mode: str
) -> tuple[NDArray[np.int64], ...]:
    """Return the groups of channels that share a reference: the good channels of each shank.

    Parameters
    ----------
    geometry : Geometry
    channel_ok : ndarray, shape (n_channels,), bool
        Channels that are not good neither give nor get a reference.
    mode : {"auto", "median", "none"}
        ``auto`` leaves out shanks with fewer than `MIN_CHANNELS` good channels, and is for
        recordings of which `shares_noise` holds.

    Returns
    -------
    tuple of ndarray, int64
        Channel indices of each group.
    """
    if mode == "none":
        return ()
    least = MIN_CHANNELS if mode == "auto" else 2
    groups = (
        np.flatnonzero(channel_ok & (geometry.shank_index == shank))
        for shank in np.unique(geometry.shank_index)
    )
    return tuple(group for group in groups if len(group) >= least)


def shares_noise(covariance: FloatArray, geometry: Geometry, channel_ok: BoolArray) -> bool:
    """Say whether channels far apart have noise in common, as from hum, movement or the reference.

    Parameters
    ----------
    covariance : ndarray, shape (n_channels, n_channels)
        Of the noise of the channels.
    geometry : Geometry
    channel_ok : ndarray, shape (n_channels,), bool
        Channels that are not good say nothing.

    Returns
    -------
    bool
        Whether the pairs of channels that are farther apart than three quarters of all, on the
        same shank, are correlated by more than tissue makes them over such a distance.
    """
    first, second = np.nonzero(np.triu(geometry.shank_index[:, None] == geometry.shank_index, 1))
    good = channel_ok[first] & channel_ok[second]
    first, second = first[good], second[good]
    if len(first) == 0:
        return False
    apart = geometry.positions_um[first] - geometry.positions_um[second]
    distance_um = np.sqrt(np.square(apart).sum(axis=1))
    far = distance_um >= np.quantile(distance_um, FAR)
    variance = np.diagonal(covariance)
    correlation = covariance[first, second] / np.sqrt(variance[first] * variance[second])
    by_tissue = np.exp(-distance_um[far].mean() / TISSUE_UM)
    return bool(correlation[far].mean() > max(by_tissue, LEAST_SHARED))


def subtract_median(
    traces: NDArray[np.float32], groups: tuple[NDArray[np.int64], ...]
) -> NDArray[np.float32]:
    """Return the traces less the median over each group's channels, sample by sample.

    O(n_samples · n_channels · log² n_channels); samples are the SIMD lanes.
    """
    if not groups:
        return traces
    referenced = traces.copy()
    for group in groups:
        _subtract_median(referenced, group, median_network(len(group)))
    return referenced


@cache
def median_network(n_values: int) -> NDArray[np.int64]:
    """Return the comparators that bring the middle of ``n_values`` values to its place.

    Returns
    -------
    ndarray, shape (n_comparators, 2), int64
        Places whose values are put in order, one pair after the other. Batcher's odd-even merge
        sort (Knuth, The Art of Computer Programming 3, section 5.2.2, algorithm M), without the
        comparators that the middle does not depend on.
    """
    pairs = []
    top = 1 << max(n_values - 1, 0).bit_length() >> 1
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(n_values - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    wanted = {n_values // 2, (n_values - 1) // 2}
    kept = []
    for low, high in reversed(pairs):
        if low in wanted or high in wanted:
            wanted |= {low, high}
            kept.append((low, high))
    return np.array(kept[::-1], np.int64).reshape(-1, 2)


@njit(nogil=True, cache=True)
def _subtract_median(
    x: NDArray[np.float32], group: NDArray[np.int64], network: NDArray[np.int64]
) -> None:
    n = len(group)
    values = np.empty((n, LANES), np.float32)
    for start in range(0, len(x), LANES):
        n_lanes = min(LANES, len(x) - start)
        for t in range(n_lanes):
            for i in range(n):
                values[i, t] = x[start + t, group[i]]
        for pair in network:
            _order(values[pair[0]], values[pair[1]])
        upper, lower = values[n // 2], values[(n - 1) // 2]
        for t in range(n_lanes):
            median = upper[t] if n % 2 else np.float32(0.5) * (upper[t] + lower[t])
            for i in range(n):
                x[start + t, group[i]] -= median


@njit(nogil=True, cache=True)
def _order(low: NDArray[np.float32], high: NDArray[np.float32]) -> None:
    """Put the smaller of each two values into ``low``."""
    for t in range(LANES):
        a, b = low[t], high[t]
        low[t] = b if b < a else a
        high[t] = a if b < a else b
