"""How well each template fits at each sample."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.bank import TemplateBank

BLOCK = 2048
"""Samples whose projections stay in the first-level cache while all lags pass over them."""


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
    projected = np.ascontiguousarray((white @ bank.spatial).T)
    return _in_time(projected, bank.temporal, bank.n_before)


@njit(nogil=True, cache=True, fastmath={"contract"})
def _in_time(
    projected: NDArray[np.float32], temporal: NDArray[np.float32], n_before: int
) -> NDArray[np.float32]:
    n_units, rank, n_window = temporal.shape
    n_samples = projected.shape[1]
    score = np.zeros((n_units, n_samples), np.float32)
    n_valid = n_samples - n_window + 1
    for unit in range(n_units):
        for start in range(0, n_valid, BLOCK):
            stop = min(start + BLOCK, n_valid)
            out = score[unit, start + n_before : stop + n_before]
            for r in range(rank):
                signal = projected[unit * rank + r]
                for lag in range(n_window):
                    weight = temporal[unit, r, lag]
                    part = signal[start + lag : stop + lag]
                    for i in range(stop - start):
                        out[i] += weight * part[i]
    return score
