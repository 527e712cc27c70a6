"""Events on one channel over one recording; time runs from 0 to 1."""

import numpy as np
import pytest

from embersort.clustering import neighbourhoods, time_merge
from embersort.clustering.isosplit import isosplit
from embersort.clustering.neighbourhoods import cluster_probe, slow_columns
from embersort.config import ClusterConfig
from embersort.curation.candidate_pairs import Places
from embersort.curation.merge import merge_units
from embersort.curation.pair_tests import SpikeTrains
from embersort.types import Geometry
from spike_trains import RATE_HZ

N_EVENTS = 1200
DURATION_S = 120


def courses(*of_time, seed=0, n_events=N_EVENTS):
    """Features of spikes in even succession, normal round each neuron's course; when, and whose."""
    rng = np.random.default_rng(seed)
    when = (np.arange(n_events) + rng.uniform(0.25, 0.75, n_events)) / n_events
    neuron = rng.integers(0, len(of_time), n_events)
    centre = np.stack([course(when) for course in of_time])[neuron, np.arange(n_events)]
    features = rng.normal(size=(n_events, 3))
    features[:, 0] += centre
    return features, when, neuron


def clustered(features, when, config):
    channel = np.zeros(len(when), np.int64)
    geometry = Geometry(positions_um=[[0, 0]])
    return cluster_probe(channel, geometry, [lambda rows: features[rows]], when, config)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "move",
    [lambda t: 24 * t, lambda t: 8 * np.sin(2 * np.pi * t), lambda t: 16 * (t > 0.5)],
    ids=["ramp", "sine", "step"],
)
def test_neurons_that_come_to_one_place_at_different_times_are_two(move, seed):
    features, when, neuron = courses(move, lambda t: move(t) - 8, seed=seed)
    labels = clustered(features, when, ClusterConfig())
    found = labels >= 0
    # A course may come in parts, to be linked later; none of them holds both neurons.
    parts = [neuron[labels == part] for part in range(labels.max() + 1)]
    assert found.mean() > 0.95
    assert all(max(part.mean(), 1 - part.mean()) > 0.98 for part in parts)


def test_without_time_they_would_be_one_cloud(monkeypatch):
    monkeypatch.setattr(neighbourhoods, "N_SLOW", 0)
    monkeypatch.setattr(time_merge, "N_SLOW", 0)
    features, when, neuron = courses(lambda t: 24 * t, lambda t: 24 * t - 8)
    labels = clustered(features, when, ClusterConfig())
    parts = [neuron[labels == part] for part in range(labels.max() + 1)]
    assert any(0.1 < part.mean() < 0.9 for part in parts)


def joined(labels, features, when):
    """Parts of equal templates, joined where they are copies of each other."""
    assert (labels >= 0).all()
    spikes = SpikeTrains(
        sample_index=np.round(when * DURATION_S * RATE_HZ).astype(np.int64),
        unit_index=labels,
        sampling_rate_hz=RATE_HZ,
    )
    n_parts = labels.max() + 1
    places = Places(um=None, peak_waveforms=np.ones((n_parts, 5), "f4"))
    templates = np.ones((n_parts, 1, 2))
    return merge_units(spikes, templates, [lambda rows: features[rows]], places).tracked_unit


@pytest.mark.parametrize("n_events", [1200, 12_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_neuron_that_stays_is_one_however_long(seed, n_events):
    features, when, _ = courses(np.zeros_like, seed=seed, n_events=n_events)
    assert (clustered(features, when, ClusterConfig()) == 0).all()


def test_slow_cosines_alone_would_cut_it():
    features, when, _ = courses(np.zeros_like, n_events=12_000)
    points = np.concatenate([features, slow_columns(when)], axis=1)
    assert isosplit(points[::6], ClusterConfig().isosplit).max() > 0


def test_a_neuron_that_jumps_half_way_stays_in_two_parts():
    features, when, _ = courses(lambda t: 16 * (t > 0.5))
    labels = clustered(features, when, ClusterConfig())
    assert labels.max() == 1
    assert len(np.unique(labels[when < 0.5])) == len(np.unique(labels[when > 0.5])) == 1


@pytest.mark.parametrize("seed", range(5))
def test_neurons_that_stay_are_told_apart_as_without_time(seed):
    features, when, neuron = courses(np.zeros_like, lambda t: np.full_like(t, 12), seed=seed)
    labels = clustered(features, when, ClusterConfig())
    course = joined(labels, features, when)[labels]
    assert len(np.unique(course)) == 2
    assert len(np.unique(np.stack([course, neuron]), axis=1).T) == 2


def test_slow_columns_are_cosines_of_time(monkeypatch):
    monkeypatch.setattr(neighbourhoods, "N_SLOW", 2)
    monkeypatch.setattr(neighbourhoods, "SLOW_SCALE", 3)
    columns = slow_columns(np.array([0, 0.5, 1]))
    np.testing.assert_allclose(columns, [[3, 3], [0, -3], [-3, 3]], atol=1e-12)
    monkeypatch.setattr(neighbourhoods, "N_SLOW", 0)
    assert slow_columns(np.array([0, 0.5, 1])).shape == (3, 0)


def test_slow_columns_run_alike_forwards_and_backwards():
    when = np.linspace(0, 1, 7)
    there, back = slow_columns(when), slow_columns(when[::-1])
    np.testing.assert_allclose(np.abs(back), np.abs(there), atol=1e-12)
