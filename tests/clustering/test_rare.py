"""A large cluster with a few events of another shape in it, in twenty columns of normal noise."""

import numpy as np
import pytest

from embersort.clustering.core_spread import core_spread, nearer_to_many, separation
from embersort.clustering.rare import MIN_EVENTS, with_rare_clusters
from embersort.types import Geometry

N_COLUMNS = 20
GEOMETRY = Geometry(positions_um=np.array([[0.0, 0.0], [0.0, 20.0]]))


def rng(seed=0):
    return np.random.default_rng(seed)


def direction(seed=9):
    vector = rng(seed).normal(size=N_COLUMNS)
    return vector / np.linalg.norm(vector)


def mixed(n_rare, distance, *, n_many=800, seed=0, wide=8.0):
    """Events, one column of far larger variance than the others; the rare ones last."""
    points = rng(seed).normal(size=(n_many + n_rare, N_COLUMNS))
    points[:, 0] *= wide
    points[n_many:] += distance * direction()
    return points


def clusters(points, labels=None):
    labels = np.zeros(len(points), np.int64) if labels is None else labels
    channel = np.zeros(len(points), np.int64)
    return with_rare_clusters(labels, channel, GEOMETRY, lambda rows: points[rows], 40.0)


@pytest.mark.parametrize("n_rare", [12, 60])
@pytest.mark.parametrize("seed", range(3))
def test_a_dozen_events_far_from_all_others_are_a_cluster(n_rare, seed):
    labels = clusters(mixed(n_rare, 12.0, seed=seed))
    assert labels.max() == 1
    assert (labels[800:] == 1).mean() > 0.9
    assert (labels[:800] == 1).sum() == 0


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_makes_no_cluster(seed):
    assert (clusters(mixed(0, 0.0, seed=seed)) == 0).all()


def test_events_that_lie_outside_each_in_its_own_direction_are_none():
    points = mixed(60, 0.0)
    away = rng(1).normal(size=(60, N_COLUMNS))
    points[800:] += 15 * away / np.linalg.norm(away, axis=1, keepdims=True)
    assert (clusters(points) == 0).all()


def test_fewer_than_are_asked_for_and_nearer_than_is_asked_for_are_none():
    assert (clusters(mixed(MIN_EVENTS - 2, 12.0)) == 0).all()
    assert (clusters(mixed(40, 3.0)) == 0).all()


def test_a_cluster_that_is_wholly_taken_leaves_no_empty_one():
    points, labels = mixed(12, 12.0), np.zeros(812, np.int64)
    labels[800:] = 1
    found = clusters(points, labels)
    assert np.unique(found).tolist() == [0, 1]


def test_unassigned_events_stay_so_unless_they_lie_together():
    points, labels = mixed(0, 0.0), np.zeros(800, np.int64)
    labels[:5] = -1
    assert (clusters(points, labels) == labels).all()


@pytest.mark.parametrize("distance", [0.0, 5.0, 10.0])
def test_separation_is_the_distance_of_means_without_what_chance_adds(distance):
    seen = [
        separation(points[800:], points[:800])
        for points in (mixed(15, distance, seed=seed, wide=1.0) for seed in range(8))
    ]
    assert np.mean(seen) == pytest.approx(distance, abs=1.0)


def test_separation_does_not_depend_on_the_units_of_a_column():
    points = mixed(15, 6.0)
    scaled = points * np.linspace(0.1, 30, N_COLUMNS)
    one, other = (separation(p[800:], p[:800]) for p in (points, scaled))
    assert one == pytest.approx(other, rel=0.05)


def test_too_few_of_many_have_no_spread():
    points = rng().normal(size=(20, N_COLUMNS))
    assert core_spread(points) is None
    assert separation(points[:5], points[5:]) == 0
    assert not nearer_to_many(points[:5], points[5:]).any()


def test_events_of_many_among_a_few_are_told():
    points = mixed(20, 9.0)
    few = np.concatenate([points[800:], points[:8]])
    nearer = nearer_to_many(few, points[8:800])
    assert not nearer[:20].any()
    assert nearer[20:].all()


def test_no_event_that_is_nearer_to_a_cluster_joins_a_group():
    labels = clusters(mixed(60, 6.8, wide=1.0))
    assert labels.max() == 1
    assert (labels[:800] == 1).mean() < 0.01


def test_a_group_is_made_once_where_most_of_it_peaks():
    # The last channel sees only those that peak on the second.
    points = mixed(20, 12.0)
    channel = np.zeros(820, np.int64)
    channel[400:800], channel[812:] = 2, 1
    geometry = Geometry(positions_um=np.array([[0.0, 0.0], [0.0, 30.0], [0.0, 60.0]]))
    labels = with_rare_clusters(
        np.zeros(820, np.int64), channel, geometry, lambda rows: points[rows], 40.0
    )
    assert labels.max() == 1
    assert len(np.unique(labels[800:])) == 1
