"""Scores of every second sample are enough where the traces hold no high frequencies.

Traces are low-pass filtered, and templates are means of them, so the product of the two has no
frequency that every second sample would miss, nor has their correlation: it is computed at every
second sample, from every second sample, and interpolated between.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.bank import TemplateBank

BAND_SHARE = 0.45
"""Of half the sampling rate; a band that ends below this leaves every second sample free."""

N_SIDE = 6
"""Samples on either side from which the one between is interpolated."""

KAISER_SHAPE = 5.0
"""Window of the interpolation; right to 0.5 % up to 0.7 of what the samples can hold."""


def score_stride(sampling_rate_hz: float, high_hz: float) -> int:
    """Return 2 where every second sample of traces that end at ``high_hz`` is enough, else 1."""
    return 2 if high_hz < BAND_SHARE * sampling_rate_hz / 2 else 1


def whole_range(n_samples: int, bank: TemplateBank) -> tuple[int, int]:
    """Return the first and the last sample at which the scores of a bank are whole."""
    margin = 2 * N_SIDE if bank.stride == 2 else 0
    return bank.n_before + margin, n_samples - bank.n_window + bank.n_before - margin


def upsample(
    known: NDArray[np.float32],
    wanted: NDArray[np.bool_],
    n_samples: int,
    whole: tuple[int, int],
) -> NDArray[np.float32]:
    """Spread what is known of every second sample over all.

    Parameters
    ----------
    known : ndarray, shape (n_rows, n_samples / 2), float32
        At samples 0, 2, 4, …
    wanted : ndarray, shape (n_rows,), bool
        The other rows are zero.
    n_samples : int
    whole : (int, int)
        First and last sample that are wanted; 12 samples on either side are known.

    Returns
    -------
    ndarray, shape (n_rows, n_samples), float32
        Zero outside of ``whole``, but for a sample on either side.

    Notes
    -----
    Interpolation with a sinc in a Kaiser window, of the symmetric kernel's nearest 12 weights.
    """
    if whole[1] < whole[0]:
        return np.zeros((len(known), n_samples), np.float32)
    rows = np.flatnonzero(wanted)
    return _upsample(
        known, rows, _interpolation_weights(), n_samples, whole[0] // 2, whole[1] // 2 + 1
    )


@cache
def _interpolation_weights() -> NDArray[np.float32]:
    """Return the weights of a sample's neighbours on one side, the nearest first."""
    distance = np.arange(N_SIDE) + 0.5
    weight = np.sinc(distance) * np.i0(KAISER_SHAPE * np.sqrt(1 - (distance / N_SIDE) ** 2))
    return np.asarray(0.5 * weight / weight.sum(), np.float32)


@njit(nogil=True, cache=True, fastmath={"contract"})
def _upsample(
    known: NDArray[np.float32],
    rows: NDArray[np.int64],
    weight: NDArray[np.float32],
    n_samples: int,
    start: int,
    stop: int,
) -> NDArray[np.float32]:
    filled = np.zeros((len(known), n_samples), np.float32)
    w0, w1, w2, w3, w4, w5 = weight[0], weight[1], weight[2], weight[3], weight[4], weight[5]
    for row in rows:
        # Arrays that start where each neighbour does: an index less 3 would not be vectorised.
        x, out = known[row], filled[row, 2 * start :]
        b0, b1, b2 = x[start:], x[start - 1 :], x[start - 2 :]
        b3, b4, b5 = x[start - 3 :], x[start - 4 :], x[start - 5 :]
        a0, a1, a2 = x[start + 1 :], x[start + 2 :], x[start + 3 :]
        a3, a4, a5 = x[start + 4 :], x[start + 5 :], x[start + 6 :]
        for i in range(stop - start):
            near = w0 * (b0[i] + a0[i]) + w1 * (b1[i] + a1[i]) + w2 * (b2[i] + a2[i])
            far = w3 * (b3[i] + a3[i]) + w4 * (b4[i] + a4[i]) + w5 * (b5[i] + a5[i])
            out[2 * i] = b0[i]
            out[2 * i + 1] = near + far
    return filled
