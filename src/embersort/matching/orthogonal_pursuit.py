"""Overlap resolution: the best fit is subtracted first, and what it hid shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.bank import TemplateBank
from embersort.matching.fit_constraints import (
    AcceptedSpikes,
    by_time,
    is_past_refractory,
    shape_error_allowance,
)
from embersort.matching.joint_refit import Spikes, refit
from embersort.matching.score import score_templates
from embersort.matching.single_fit import (
    ATTENUATED,
    FULL,
    BankArrays,
    FitCriteria,
    Traces,
    bank_arrays,
    shift_of,
    subtract_spike,
    vertex,
)
from embersort.matching.upsample import whole_range

RIVAL_SHARE = 4
"""Fits nearer than this part of a window may be of one spike: the worse waits for the better."""

MAX_ROUNDS = 20
"""No sample is part of more overlapping spikes than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """Spikes that templates were found to fit, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
    scaling : ndarray, shape (n_spikes,), float32
        Amplitude relative to the template.
    shift_index : ndarray, shape (n_spikes,), int64
        Which of the bank's sub-sample positions.
    decrease : ndarray, shape (n_spikes,), float32
        By how much the fit lowers the squared residual, less its prior's cost.
    """

    sample_index: NDArray[np.int64]
    unit_index: NDArray[np.int64]
    scaling: NDArray[np.float32]
    shift_index: NDArray[np.int64]
    decrease: NDArray[np.float32]


def match_templates(
    white: NDArray[np.float32],
    bank: TemplateBank,
    criteria: FitCriteria,
    active: NDArray[np.bool_] | None = None,
) -> tuple[Matches, NDArray[np.float32]]:
    """Explain white traces by scaled templates, greedily.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
        Left as it is.
    bank : TemplateBank
    criteria : FitCriteria
    active : ndarray, shape (n_units,), bool, optional
        Units that may be used; all by default.

    Returns
    -------
    matches : Matches
        Sample indices count from the start of ``white``.
    residual : ndarray, shape (n_samples, n_channels), float32
        What no template explains.

    Notes
    -----
    A fit of scale a to score s and squared norm n lowers the squared residual by 2as - a²n; a
    normal prior of precision λ round m costs λ(a - m)². Their difference is largest at
    a = (s + λm)/(n + λ) (Pachitariu et al. 2016, equation 7, with m = 1). Each round takes all fits
    that no better one overlaps, so the order does not depend on where a tile starts. When none is
    left, spikes may be smaller than usual.
    """
    if bank.n_units == 0:
        return _nothing(), white.copy()
    score = score_templates(white, bank, active)
    n_samples, n_window = len(white), bank.n_window
    first, last = whole_range(n_samples, bank)
    traces = Traces(
        residual=white.copy(),
        score=score,
        changed=np.ones((bank.n_units, n_samples // n_window + 1), bool),
        first=first,
        last=last,
    )
    spikes = _pursue(traces, bank_arrays(bank, active, criteria), criteria)
    found = np.flatnonzero(spikes.scaling > 0)
    found = found[np.lexsort((spikes.unit[found], spikes.sample[found]))]
    matches = Matches(
        sample_index=spikes.sample[found],
        unit_index=spikes.unit[found],
        scaling=spikes.scaling[found].astype(np.float32),
        shift_index=spikes.shift[found],
        decrease=spikes.decrease[found].astype(np.float32),
    )
    return matches, traces.residual


def _nothing() -> Matches:
    empty = np.zeros(0, np.int64)
    none = np.zeros(0, np.float32)
    return Matches(
        sample_index=empty, unit_index=empty, scaling=none, shift_index=empty, decrease=none
    )


class _Candidates(NamedTuple):
    """Places that are worth a spike."""

    sample: NDArray[np.int64]
    unit: NDArray[np.int64]
    decrease: NDArray[np.float64]


@njit(nogil=True, cache=True)
def _pursue(traces: Traces, arrays: BankArrays, criteria: FitCriteria) -> Spikes:
    """Take out the best fits, round by round, until none is left."""
    spikes = _no_spikes()
    n_samples, n_window = traces.score.shape[1], arrays.shifted.shape[2]
    # As a variable: a literal would be compiled for each kind.
    for kind in (FULL, ATTENUATED):
        if kind == ATTENUATED:
            if criteria.threshold[ATTENUATED] == np.inf:
                break
            traces.changed[:] = True
        for _ in range(MAX_ROUNDS):
            accepted = by_time(spikes, n_samples, n_window)
            candidates = _candidates(traces, arrays, criteria, kind, accepted)
            if len(candidates.sample) == 0:
                break
            spikes = _accept(traces, arrays, criteria, spikes, candidates, kind)
    return spikes


@njit(nogil=True, cache=True)
def _no_spikes() -> Spikes:
    none, nothing = np.zeros(0, np.int64), np.zeros(0)
    return Spikes(none, none, none, none, nothing, nothing, np.zeros(0, np.bool_))


@njit(nogil=True, cache=True)
def _accept(
    traces: Traces,
    arrays: BankArrays,
    criteria: FitCriteria,
    spikes: Spikes,
    candidates: _Candidates,
    kind: int,
) -> Spikes:
    """Take out the best of some candidates, and fit what they overlap anew."""
    traces.changed[:] = False
    chosen = _choose(candidates, traces, arrays)
    # In order of time: the scores round one spike are still at hand for the next.
    chosen = chosen[np.argsort(chosen[:, 0], kind="mergesort")]
    spikes = _joined(spikes, _fit_first(traces, arrays, criteria, chosen, kind))
    refit(traces, arrays, criteria, spikes)
    return spikes


@njit(nogil=True, cache=True)
def _fit_first(
    traces: Traces, arrays: BankArrays, criteria: FitCriteria, chosen: NDArray[np.int64], kind: int
) -> Spikes:
    """Fit spikes of given (sample, unit), none of which overlaps another, and take them out."""
    n = len(chosen)
    shift = np.empty(n, np.int64)
    scaling, decrease = np.empty(n), np.empty(n)
    prior, mean = criteria.prior[kind], criteria.mean[kind]
    for i in range(n):
        t, u = chosen[i]
        row, offset = traces.score[u], 0.0
        peak = float(row[t])
        if traces.first < t < traces.last:
            offset, peak = vertex(row[t - 1], row[t], row[t + 1])
        norm2, pull = arrays.norm2[u] + prior, peak + prior * mean
        shift[i] = shift_of(offset, arrays.shifted.shape[1])
        scaling[i] = pull / norm2
        decrease[i] = pull**2 / norm2 - prior * mean * mean
        subtract_spike(traces, arrays, (t, u, shift[i]), scaling[i])
    return Spikes(
        chosen[:, 0].copy(),
        chosen[:, 1].copy(),
        shift,
        np.full(n, kind),
        scaling,
        decrease,
        np.ones(n, np.bool_),
    )


@njit(nogil=True, cache=True)
def _joined(a: Spikes, b: Spikes) -> Spikes:
    return Spikes(
        np.concatenate((a.sample, b.sample)),
        np.concatenate((a.unit, b.unit)),
        np.concatenate((a.shift, b.shift)),
        np.concatenate((a.kind, b.kind)),
        np.concatenate((a.scaling, b.scaling)),
        np.concatenate((a.decrease, b.decrease)),
        np.concatenate((a.unsettled, b.unsettled)),
    )


@njit(nogil=True, cache=True)
def _candidates(
    traces: Traces, arrays: BankArrays, criteria: FitCriteria, kind: int, accepted: AcceptedSpikes
) -> _Candidates:
    """Return the local maxima of each unit's score that are worth a spike, where scores changed.

    Small spikes keep out of their unit's refractory period.
    """
    times, units = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    decreases = [np.float64(0) for _ in range(0)]
    n_window, last = arrays.shifted.shape[2], traces.last
    prior, mean = criteria.prior[kind], criteria.mean[kind]
    cost = prior * mean * mean
    for u in range(len(traces.score)):
        if arrays.norm2[u] == np.inf:
            continue
        threshold = arrays.least_gain[kind, u]
        row = traces.score[u]
        norm2 = arrays.norm2[u] + prior
        # Scores between these belong to a scale that a spike may have and a gain above threshold.
        enough = np.sqrt((threshold + cost) * norm2)
        least = max(enough, criteria.min_scale[kind] * norm2) - prior * mean
        most = criteria.max_scale * norm2 - prior * mean
        for b in np.flatnonzero(traces.changed[u]):
            start, stop = max(traces.first, b * n_window), min(last + 1, (b + 1) * n_window)
            if not _reaches(row[start:stop], np.float32(least)):
                continue
            for t in range(start, stop):
                if row[t] < least or row[t] > most:
                    continue
                if row[t] < row[t - 1] or row[t] <= row[t + 1 if t < last else t - 1]:
                    continue
                if kind == ATTENUATED and not is_past_refractory(accepted, criteria, t, u):
                    continue
                decrease = (row[t] + prior * mean) ** 2 / norm2 - cost
                if decrease > threshold + shape_error_allowance(accepted, arrays, criteria, t, u):
                    times.append(np.int64(t))
                    units.append(np.int64(u))
                    decreases.append(decrease)
    return _Candidates(np.array(times), np.array(units), np.array(decreases))


@njit(nogil=True, cache=True)
def _reaches(row: NDArray[np.float32], least: np.float32) -> bool:
    """Say whether there is a value this large, without a branch for each, hence fast."""
    reached = 0
    for i in range(len(row)):
        reached |= row[i] >= least
    return reached > 0


@njit(nogil=True, cache=True)
def _choose(candidates: _Candidates, traces: Traces, arrays: BankArrays) -> NDArray[np.int64]:
    """Return (sample, unit) of the candidates that no better one overlaps, the best first.

    The others are looked at again in the next round.
    """
    n_window = arrays.shifted.shape[2]
    chosen = np.empty((len(candidates.sample), 2), np.int64)
    waiting = np.empty_like(chosen)
    # Which of them lies in each bin of time with each unit; never two of them.
    chosen_in = np.full((traces.changed.shape[1], len(traces.changed)), -1, np.int64)
    waiting_in = np.full_like(chosen_in, -1)
    n_chosen = n_waiting = 0
    for index in np.argsort(-candidates.decrease, kind="mergesort"):
        t, u = candidates.sample[index], candidates.unit[index]
        if _blocked(t, u, chosen_in, chosen, arrays.near, n_window, n_window) or _blocked(
            t, u, waiting_in, waiting, arrays.near, n_window, n_window // RIVAL_SHARE
        ):
            traces.changed[u, t // n_window] = True
            if waiting_in[t // n_window, u] < 0:
                waiting[n_waiting] = t, u
                waiting_in[t // n_window, u] = n_waiting
                n_waiting += 1
            continue
        chosen[n_chosen] = t, u
        chosen_in[t // n_window, u] = n_chosen
        n_chosen += 1
    return chosen[:n_chosen]


@njit(nogil=True, cache=True)
def _blocked(
    t: int,
    u: int,
    in_bin: NDArray[np.int64],
    chosen: NDArray[np.int64],
    near: NDArray[np.int64],
    n_window: int,
    reach: int,
) -> bool:
    """Say whether a better fit of this round lies within reach of this one in time and space."""
    for b in range(max(0, t // n_window - 1), min(len(in_bin), t // n_window + 2)):
        for v in near[u]:
            if v < 0:
                break
            other = in_bin[b, v]
            if other >= 0 and abs(chosen[other, 0] - t) < reach:
                return True
    return False
