"""Common median reference."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import BoolArray, Geometry

MIN_CHANNELS = 8
"""With fewer channels than this the median follows the spikes themselves."""


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
        ``auto`` leaves out shanks with fewer than `MIN_CHANNELS` good channels.

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


def subtract_median(
    traces: NDArray[np.float32], groups: tuple[NDArray[np.int64], ...]
) -> NDArray[np.float32]:
    """Return the traces less the median over each group's channels, sample by sample.

    O(n_samples · n_channels) on average (quickselect).
    """
    if not groups:
        return traces
    referenced = traces.copy()
    for group in groups:
        _subtract_median(referenced, group)
    return referenced


@njit(nogil=True, cache=True)
def _subtract_median(x: NDArray[np.float32], group: NDArray[np.int64]) -> None:
    n = len(group)
    values = np.empty(n, np.float32)
    for t in range(x.shape[0]):
        for i in range(n):
            values[i] = x[t, group[i]]
        median = _select(values, n // 2)
        if n % 2 == 0:
            # After the selection all smaller values stand in front of the upper middle one.
            lower = values[0]
            for i in range(1, n // 2):
                lower = max(lower, values[i])
            median = np.float32(0.5) * (median + lower)
        for i in range(n):
            x[t, group[i]] -= median


@njit(nogil=True, cache=True)
def _select(values: NDArray[np.float32], k: int) -> np.float32:
    """Return the k-th smallest value; reorders ``values`` (Hoare 1961, quickselect)."""
    low, high = 0, len(values) - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            return values[k]
    return values[k]
