"""What is kept of spikes cleaned of their neighbours: sums by unit, snippets on local channels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import IntArray

NOISE_SD = np.float32(3.0)
"""Noise may have this many standard deviations more of energy than it has in the mean."""


def sum_by_unit(cleaned: NDArray[np.float32], unit: IntArray, n_units: int) -> NDArray[np.float64]:
    """Return the sum of each unit's snippets, in their order.

    Parameters
    ----------
    cleaned : ndarray, shape (n_spikes, n_window, n_support), float32
    unit : ndarray, shape (n_spikes,), int64
    n_units : int

    Returns
    -------
    ndarray, shape (n_units, n_window, n_support), float64
    """
    return _sum_by_unit(cleaned, unit, n_units)


def replace_own_channels(
    local: NDArray[np.float32],
    cleaned: NDArray[np.float32],
    unit: IntArray,
    support: IntArray,
    neighbours: IntArray,
) -> None:
    """Put what was cleaned in place of the residual, on the channels that a template has.

    Parameters
    ----------
    local : ndarray, shape (n_spikes, n_window, n_local), float32
        Residual on the local channels of each unit's main channel; changed in place.
    cleaned : ndarray, shape (n_spikes, n_window, n_support), float32
    unit : ndarray, shape (n_spikes,), int64
    support : ndarray, shape (n_units, n_support), int64
        Channels of each template, the main one first, padded with -1.
    neighbours : ndarray, shape (n_channels, n_local), int64
        Local channels of each main channel, padded with -1.
    """
    own = neighbours[support[:, 0]]
    same = (own[:, :, None] == support[:, None, :]) & (own[:, :, None] >= 0)
    place = np.where(same.any(axis=2), same.argmax(axis=2), -1)
    _replace(local, cleaned, unit, place)


def explained_share(
    cleaned: NDArray[np.float32], own: NDArray[np.float32], used: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the share of the energy of each spike, less that of the noise, that a template has.

    Parameters
    ----------
    cleaned : ndarray, shape (n_spikes, n_window, n_support), float32
        Residual and template, white.
    own : ndarray, shape (n_spikes, n_window, n_support), float32
        The template as it was fitted; 0 on channels that are not used.
    used : ndarray, shape (n_spikes, n_support), bool
        Channels that the template has.

    Returns
    -------
    ndarray, shape (n_spikes,), float32
        1 if noise may have added the rest; the squared cosine between both for a spike of another
        shape that stands out far enough.
    """
    energy = np.einsum("ntc,ntc,nc->n", cleaned, cleaned, used, dtype=np.float32)
    explained = np.einsum("ntc,ntc->n", own, own)
    noise = np.float32(cleaned.shape[1]) * used.sum(axis=1, dtype=np.float32)
    most_noise = noise + NOISE_SD * np.sqrt(2 * noise)
    return explained / np.maximum(energy - most_noise, explained)


@njit(nogil=True, cache=True)
def _sum_by_unit(
    cleaned: NDArray[np.float32], unit: NDArray[np.int64], n_units: int
) -> NDArray[np.float64]:
    n_spikes, n_window, n_support = cleaned.shape
    sums = np.zeros((n_units, n_window, n_support))
    for i in range(n_spikes):
        out = sums[unit[i]]
        for t in range(n_window):
            for j in range(n_support):
                out[t, j] += cleaned[i, t, j]
    return sums


@njit(nogil=True, cache=True)
def _replace(
    local: NDArray[np.float32],
    cleaned: NDArray[np.float32],
    unit: NDArray[np.int64],
    place: NDArray[np.int64],
) -> None:
    n_spikes, n_window, n_local = local.shape
    for i in range(n_spikes):
        for j in range(n_local):
            column = place[unit[i], j]
            if column >= 0:
                for t in range(n_window):
                    local[i, t, j] = cleaned[i, t, column]
