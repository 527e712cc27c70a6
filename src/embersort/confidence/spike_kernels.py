"""What one spike's code says of it: how well it fits its own unit, and how well another."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.confidence.templates import MAX_SCALE, MIN_SCALE, NONE
from embersort.types import IntArray

N_LOCAL_SPIKES = 5
"""Spikes of the unit before, and as many after, that a spike is compared with."""


@njit(cache=True, nogil=True)
def misfits(
    codes: NDArray[np.float32],
    channel_index: IntArray,
    unit_index: IntArray,
    templates: NDArray[np.float32],
    neighbours: IntArray,
    rivals: IntArray,
) -> NDArray[np.float64]:
    """Return squared distances of each spike to its own template and to the best rival's.

    Parameters
    ----------
    codes : ndarray, shape (n_spikes, n_local * n_components), float32
    channel_index, unit_index : ndarray, shape (n_spikes,), int64
    templates : ndarray, shape (n_units, n_channels, n_components), float32
    neighbours : ndarray, shape (n_channels, n_local), int64
    rivals : ndarray, shape (n_units, n_rivals), int64

    Returns
    -------
    ndarray, shape (n_spikes, 2), float64
        Each template is scaled to fit. Infinite where a unit has no rival.
    """
    result = np.empty((len(codes), 2))
    for i in range(len(codes)):
        unit, local = unit_index[i], neighbours[channel_index[i]]
        result[i, 0] = _misfit(codes[i], templates[unit], local)
        best = np.inf
        for rival in rivals[unit]:
            if rival == NONE:
                break
            best = min(best, _misfit(codes[i], templates[rival], local))
        result[i, 1] = best
    return result


@njit(cache=True, nogil=True)
def _misfit(code: NDArray[np.float32], template: NDArray[np.float32], local: IntArray) -> float:
    """Return the squared distance of a code to a template, scaled to fit."""
    n_components = template.shape[1]
    own = dot = norm2 = 0.0
    for j in range(len(local)):
        channel = local[j]
        if channel < 0:
            continue
        for k in range(n_components):
            x, t = code[j * n_components + k], template[channel, k]
            own += x * x
            dot += x * t
            norm2 += t * t
    scale = MIN_SCALE
    if norm2 > 0:
        scale = min(max(dot / norm2, MIN_SCALE), MAX_SCALE)
    return own - 2 * scale * dot + scale * scale * norm2


@njit(cache=True, nogil=True)
def local_misfits(
    codes: NDArray[np.float32], channel_index: IntArray, rows: IntArray, edges: IntArray
) -> NDArray[np.float64]:
    """Return the squared distance of each spike to the mean of its unit's spikes round it in time.

    Parameters
    ----------
    codes : ndarray, shape (n_spikes, n_codes), float32
    channel_index : ndarray, shape (n_spikes,), int64
        Only spikes with codes round the same channel are compared.
    rows : ndarray, shape (n_spikes,), int64
        Spikes by unit, in order of time within each.
    edges : ndarray, shape (n_units + 1,), int64
        Where each unit's rows start.

    Returns
    -------
    ndarray, shape (n_spikes,), float64
        Less what the mean's own noise adds; NaN without another spike. A unit that drifts slowly
        stays near its neighbours in time.
    """
    n_codes = codes.shape[1]
    result = np.full(len(codes), np.nan)
    mean = np.empty(n_codes)
    for u in range(len(edges) - 1):
        for place in range(edges[u], edges[u + 1]):
            row = rows[place]
            mean[:] = 0.0
            n = 0
            low = max(edges[u], place - N_LOCAL_SPIKES)
            for other in range(low, min(edges[u + 1], place + N_LOCAL_SPIKES + 1)):
                if other == place or channel_index[rows[other]] != channel_index[row]:
                    continue
                n += 1
                for k in range(n_codes):
                    mean[k] += codes[rows[other], k]
            if n == 0:
                continue
            total = 0.0
            for k in range(n_codes):
                total += (codes[row, k] - mean[k] / n) ** 2
            result[row] = total * n / (n + 1)
    return result


@njit(cache=True, nogil=True)
def disturbances(
    sample_index: IntArray,
    unit_index: IntArray,
    gain: NDArray[np.float32],
    shared: NDArray[np.float64],
    window_samples: int,
) -> NDArray[np.float64]:
    """Return by how much other spikes at the same time and place could disturb each spike.

    Parameters
    ----------
    sample_index, unit_index : ndarray, shape (n_spikes,), int64
        In order of time.
    gain : ndarray, shape (n_spikes,), float32
    shared : ndarray, shape (n_units, n_units), float64
        How far two units share their channels.
    window_samples : int
        Spikes nearer than this count.

    Returns
    -------
    ndarray, shape (n_spikes, 2), float64
        Largest gain of another unit's spike times what the two share; and that of the spikes
        that came earlier alone.
    """
    n = len(sample_index)
    result = np.zeros((n, 2))
    for i in range(n):
        j = i - 1
        while j >= 0 and sample_index[i] - sample_index[j] < window_samples:
            u, v = unit_index[i], unit_index[j]
            if u != v:
                here, there = gain[j] * shared[u, v], gain[i] * shared[u, v]
                result[i, 0] = max(result[i, 0], here)
                result[i, 1] = max(result[i, 1], here)
                result[j, 0] = max(result[j, 0], there)
            j -= 1
    return result
