"""How well each template fits at each sample."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.bank import TemplateBank
from embersort.matching.upsample import upsample, whole_range

BLOCK = 1024
"""Samples whose projections stay in the first-level cache while all lags pass over them."""

N_LAGS = 8
"""Lags that are added in one pass."""

N_TOGETHER = 4
"""Channels that are added in one pass."""

TURNED_TOGETHER = 64
"""Samples of all channels that stay in the cache while they are turned from time to channel."""

FAST = {"contract"}
"""Multiply and add in one rounding; no reordering of sums."""


def score_templates(
    white: NDArray[np.float32], bank: TemplateBank, active: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Correlate white traces with every template.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
    bank : TemplateBank
    active : ndarray, shape (n_units,), bool, optional
        Units whose scores are wanted; the others' are zero. All by default.

    Returns
    -------
    ndarray, shape (n_units, n_samples), float32
        Inner product of the template with the window whose trough is at each sample; whole
        within `embersort.matching.upsample.whole_range`.

    Notes
    -----
    O(n_samples · n_units · rank · (n_window + n_support)): separable templates are matched as in
    Pachitariu et al. 2016 (Kilosort, section 2), first in space, then in time. A stride of 2 takes
    a quarter of the products.
    """
    wanted = np.ones(bank.n_units, np.bool_) if active is None else active
    by_channel = _turned(white[:: bank.stride])
    score = _score(
        by_channel, bank.channels, bank.spatial, bank.temporal, bank.n_before, bank.stride, wanted
    )
    if bank.stride == 1:
        return score
    return upsample(score, wanted, len(white), whole_range(len(white), bank))


def _turned(white: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the traces by channel; a few samples at a time, or each channel reads all anew."""
    turned = np.empty(white.shape[::-1], np.float32)
    for start in range(0, len(white), TURNED_TOGETHER):
        some = slice(start, start + TURNED_TOGETHER)
        turned[:, some] = white[some].T
    return turned


@njit(nogil=True, cache=True, fastmath=FAST)
def _score(
    white: NDArray[np.float32],
    channels: NDArray[np.int64],
    spatial: NDArray[np.float32],
    temporal: NDArray[np.float32],
    trough: int,
    stride: int,
    wanted: NDArray[np.bool_],
) -> NDArray[np.float32]:
    n_units, rank = temporal.shape[:2]
    # The samples of a template that meet those of the traces when its trough meets one.
    met = temporal[:, :, trough % stride :: stride]
    n_before, n_window = trough // stride, met.shape[2]
    n_samples = white.shape[1]
    score = np.zeros((n_units, n_samples), np.float32)
    # Made longer by zeros, so that all lags are added in passes of the same width.
    n_lags = -(-n_window // N_LAGS) * N_LAGS
    projected = np.zeros(BLOCK + n_lags - 1, np.float32)
    weight = np.zeros(n_lags, np.float32)
    for unit in np.flatnonzero(wanted):
        own = channels[unit][channels[unit] >= 0]
        for start in range(n_before, n_samples - n_window + 1 + n_before, BLOCK):
            stop = min(start + BLOCK, n_samples - n_window + 1 + n_before)
            # The windows of these samples, one after the other.
            first, last = start - n_before, stop - n_before + n_window - 1
            for r in range(rank):
                # What a template needs no component for is zero.
                if not temporal[unit, r].any():
                    continue
                _project(projected[: last - first], white, first, own, spatial[:, unit * rank + r])
                projected[last - first :] = 0
                # Each stands for as many as the stride.
                weight[:n_window] = met[unit, r] * np.float32(stride)
                for lag in range(0, n_lags, N_LAGS):
                    _add_eight_lags(score[unit, start:stop], projected[lag:], weight[lag:])
    return score


@njit(nogil=True, cache=True, fastmath=FAST)
def _project(
    out: NDArray[np.float32],
    white: NDArray[np.float32],
    first: int,
    own: NDArray[np.int64],
    weight: NDArray[np.float32],
) -> None:
    """Put the weighted sum of some channels, from a sample on, into ``out``."""
    out[:] = 0
    last = first + len(out)
    for j in range(0, len(own) - len(own) % N_TOGETHER, N_TOGETHER):
        c0, c1, c2, c3 = own[j], own[j + 1], own[j + 2], own[j + 3]
        x0, x1 = white[c0, first:last], white[c1, first:last]
        x2, x3 = white[c2, first:last], white[c3, first:last]
        w0, w1, w2, w3 = weight[c0], weight[c1], weight[c2], weight[c3]
        for i in range(len(out)):
            out[i] = out[i] + w0 * x0[i] + w1 * x1[i] + w2 * x2[i] + w3 * x3[i]
    for j in range(len(own) - len(own) % N_TOGETHER, len(own)):
        x0, w0 = white[own[j], first:last], weight[own[j]]
        for i in range(len(out)):
            out[i] += w0 * x0[i]


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
