"""Overlap resolution: the best fit is subtracted first, and what it hid shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank
from embersort.matching.score import score_templates

MAX_ROUNDS = 20
"""No sample is part of more overlapping spikes than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """Spikes that templates were found to fit, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
    scale : ndarray, shape (n_spikes,), float32
        Amplitude relative to the template.
    shift_index : ndarray, shape (n_spikes,), int64
        Which of the bank's sub-sample positions.
    gain : ndarray, shape (n_spikes,), float32
        By how much the fit lowers the squared residual, less its prior's cost.
    """

    sample_index: NDArray[np.int64]
    unit_index: NDArray[np.int64]
    scale: NDArray[np.float32]
    shift_index: NDArray[np.int64]
    gain: NDArray[np.float32]


def peel(
    white: NDArray[np.float32],
    bank: TemplateBank,
    config: MatchConfig,
    active: NDArray[np.bool_] | None = None,
) -> tuple[Matches, NDArray[np.float32]]:
    """Explain white traces by scaled templates, greedily.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
        Left as it is.
    bank : TemplateBank
    config : MatchConfig
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
    normal prior of standard deviation ``amplitude_sd`` round 1 costs λ(a - 1)², λ = sd⁻². Their
    difference is largest at a = (s + λ)/(n + λ) (Pachitariu et al. 2016, equation 7). Each round
    takes all fits that no better one overlaps, so the order does not depend on where a tile starts.
    """
    residual = white.copy()
    if bank.n_units == 0:
        return _nothing(), residual
    score = score_templates(white, bank)
    if active is not None:
        score[~active] = 0
    norm2 = bank.norm2 if active is None else np.where(active, bank.norm2, np.inf)
    found = _pursue(
        score,
        residual,
        bank.channels,
        bank.shifted,
        norm2,
        bank.near,
        bank.overlap,
        bank.n_before,
        config.threshold**2,
        config.amplitude_sd**-2,
        config.min_scale,
        config.max_scale,
        config.shape_error**2,
    )
    sample, unit, scale, shift, gain = found
    order = np.lexsort((unit, sample))
    matches = Matches(
        sample_index=sample[order],
        unit_index=unit[order],
        scale=scale[order],
        shift_index=shift[order],
        gain=gain[order],
    )
    return matches, residual


def _nothing() -> Matches:
    empty = np.zeros(0, np.int64)
    none = np.zeros(0, np.float32)
    return Matches(sample_index=empty, unit_index=empty, scale=none, shift_index=empty, gain=none)


@njit(nogil=True, cache=True)
def _pursue(
    score: NDArray[np.float32],
    residual: NDArray[np.float32],
    channels: NDArray[np.int64],
    shifted: NDArray[np.float32],
    norm2: NDArray[np.float64],
    near: NDArray[np.int64],
    overlap: NDArray[np.float32],
    n_before: int,
    threshold: float,
    prior: float,
    min_scale: float,
    max_scale: float,
    shape_error: float,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float32],
    NDArray[np.int64],
    NDArray[np.float32],
]:
    n_units, n_samples = score.shape
    n_shifts, n_window = shifted.shape[1], shifted.shape[2]
    first, last = n_before, n_samples - n_window + n_before
    # Scores between these belong to a scale that a spike may have and a gain above the threshold.
    least, most = np.empty(n_units), np.empty(n_units)
    for u in range(n_units):
        enough = np.sqrt((threshold + prior) * (norm2[u] + prior)) - prior
        least[u] = max(enough, min_scale * (norm2[u] + prior) - prior)
        most[u] = max_scale * (norm2[u] + prior) - prior
    # No spike fits its template perfectly: what may be left of those subtracted so far.
    doubt = np.zeros_like(score)
    dirty = np.ones((n_units, n_samples // n_window + 1), np.bool_)
    samples, units = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    scales, gains = [np.float32(0) for _ in range(0)], [np.float32(0) for _ in range(0)]
    shifts = [np.int64(0) for _ in range(0)]
    for _ in range(MAX_ROUNDS):
        cand_t, cand_u, cand_gain = _candidates(
            score, doubt, least, most, norm2, prior, threshold, dirty, first, last, n_window
        )
        if len(cand_t) == 0:
            break
        dirty[:] = False
        order = np.argsort(-cand_gain, kind="mergesort")
        # Latest sample at which each unit's templates are claimed this round, kept sparsely.
        taken_t = np.empty(len(order), np.int64)
        taken_u = np.empty(len(order), np.int64)
        in_bin = np.full((n_samples // n_window + 1, n_units), -1, np.int64)
        n_taken = 0
        for index in order:
            t, u = cand_t[index], cand_u[index]
            if _blocked(t, u, in_bin, taken_t, near, n_window):
                dirty[u, t // n_window] = True
                continue
            taken_t[n_taken], taken_u[n_taken] = t, u
            in_bin[t // n_window, u] = n_taken
            n_taken += 1
        for i in range(n_taken):
            t, u = taken_t[i], taken_u[i]
            offset, peak = _parabola(score[u], t, first, last)
            s = int(np.floor((offset + 0.5) * n_shifts))
            s = min(max(s, 0), n_shifts - 1)
            scale = (peak + prior) / (norm2[u] + prior)
            gain = (peak + prior) ** 2 / (norm2[u] + prior) - prior
            samples.append(t)
            units.append(u)
            scales.append(np.float32(scale))
            shifts.append(s)
            gains.append(np.float32(gain))
            _subtract(residual, t - n_before, shifted[u, s], channels[u], np.float32(scale))
            for k in range(near.shape[1]):
                v = near[u, k]
                if v < 0:
                    break
                low, high = max(first, t - n_window + 1), min(last + 1, t + n_window)
                taken = overlap[u, s, k]
                strongest = np.abs(taken).max()
                left = np.float32(shape_error * scale * scale * strongest * strongest / norm2[v])
                for other in range(low, high):
                    score[v, other] -= np.float32(scale) * taken[other - t + n_window - 1]
                    doubt[v, other] += left
                for b in range(low // n_window, (high - 1) // n_window + 1):
                    dirty[v, b] = True
    return (
        np.array(samples),
        np.array(units),
        np.array(scales),
        np.array(shifts),
        np.array(gains),
    )


@njit(nogil=True, cache=True)
def _candidates(
    score: NDArray[np.float32],
    doubt: NDArray[np.float32],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
    norm2: NDArray[np.float64],
    prior: float,
    threshold: float,
    dirty: NDArray[np.bool_],
    first: int,
    last: int,
    n_window: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the local maxima of each unit's score that are worth a spike, where scores changed."""
    times, units = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    gains = [0.0 for _ in range(0)]
    for u in range(score.shape[0]):
        row = score[u]
        for b in range(dirty.shape[1]):
            if not dirty[u, b]:
                continue
            for t in range(max(first, b * n_window), min(last + 1, (b + 1) * n_window)):
                if row[t] < least[u] or row[t] > most[u]:
                    continue
                if row[t] < row[t - 1] or row[t] <= row[t + 1 if t < last else t - 1]:
                    continue
                gain = (row[t] + prior) ** 2 / (norm2[u] + prior) - prior
                if gain > threshold + doubt[u, t]:
                    times.append(t)
                    units.append(u)
                    gains.append(gain)
    return np.array(times), np.array(units), np.array(gains)


@njit(nogil=True, cache=True)
def _blocked(
    t: int,
    u: int,
    in_bin: NDArray[np.int64],
    taken_t: NDArray[np.int64],
    near: NDArray[np.int64],
    n_window: int,
) -> bool:
    """Say whether a better fit of this round overlaps this one in time and space."""
    for b in range(max(0, t // n_window - 1), min(len(in_bin), t // n_window + 2)):
        for v in near[u]:
            if v < 0:
                break
            other = in_bin[b, v]
            if other >= 0 and abs(taken_t[other] - t) < n_window:
                return True
    return False


@njit(nogil=True, cache=True)
def _parabola(row: NDArray[np.float32], t: int, first: int, last: int) -> tuple[float, float]:
    """Return offset (within half a sample) and height of the peak of the parabola through it."""
    middle = float(row[t])
    if t <= first or t >= last:
        return 0.0, middle
    before, after = float(row[t - 1]), float(row[t + 1])
    bend = before - 2 * middle + after
    if bend >= 0:
        return 0.0, middle
    offset = min(max(0.5 * (before - after) / bend, -0.5), 0.5)
    return offset, middle - 0.25 * (before - after) * offset


@njit(nogil=True, cache=True)
def _subtract(
    residual: NDArray[np.float32],
    start: int,
    template: NDArray[np.float32],
    channels: NDArray[np.int64],
    scale: np.float32,
) -> None:
    for t in range(len(template)):
        for j in range(len(channels)):
            if channels[j] < 0:
                break
            residual[start + t, channels[j]] -= scale * template[t, j]
