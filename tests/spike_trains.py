"""Hand-made trains of spikes, and the form in which `embersort.clustering` wants them."""

import numpy as np

from embersort.config import MergeConfig
from embersort.curation.pair_tests import SpikeTrains

RATE_HZ = 10_000

MERGE = MergeConfig(
    min_similarity=0.7,
    min_link_similarity=0.5,
    deep_dip=5.0,
    dip_threshold=1.3,
    refractory_ms=2.0,
    censored_ms=0.3,
    hiding_ms=1.2,
    min_expected=5.0,
    max_coincidence=0.5,
    min_coincidences=3,
    coincidence_chance=0.01,
    foreign_share=0.2,
    echo_ms=4.0,
    echo_width_ms=0.2,
    share_at_fixed_lag=0.5,
    locked_share=0.8,
    burst_ms=30.0,
    min_burst_share=0.3,
    min_burst_cosine=0.85,
    block_s=2.0,
    max_shared=0.5,
    max_turn=0.6,
    place_um=8.0,
    max_place_um=20.0,
    min_moved_cosine=0.75,
    max_moved_ratio=3.0,
    min_moved_um=5.0,
    n_displacements=8,
    min_swing=5.0,
    max_remainder=0.05,
    min_peak_cosine=0.9,
    max_height_ratio=2.0,
    min_passing=10,
)
"""What the trains are made for, whatever the defaults become."""


def labelled(*trains):
    """Spikes of trains (in seconds) in order of time; unit k is the k-th train."""
    sample = np.concatenate([np.round(np.asarray(train) * RATE_HZ) for train in trains])
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(sample, kind="stable")
    return SpikeTrains(
        sample_index=sample[order].astype(np.int64),
        unit_index=unit[order],
        sampling_rate_hz=RATE_HZ,
    )


def regular(start_s, stop_s, period_s=0.1, offset_s=0.0):
    return np.arange(round((stop_s - start_s) / period_s)) * period_s + start_s + offset_s


def poisson(seed, start_s, stop_s, rate_hz=20.0):
    rng = np.random.default_rng(seed)
    n_spikes = round((stop_s - start_s) * rate_hz)
    return np.sort(rng.uniform(start_s, stop_s, n_spikes))


def of_unit(spikes, unit):
    return np.flatnonzero(spikes.unit_index == unit)


def frame_of(spikes, centres, seed=0):
    """Normal features of unit spread round each unit's centre, for any set of spikes."""
    points = np.asarray(centres, float)[spikes.unit_index]
    points = points + np.random.default_rng(seed).normal(size=points.shape)
    return lambda rows: points[rows]
