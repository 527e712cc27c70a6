"""Events on one channel over one recording; time runs from 0 to 1."""

import numpy as np
import pytest

from embersort.clustering.merging import merge_units
from embersort.clustering.neighbourhoods import cluster_probe, slow_columns
from embersort.clustering.pairs import Labelled
from embersort.clustering.places import Places
from embersort.config import ClusterConfig
from embersort.types import Geometry
from spike_trains import MERGE, RATE_HZ

N_EVENTS = 1200
DURATION_S = 120
WITHOUT_TIME = ClusterConfig(n_slow=0)


def courses(*of_time, seed=0):
    """Features of spikes 50 to 150 ms apart, normal round each neuron's course; when, and whose."""
    rng = np.random.default_rng(seed)
    when = (np.arange(N_EVENTS) + rng.uniform(0.25, 0.75, N_EVENTS)) / N_EVENTS
    neuron = rng.integers(0, len(of_time), N_EVENTS)
    centre = np.stack([course(when) for course in of_time])[neuron, np.arange(N_EVENTS)]
    features = rng.normal(size=(N_EVENTS, 3))
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


def test_without_time_they_would_be_one_cloud():
    features, when, neuron = courses(lambda t: 24 * t, lambda t: 24 * t - 8)
    labels = clustered(features, when, WITHOUT_TIME)
    parts = [neuron[labels == part] for part in range(labels.max() + 1)]
    assert any(0.1 < part.mean() < 0.9 for part in parts)


def joined(labels, features, when):
    """Parts of equal templates, joined where they are copies of each other."""
    assert (labels >= 0).all()
    spikes = Labelled(
        sample_index=np.round(when * DURATION_S * RATE_HZ).astype(np.int64),
        unit_index=labels,
        sampling_rate_hz=RATE_HZ,
    )
    n_parts = labels.max() + 1
    places = Places(um=None, peak_waveforms=np.ones((n_parts, 5), "f4"))
    templates = np.ones((n_parts, 1, 2))
    return merge_units(spikes, templates, lambda rows: features[rows], places, MERGE).course


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_of_a_neuron_that_stays_are_copies(seed):
    features, when, _ = courses(np.zeros_like, seed=seed)
    labels = clustered(features, when, ClusterConfig())
    assert len(np.unique(joined(labels, features, when))) == 1
    assert (clustered(features, when, WITHOUT_TIME) == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_neurons_that_stay_are_told_apart_as_without_time(seed):
    features, when, neuron = courses(np.zeros_like, lambda t: np.full_like(t, 12), seed=seed)
    labels = clustered(features, when, ClusterConfig())
    course = joined(labels, features, when)[labels]
    assert len(np.unique(course)) == 2
    assert len(np.unique(np.stack([course, neuron]), axis=1).T) == 2


def test_slow_columns_are_cosines_of_time():
    columns = slow_columns(np.array([0, 0.5, 1]), ClusterConfig(n_slow=2, slow_scale=3))
    np.testing.assert_allclose(columns, [[3, 3], [0, -3], [-3, 3]], atol=1e-12)
    assert slow_columns(np.array([0, 0.5, 1]), WITHOUT_TIME).shape == (3, 0)


def test_slow_columns_run_alike_forwards_and_backwards():
    when = np.linspace(0, 1, 7)
    config = ClusterConfig()
    there, back = slow_columns(when, config), slow_columns(when[::-1], config)
    np.testing.assert_allclose(np.abs(back), np.abs(there), atol=1e-12)
