"""Spikes that overlap, fitted together: each is put back, and fitted anew to what the others leave.

A greedy fit credits the first spike with part of what overlaps it. Putting one spike back at a time
until none changes solves for all amplitudes at once: it is the Gauss-Seidel method on the normal
equations of the overlapping spikes (orthogonal matching pursuit, Pati et al. 1993), within the
bounds that an amplitude has, and it also mends times that an overlap has moved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.single_fit import (
    BankArrays,
    FitCriteria,
    Traces,
    first_row,
    place_near,
    restore_spike,
    shift_of,
    subtract_spike,
    vertex,
)

MAX_SWEEPS = 30
"""A bound on the sweeps over overlapping spikes; most settle in a few."""

SETTLED = 1e-3
"""A spike whose scale changes by less than this does not concern its neighbours."""


class Spikes(NamedTuple):
    """Spikes found so far, in the order in which they were found; changed in place.

    Attributes
    ----------
    sample, unit, shift, kind : ndarray, shape (n_spikes,), int64
    scaling, decrease : ndarray, shape (n_spikes,), float64
        A scale of 0 marks a spike that was given up.
    unsettled : ndarray, shape (n_spikes,), bool
        Whether something near has changed since the spike was fitted.
    """

    sample: NDArray[np.int64]
    unit: NDArray[np.int64]
    shift: NDArray[np.int64]
    kind: NDArray[np.int64]
    scaling: NDArray[np.float64]
    decrease: NDArray[np.float64]
    unsettled: NDArray[np.bool_]


class _Overlaps(NamedTuple):
    """Who overlaps whom: spike ``i`` overlaps ``other[first[i] : first[i + 1]]``."""

    first: NDArray[np.int64]
    other: NDArray[np.int64]


@njit(nogil=True, cache=True)
def refit(traces: Traces, arrays: BankArrays, criteria: FitCriteria, spikes: Spikes) -> None:
    """Fit the unsettled spikes anew, and what they overlap, until nothing changes.

    Parameters
    ----------
    traces : Traces
        Without the spikes; changed in place.
    arrays : BankArrays
    criteria : FitCriteria
    spikes : Spikes
        Changed in place.

    Notes
    -----
    O(n_changes · n_window · n_near); spikes that overlap no other cost next to nothing.
    """
    overlaps = _find_overlaps(spikes, arrays)
    for new in np.flatnonzero(spikes.unsettled):
        others = overlaps.other[overlaps.first[new] : overlaps.first[new + 1]]
        spikes.unsettled[others] = True
        # Alone, a spike has been fitted as well as it can be.
        spikes.unsettled[new] = len(others) > 0
    for _ in range(MAX_SWEEPS):
        pending = np.flatnonzero(spikes.unsettled)
        if len(pending) == 0:
            break
        for index in pending:
            i = int(index)
            spikes.unsettled[i] = False
            if spikes.scaling[i] > 0 and _fit_again(traces, arrays, criteria, spikes, i):
                spikes.unsettled[overlaps.other[overlaps.first[i] : overlaps.first[i + 1]]] = True
    spikes.unsettled[:] = False


@njit(nogil=True, cache=True)
def _find_overlaps(spikes: Spikes, arrays: BankArrays) -> _Overlaps:
    n_spikes, n_window = len(spikes.sample), arrays.shifted.shape[2]
    order = np.argsort(spikes.sample, kind="mergesort")
    firsts, seconds = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    count = np.zeros(n_spikes + 1, np.int64)
    for a in range(n_spikes):
        i = order[a]
        for b in range(a + 1, n_spikes):
            j = order[b]
            if spikes.sample[j] - spikes.sample[i] >= n_window:
                break
            if spikes.scaling[i] == 0 or spikes.scaling[j] == 0:
                continue
            if place_near(arrays, spikes.unit[i], spikes.unit[j]) >= 0:
                firsts.append(i)
                seconds.append(j)
                count[i + 1] += 1
                count[j + 1] += 1
    first = np.cumsum(count)
    place = first[:-1].copy()
    other = np.empty(2 * len(firsts), np.int64)
    for k in range(len(firsts)):
        i, j = firsts[k], seconds[k]
        other[place[i]] = j
        other[place[j]] = i
        place[i] += 1
        place[j] += 1
    return _Overlaps(first, other)


@njit(nogil=True, cache=True)
def _fit_again(
    traces: Traces, arrays: BankArrays, criteria: FitCriteria, spikes: Spikes, i: int
) -> bool:
    """Fit one spike to the traces without it; say whether that changes it.

    It may move by a sample at a time, and is given up where it is no longer worth a spike.
    """
    t, u, s, scaling = spikes.sample[i], spikes.unit[i], spikes.shift[i], spikes.scaling[i]
    if t - 2 < traces.first or t + 2 > traces.last:
        return False
    around = _scores_without(traces, arrays, (t, u, s), scaling)
    step = 0
    if around[1] > around[2]:
        step = -1
    elif around[3] > around[2]:
        step = 1
    offset, peak = vertex(around[step + 1], around[step + 2], around[step + 3])
    kind = spikes.kind[i]
    prior, mean, threshold = criteria.prior[kind], criteria.mean[kind], arrays.least_gain[kind, u]
    norm2, pull = arrays.norm2[u] + prior, peak + prior * mean
    new = min(max(pull / norm2, criteria.min_scale[kind]), criteria.max_scale)
    decrease = 2 * new * pull - new * new * norm2 - prior * mean * mean
    shift = shift_of(offset, arrays.shifted.shape[1])
    spikes.decrease[i] = decrease
    if decrease > threshold and step == 0 and shift == s and abs(new - scaling) < SETTLED:
        return False
    if decrease > threshold and step == 0 and shift == s:
        subtract_spike(traces, arrays, (t, u, s), new - scaling)
        spikes.scaling[i] = new
        return True
    restore_spike(traces, arrays, (t, u, s), scaling)
    spikes.scaling[i] = 0.0
    if decrease > threshold:
        spikes.sample[i], spikes.shift[i], spikes.scaling[i] = t + step, shift, new
        subtract_spike(traces, arrays, (t + step, u, shift), new)
    return True


@njit(nogil=True, cache=True)
def _scores_without(
    traces: Traces, arrays: BankArrays, place: tuple[int, int, int], scaling: float
) -> NDArray[np.float64]:
    """Return the scores two samples before to two samples after a spike, were it put back."""
    t, u, s = place
    own, middle = arrays.overlap[first_row(arrays, u, s)], arrays.shifted.shape[2] - 1
    around = np.empty(5)
    for k in range(5):
        around[k] = traces.score[u, t + k - 2] + scaling * own[middle + k - 2]
    return around
