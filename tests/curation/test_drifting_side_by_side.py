"""Neurons that move side by side are never far apart, and never one."""

import numpy as np
import pytest

from embersort.clustering.gaps import N_DIMS, N_SLOW, slow_cosines
from embersort.clustering.neighbourhoods import split
from embersort.config import ClusterConfig
from embersort.curation import merge
from embersort.curation.candidate_pairs import Places
from embersort.curation.links import PASSING_DIP
from embersort.curation.merge import merge_units
from embersort.curation.pair_tests import SpikeTrains, projection_dip
from spike_trains import RATE_HZ

N_EVENTS = 800


def side_by_side(gap, seed):
    """Two courses of equal slope, ``gap`` apart, in two dimensions; when, and whose."""
    rng = np.random.default_rng(seed)
    when = np.sort(rng.uniform(size=N_EVENTS))
    neuron = rng.integers(0, 2, N_EVENTS)
    features = rng.normal(size=(N_EVENTS, 2))
    features[:, 0] += 40 * when + gap * neuron
    return features, when, neuron


@pytest.mark.parametrize("seed", range(3))
def test_the_gap_shows_once_their_common_course_is_taken_out(seed):
    features, when, neuron = side_by_side(6, seed)
    a, b = np.flatnonzero(neuron == 0), np.flatnonzero(neuron == 1)
    slow = slow_cosines(when, N_SLOW)
    hidden = projection_dip(lambda rows: features[rows], a, b, N_DIMS)
    seen = projection_dip(lambda rows: features[rows], a, b, N_DIMS, slow)
    assert hidden < PASSING_DIP < seen


@pytest.mark.parametrize("seed", range(3))
def test_one_neuron_that_moves_has_no_gap(seed):
    features, when, neuron = side_by_side(0, seed)
    a, b = np.flatnonzero(neuron == 0), np.flatnonzero(neuron == 1)
    slow = slow_cosines(when, N_SLOW)
    dip = projection_dip(lambda rows: features[rows], a, b, N_DIMS, slow)
    assert dip < PASSING_DIP


def test_halves_of_the_time_of_a_neuron_that_stays_are_one():
    features, when, _ = side_by_side(0, 0)
    features[:, 0] -= 40 * when
    a, b = np.flatnonzero(when < 0.5), np.flatnonzero(when >= 0.5)
    slow = slow_cosines(when, N_SLOW)
    dip = projection_dip(lambda rows: features[rows], a, b, N_DIMS, slow)
    assert dip < PASSING_DIP


def test_a_second_look_parts_what_the_first_holds_together():
    rng = np.random.default_rng(0)
    neuron = np.arange(400) % 2
    blind = rng.normal(size=(400, 3))
    sharp = rng.normal(size=(400, 1)) + 12 * neuron[:, None]
    config = ClusterConfig()
    assert len(split([blind], config)) == 1
    parts = split([blind, sharp], config)
    assert sorted(len(part) for part in parts) == [200, 200]
    assert all(len(np.unique(neuron[part])) == 1 for part in parts)


@pytest.mark.parametrize(("gap", "n_neurons"), [(6, 2), (0, 1)])
def test_copies_must_show_no_gap_at_rest_either(gap, n_neurons):
    features, when, neuron = side_by_side(gap, 0)
    spikes = SpikeTrains(
        sample_index=np.round(when * 120 * RATE_HZ).astype(np.int64),
        unit_index=neuron,
        sampling_rate_hz=RATE_HZ,
    )
    places = Places(um=None, peak_waveforms=np.ones((2, 5), "f4"))
    merges = merge_units(spikes, np.ones((2, 1, 2)), [lambda rows: features[rows]], places)
    assert len(np.unique(merges.tracked_unit)) == n_neurons


def test_copies_are_told_by_the_last_look(monkeypatch):
    features, when, neuron = side_by_side(6, 0)
    features[:, 0] -= 40 * when
    spikes = SpikeTrains(
        sample_index=np.round(when * 120 * RATE_HZ).astype(np.int64),
        unit_index=neuron,
        sampling_rate_hz=RATE_HZ,
    )
    places = Places(um=None, peak_waveforms=np.ones((2, 5), "f4"))

    def sharp(rows):
        return features[rows]

    def blind(rows):
        return features[rows, 1:]

    def n_neurons(looks, deep_dip):
        monkeypatch.setattr(merge, "DEEP_DIP", deep_dip)
        merges = merge_units(spikes, np.ones((2, 1, 2)), looks, places)
        return len(np.unique(merges.tracked_unit))

    assert n_neurons([blind, sharp], deep_dip=100.0) == 2
    assert n_neurons([sharp, blind], deep_dip=100.0) == 1
    # A deep gap in the first look counts, whatever the last one says.
    assert n_neurons([sharp, blind], deep_dip=2.0) == 2
