"""Templates that are no units of their own: copies, and sums of two others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank
from embersort.matching.fit import terms_of
from embersort.matching.peel import peel
from embersort.types import FloatArray, IntArray

NO_RATE_HZ = 1.0
"""Without bursts nothing depends on the sampling rate."""


def redundant(
    templates: FloatArray, bank: TemplateBank, counts: IntArray, config: MatchConfig
) -> NDArray[np.bool_]:
    """Say which templates the others explain.

    Parameters
    ----------
    templates : ndarray, shape (n_units, n_window, n_channels)
        White templates.
    bank : TemplateBank
        Of these templates.
    counts : ndarray, shape (n_units,), int64
        Events of each; the smallest is tried first, and what is redundant explains nothing more.
    config : MatchConfig
        ``redundant_share`` is the share of a template's energy that may stay unexplained.

    Returns
    -------
    ndarray, shape (n_units,), bool

    Notes
    -----
    A cluster of collisions has a template that is the sum of two others; a neuron whose far
    channels dip later than its near ones is found twice, at two times. Both are found by matching
    the other templates to this one as if it were a recording.
    """
    n_units, n_window, n_channels = templates.shape
    energy = (np.asarray(templates, np.float64) ** 2).sum(axis=(1, 2))
    active = np.ones(n_units, bool)
    terms = terms_of(config, NO_RATE_HZ, bursts=False)
    for unit in np.argsort(counts, kind="stable"):
        active[unit] = False
        beside = np.zeros(n_units, bool)
        beside[bank.near[unit][bank.near[unit] >= 0]] = True
        traces = np.zeros((3 * n_window, n_channels), np.float32)
        traces[n_window : 2 * n_window] = templates[unit]
        _, residual = peel(traces, bank, terms, active & beside)
        # Only the window itself is this template's; beyond it, it is not known.
        left = (residual[n_window : 2 * n_window].astype(np.float64) ** 2).sum()
        active[unit] = left > config.redundant_share * energy[unit]
    return ~active
