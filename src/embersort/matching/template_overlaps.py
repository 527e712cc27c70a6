"""What taking out one template takes from the scores of the templates near it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

N_AT_ONCE = 8
"""Samples of a template that are added in one pass."""


class Overlaps(NamedTuple):
    """Overlaps of the templates of a bank, and where they are to be found.

    Attributes
    ----------
    near : ndarray, shape (n_units, n_near), int64
    pair_start : ndarray, shape (n_units + 1,), int64
    overlap : ndarray, shape (n_rows, 2 * n_window - 1), float32
    strongest : ndarray, shape (n_rows,), float32
        As in `embersort.matching.bank.TemplateBank`: only pairs that are near have rows.
    """

    near: NDArray[np.int64]
    pair_start: NDArray[np.int64]
    overlap: NDArray[np.float32]
    strongest: NDArray[np.float32]


class OverlapInputs(NamedTuple):
    """What overlaps are computed from; see `embersort.matching.bank.TemplateBank`.

    Attributes
    ----------
    spatial : ndarray, shape (n_channels, n_units, rank), float32
    temporal : ndarray, shape (n_units, rank, n_window), float32
    shifted : ndarray, shape (n_units, n_shifts, n_window, n_support), float32
    channels : ndarray, shape (n_units, n_support), int64
    """

    spatial: NDArray[np.float32]
    temporal: NDArray[np.float32]
    shifted: NDArray[np.float32]
    channels: NDArray[np.int64]


def correlate_near(
    arrays: OverlapInputs, near: NDArray[np.int64], known: Overlaps, row: NDArray[np.int64]
) -> Overlaps:
    """Correlate what is subtracted with what is looked for, at all lags.

    Parameters
    ----------
    arrays : OverlapInputs
    near : ndarray, shape (n_units, n_near), int64
        Pairs that are wanted, padded with -1.
    known : Overlaps
        Of another bank.
    row : ndarray, shape (n_units,), int64
        Where that bank has the same template, or -1. What is known of two such is copied.

    Notes
    -----
    O(n_units · n_near · n_shifts · n_window² · rank) for pairs that are not known.
    """
    return _correlate_near(arrays, near, start_pairs(near, arrays.shifted.shape[1]), known, row)


def start_pairs(near: NDArray[np.int64], n_shifts: int) -> NDArray[np.int64]:
    """Return the row with which each unit's pairs start, and how many there are, (n_units + 1,)."""
    return np.concatenate([[0], np.cumsum(n_shifts * np.count_nonzero(near >= 0, axis=1))])


@njit(nogil=True, cache=True)
def _correlate_near(
    arrays: OverlapInputs,
    near: NDArray[np.int64],
    start: NDArray[np.int64],
    known: Overlaps,
    row: NDArray[np.int64],
) -> Overlaps:
    n_units, n_shifts, n_window, n_support = arrays.shifted.shape
    overlap = np.empty((start[-1], 2 * n_window - 1), np.float32)
    strongest = np.empty(start[-1], np.float32)
    side = N_AT_ONCE - 1
    backwards = np.zeros((n_units, arrays.temporal.shape[1], n_window + 2 * side), np.float32)
    backwards[:, :, side : side + n_window] = arrays.temporal[:, :, ::-1]
    by_channel = np.empty((n_shifts, n_support, n_window), np.float32)
    place = np.full(len(known.near), -1)
    for u in range(n_units):
        if row[u] >= 0:
            place[:] = -1
            for k in range(known.near.shape[1]):
                if known.near[row[u], k] >= 0:
                    place[known.near[row[u], k]] = k
        by_channel[:] = arrays.shifted[u].transpose(0, 2, 1)
        n_near = (start[u + 1] - start[u]) // n_shifts
        for k in range(n_near):
            v = near[u, k]
            if row[u] >= 0 and row[v] >= 0 and place[row[v]] >= 0:
                first, stop = known.pair_start[row[u]], known.pair_start[row[u] + 1]
                n_known = (stop - first) // n_shifts
                for s in range(n_shifts):
                    new, old = start[u] + s * n_near + k, first + s * n_known + place[row[v]]
                    overlap[new] = known.overlap[old]
                    strongest[new] = known.strongest[old]
                continue
            weight = arrays.spatial[:, v]
            for s in range(n_shifts):
                new = start[u] + s * n_near + k
                _put_pair(by_channel[s], arrays.channels[u], weight, backwards[v], overlap[new])
                strongest[new] = np.abs(overlap[new]).max()
    return Overlaps(near, start, overlap, strongest)


@njit(nogil=True, cache=True)
def _put_pair(
    template: NDArray[np.float32],
    channels: NDArray[np.int64],
    weight: NDArray[np.float32],
    backwards: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Put into ``out`` what a template takes from the components of another.

    Those are given in reverse, with zeros for all but one of `N_AT_ONCE` samples on either side.
    """
    n_window = template.shape[1]
    n_padded = -(-n_window // N_AT_ONCE) * N_AT_ONCE
    projected = np.zeros(n_padded, np.float32)
    total = np.zeros(2 * n_padded, np.float32)
    for r in range(len(backwards)):
        # What a template needs no component for is zero.
        if not backwards[r].any():
            continue
        projected[:] = 0
        for i in range(len(channels)):
            if channels[i] < 0:
                break
            w, trace = weight[channels[i], r], template[i]
            if w != 0:
                for t in range(n_window):
                    projected[t] += w * trace[t]
        # Sample t meets sample n - 1 - q of the other where that starts t - (n - 1 - q) later.
        for t in range(0, n_padded, N_AT_ONCE):
            _add_eight(total[t : t + n_window + N_AT_ONCE - 1], projected[t:], backwards[r])
    out[:] = total[: len(out)]


@njit(nogil=True, cache=True)
def _add_eight(
    out: NDArray[np.float32], value: NDArray[np.float32], wave: NDArray[np.float32]
) -> None:
    """Add a wave times each of eight values, each a sample later, in this order.

    ``out`` is loaded and stored once instead of eight times, which is what the time goes into.
    """
    v0, v1, v2, v3 = value[0], value[1], value[2], value[3]
    v4, v5, v6, v7 = value[4], value[5], value[6], value[7]
    for i in range(len(out)):
        total = out[i]
        total += v0 * wave[i + 7]
        total += v1 * wave[i + 6]
        total += v2 * wave[i + 5]
        total += v3 * wave[i + 4]
        total += v4 * wave[i + 3]
        total += v5 * wave[i + 2]
        total += v6 * wave[i + 1]
        total += v7 * wave[i]
        out[i] = total
