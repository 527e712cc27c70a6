"""Whether a set of spikes is more than one neuron's: then some follow each other too soon."""

from __future__ import annotations

import numpy as np

from embersort.curation.cross_refractory import coincidence
from embersort.spike_pairs import REFRACTORY_MS
from embersort.types import IntArray
from embersort.units import ms_to_samples

CENSORED_MS = 0.5
"""Nearer pairs are not all detected, or are one spike found twice. Chosen on the development
recordings, 2026-11-23."""

MULTI_UNIT_SHARE = 0.5
"""Two neurons of one rate have this share of the pairs that chance would give: a derivation, since
half of the pairs are of one neuron each."""

FOREIGN_SHARE = 0.1
"""One neuron, with foreign spikes among its own, has this share. Chosen on the development
recordings, 2026-11-23."""

MIN_EVIDENCE = 3.0
"""Least logarithm of how much likelier several neurons are than one. Chosen on the development
recordings, 2026-11-23."""

MIN_PAIRS = 3
"""Fewer pairs within the refractory period prove nothing. Chosen on the development recordings,
2026-11-23."""


def is_multi_unit(sample_index: IntArray, sampling_rate_hz: float) -> bool:
    """Say whether the spikes of a set keep no refractory period, so that they are several neurons'.

    Parameters
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
        In order.
    sampling_rate_hz : float

    Returns
    -------
    bool
        By the ratio of likelihoods (Neyman and Pearson 1933) of so many pairs within a refractory
        period, a Poisson variable whose mean is another share of what chance would give if the
        spikes were several neurons' or one's with foreign ones among them. False where there are
        too few pairs to tell.
    """
    pairs = coincidence(
        sample_index,
        sample_index,
        ms_to_samples(CENSORED_MS, sampling_rate_hz),
        ms_to_samples(REFRACTORY_MS, sampling_rate_hz),
    )
    # Each pair of one set is counted from either of its spikes.
    n_seen, n_expected = pairs.n_seen / 2, pairs.n_expected / 2
    several, one = MULTI_UNIT_SHARE, FOREIGN_SHARE
    evidence = n_seen * np.log(several / one) - (several - one) * n_expected
    return bool(n_seen >= MIN_PAIRS and evidence >= MIN_EVIDENCE)
