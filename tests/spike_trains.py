"""Hand-made trains of spikes, and the form in which `embersort.curation` wants them."""

import numpy as np

from embersort.curation.pair_tests import SpikeTrains

RATE_HZ = 10_000


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
