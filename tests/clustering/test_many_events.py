"""However many events there are, a fixed number of them says what clusters there are."""

import numpy as np
import pytest

from embersort.clustering import neighbourhoods
from embersort.clustering.isosplit import isosplit
from embersort.clustering.neighbourhoods import cluster_probe, split
from embersort.config import ClusterConfig
from embersort.types import UNASSIGNED, Geometry

CENTRES = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9.0]])


def blobs(n_events, seed=0, shares=(0.4, 0.3, 0.2, 0.1)):
    rng = np.random.default_rng(seed)
    neuron = rng.choice(len(CENTRES), n_events, p=shares)
    return CENTRES[neuron] + rng.normal(size=(n_events, 3)), neuron


@pytest.mark.parametrize("n_events", [1500, 15_000])
def test_the_others_follow_their_nearest(monkeypatch, n_events):
    monkeypatch.setattr(neighbourhoods, "MAX_SEEN", 1000)
    features, neuron = blobs(n_events)
    parts = split([features], ClusterConfig())
    assert sum(len(part) for part in parts) == n_events
    assert len(parts) == 4
    own = sum(np.bincount(neuron[part]).max() for part in parts)
    assert own > 0.995 * n_events


def test_a_neuron_too_rare_to_be_seen_at_once_is_seen_when_the_others_are_apart():
    features, neuron = blobs(20_000, shares=(0.7, 0.28, 0.0, 0.02))
    parts = split([features], ClusterConfig())
    assert any((neuron[part] == 3).mean() > 0.95 for part in parts)


def test_followers_are_those_of_the_brute_search(monkeypatch):
    monkeypatch.setattr(neighbourhoods, "MAX_SEEN", 300)
    features, _ = blobs(3000)
    config = ClusterConfig()
    parts = split([features], config)
    seen = np.linspace(0, 2999, 300).round().astype(int)
    label = np.full(3000, -1)
    for index, part in enumerate(parts):
        label[part] = index
    # Four blobs far apart: one look parts them, and each event goes with its nearest seen one.
    distance = ((features[:, None] - features[seen]) ** 2).sum(axis=2)
    nearest = seen[distance.argmin(axis=1)]
    np.testing.assert_array_equal(label, label[nearest])


def test_events_beyond_the_most_are_left_out_and_not_clustered_again(monkeypatch):
    monkeypatch.setattr(neighbourhoods, "MAX_EVENTS", 1000)
    features, _ = blobs(3000)
    labels = cluster_probe(
        np.zeros(3000, np.int64),
        Geometry(positions_um=[[0, 0]]),
        [lambda rows: features[rows]],
        np.zeros(3000),
        ClusterConfig(),
    )
    assert (labels != UNASSIGNED).sum() == 1000
    assert labels.max() == 3


def test_no_look_sees_more_events_than_it_may(monkeypatch):
    seen = []

    def spied(points, config):
        seen.append(len(points))
        return isosplit(points, config)

    monkeypatch.setattr(neighbourhoods, "isosplit", spied)
    monkeypatch.setattr(neighbourhoods, "MAX_SEEN", 1000)
    features, _ = blobs(5000)
    split([features], ClusterConfig(), when=np.arange(5000) / 5000)
    assert max(seen) == 1000
