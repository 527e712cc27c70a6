"""How well each template fits at each sample."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.bank import TemplateBank

BLOCK = 2048
"""Samples whose projections stay in the first-level cache while all lags pass over them."""

N_LAGS = 8
"""Lags that are added in one pass."""

FAST = {"contract"}
"""Multiply and add in one rounding; no reordering of sums."""


def score_templates(white: NDArray[np.float32], bank: TemplateBank) -> NDArray[np.float32]:
    """Correlate white traces with every template.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
    bank : TemplateBank

    Returns
    -------
    ndarray, shape (n_units, n_samples), float32
        Inner product of the template with the window whose trough is at each sample; zero where
        the window leaves the traces.

    Notes
    -----
    O(n_samples · n_units · rank · n_window): separable templates are matched as in Pachitariu et
    al. 2016 (Kilosort, section 2), first in space, then in time.
    """
    # In this order the product comes out as it is needed: turning it round would take longer.
    projected = bank.spatial.T @ white.T
    return _in_time(projected, bank.temporal, bank.n_before)


@njit(nogil=True, cache=True, fastmath=FAST)
def _in_time(
    projected: NDArray[np.float32], temporal: NDArray[np.float32], n_before: int
) -> NDArray[np.float32]:
    n_units, rank, n_window = temporal.shape
    n_samples = projected.shape[1]
    score = np.zeros((n_units, n_samples), np.float32)
    n_valid = n_samples - n_window + 1
    whole = n_window - n_window % N_LAGS
    for unit in range(n_units):
        for start in range(0, n_valid, BLOCK):
            stop = min(start + BLOCK, n_valid)
            out = score[unit, start + n_before : stop + n_before]
            for r in range(rank):
                signal, weight = projected[unit * rank + r], temporal[unit, r]
                for lag in range(0, whole, N_LAGS):
                    part = signal[start + lag : stop + lag + N_LAGS - 1]
                    _add_eight_lags(out, part, weight[lag : lag + N_LAGS])
                for lag in range(whole, n_window):
                    part = signal[start + lag : stop + lag]
                    for i in range(len(out)):
                        out[i] += weight[lag] * part[i]
    return score


@njit(nogil=True, cache=True, fastmath=FAST)
def _add_eight_lags(
    out: NDArray[np.float32], signal: NDArray[np.float32], weight: NDArray[np.float32]
) -> None:
    """Add the signal at eight lags to ``out``, one after the other, so that the bits are the same.

    ``out`` is loaded and stored once instead of eight times, which is what the time goes into.
    """
    w0, w1, w2, w3 = weight[0], weight[1], weight[2], weight[3]
    w4, w5, w6, w7 = weight[4], weight[5], weight[6], weight[7]
    for i in range(len(out)):
        total = out[i]
        total += w0 * signal[i]
        total += w1 * signal[i + 1]
        total += w2 * signal[i + 2]
        total += w3 * signal[i + 3]
        total += w4 * signal[i + 4]
        total += w5 * signal[i + 5]
        total += w6 * signal[i + 6]
        total += w7 * signal[i + 7]
        out[i] = total
