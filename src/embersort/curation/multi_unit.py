"""Whether a set of spikes is more than one neuron's: then some follow each other too soon."""

from __future__ import annotations

import numpy as np

from embersort.config import SeveralConfig
from embersort.curation.correlogram import coincidence
from embersort.types import IntArray
from embersort.units import ms_to_samples


def is_multi_unit(sample_index: IntArray, sampling_rate_hz: float, config: SeveralConfig) -> bool:
    """Say whether the spikes of a set keep no refractory period, so that they are several neurons'.

    Parameters
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
        In order.
    sampling_rate_hz : float
    config : SeveralConfig

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
        ms_to_samples(config.censored_ms, sampling_rate_hz),
        ms_to_samples(config.refractory_ms, sampling_rate_hz),
    )
    # Each pair of one set is counted from either of its spikes.
    n_seen, n_expected = pairs.n_seen / 2, pairs.n_expected / 2
    several, one = config.several_share, config.foreign_share
    evidence = n_seen * np.log(several / one) - (several - one) * n_expected
    return bool(n_seen >= config.min_pairs and evidence >= config.min_evidence)
