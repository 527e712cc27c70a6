"""The unit that looks most like each unit, at any lag: perhaps another part of the same neuron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.confidence.templates import NONE, TemplateCodes
from embersort.types import IntArray
from embersort.units import ms_to_samples

N_CANDIDATES = 5
"""Units that are looked at for each: those with most channels in common."""
N_CHANNELS = 8
"""Channels on which two templates are compared: those where a unit has most energy."""
MAX_LAG_MS = 0.5
"""One part of a neuron may have been aligned to another peak than the other part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Siblings:
    """The most similar unit of each unit.

    Attributes
    ----------
    unit_index : ndarray, shape (n_units,), int64
        -1 where no other unit shares a channel.
    cosine : ndarray, shape (n_units,), float64
        Of the two templates at the best lag; -1 where there is none.
    lag_ms : ndarray, shape (n_units,), float64
        How far apart the two were aligned, 0 or more.
    """

    unit_index: IntArray
    cosine: NDArray[np.float64]
    lag_ms: NDArray[np.float64]


def siblings(evidence: Evidence, templates: TemplateCodes) -> Siblings:
    """Find the most similar unit of each unit.

    Notes
    -----
    O(n_units · n_window · n_lags).
    """
    energy = np.square(evidence.means, dtype=np.float64).sum(axis=1)
    shared = templates.shared.copy()
    np.fill_diagonal(shared, 0.0)
    candidates = np.argsort(-shared, axis=1, kind="stable")[:, :N_CANDIDATES]
    candidates = np.where(np.take_along_axis(shared, candidates, axis=1) > 0, candidates, NONE)
    rate_hz = evidence.sorting.sampling_rate_hz
    found, cosine, lag = _best(
        evidence.means,
        np.argsort(-energy, axis=1, kind="stable")[:, :N_CHANNELS],
        np.sqrt(np.maximum(energy.sum(axis=1), np.finfo(float).tiny)),
        candidates,
        ms_to_samples(MAX_LAG_MS, rate_hz),
    )
    return Siblings(unit_index=found, cosine=cosine, lag_ms=lag / rate_hz * 1e3)


@njit(cache=True, nogil=True)
def _best(
    means: NDArray[np.float32],
    channels: IntArray,
    norm: NDArray[np.float64],
    candidates: IntArray,
    max_lag: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the best candidate of each unit, its cosine and its distance in samples."""
    n_units, n_window, _ = means.shape
    found = np.full(n_units, NONE, np.int64)
    cosine, best_lag = np.full(n_units, -1.0), np.zeros(n_units)
    for u in range(n_units):
        for v in candidates[u]:
            if v == NONE:
                break
            for lag in range(-max_lag, max_lag + 1):
                total = 0.0
                for t in range(max(0, -lag), min(n_window, n_window - lag)):
                    for c in channels[u]:
                        total += means[u, t, c] * means[v, t + lag, c]
                total /= norm[u] * norm[v]
                if total > cosine[u]:
                    found[u], cosine[u], best_lag[u] = v, total, abs(lag)
    return found, cosine, best_lag
