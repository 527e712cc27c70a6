import numpy as np
import pytest

import naive_clustering
from constants import changed
from embersort.clustering import neighbourhoods
from embersort.clustering.gaps import principal_coordinates
from embersort.clustering.isosplit import isosplit
from embersort.clustering.neighbourhoods import cluster_probe, split
from embersort.clustering.parcels import parcels
from embersort.config import ClusterConfig, IsoSplitConfig
from embersort.types import Geometry

CONFIG = IsoSplitConfig()


def parts(*clusters):
    truth = np.repeat(np.arange(len(clusters)), [len(cluster) for cluster in clusters])
    order = np.random.default_rng(9).permutation(len(truth))
    return np.concatenate(clusters)[order], truth[order]


def agreement(found, truth):
    """Share of points whose cluster is the commonest of their true one; 0 if the numbers differ."""
    if len(set(found.tolist())) != len(set(truth.tolist())):
        return 0.0
    commonest = [np.bincount(found[truth == k]) for k in np.unique(truth)]
    if len({int(count.argmax()) for count in commonest}) < len(commonest):
        return 0.0
    return sum(count.max() for count in commonest) / len(truth)


def normal(rng, n, sd, centre):
    return rng.normal(size=(n, len(centre))) * sd + centre


def skewed(rng, n, centre, sign=1):
    return np.column_stack([sign * 2 * rng.exponential(size=n), rng.normal(size=n)]) + centre


def mixtures(rng):
    return {
        "equal": parts(normal(rng, 500, 1, [0, 0]), normal(rng, 500, 1, [6, 0])),
        "unequal sizes": parts(normal(rng, 2000, 1, [0, 0]), normal(rng, 100, 1, [8, 0])),
        "unequal widths": parts(normal(rng, 800, 3, [0, 0]), normal(rng, 300, 0.3, [14, 0])),
        "elongated": parts(
            normal(rng, 500, [5, 0.4], [0, 0]),
            normal(rng, 500, [5, 0.4], [0, 4]),
            normal(rng, 200, 0.3, [0, 9]),
        ),
        "skewed": parts(skewed(rng, 800, [0, 0]), skewed(rng, 800, [-5, 0], -1)),
        "skewed the same way": parts(skewed(rng, 800, [0, 0]), skewed(rng, 800, [0, 8])),
        "packed": parts(
            *[normal(rng, 300, 0.5, [3 * i, 3 * j]) for i in range(4) for j in range(4)]
        ),
        "ten dimensions": parts(
            *[normal(rng, 400, 1, 7.0 * (np.arange(10) == k)) for k in range(5)]
        ),
    }


@pytest.mark.parametrize("name", list(mixtures(np.random.default_rng(0))))
@pytest.mark.parametrize("seed", range(3))
def test_clusters_of_any_shape_are_told_apart(name, seed):
    points, truth = mixtures(np.random.default_rng(seed))[name]
    assert agreement(isosplit(points, CONFIG), truth) > 0.98


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: skewed(rng, 1500, [0, 0]),
        lambda rng: rng.lognormal(0, 0.7, size=(2000, 2)),
        lambda rng: rng.normal(size=(1000, 10)),
        lambda rng: rng.normal(size=(1500, 2)) * [30, 1],
        lambda rng: rng.normal(size=(12, 2)),
    ],
    ids=["skewed", "skewed twice", "ten dimensions", "elongated", "few"],
)
def test_one_cluster_stays_whole(draw):
    for seed in range(3):
        assert (isosplit(draw(np.random.default_rng(seed)), CONFIG) == 0).all()


def test_labels_are_in_order_of_first_appearance_and_the_same_every_time():
    points, _ = mixtures(np.random.default_rng(0))["elongated"]
    labels = isosplit(points, CONFIG)
    assert list(dict.fromkeys(labels.tolist())) == [0, 1, 2]
    assert (labels == isosplit(points, CONFIG)).all()


def test_order_rotation_and_scale_do_not_matter():
    points, _ = mixtures(np.random.default_rng(0))["equal"]
    labels = isosplit(points, CONFIG)
    backwards = isosplit(points[::-1], CONFIG)[::-1]
    turned = isosplit(100 * points @ np.array([[0.6, 0.8], [-0.8, 0.6]]), CONFIG)
    assert naive_clustering.same_partition(labels, backwards)
    assert naive_clustering.same_partition(labels, turned)


def test_no_points_one_point_and_equal_points():
    assert isosplit(np.zeros((0, 3)), CONFIG).tolist() == []
    assert isosplit(np.zeros((1, 3)), CONFIG).tolist() == [0]
    assert (isosplit(np.ones((50, 3)), CONFIG) == 0).all()


def test_parcels_are_small_and_compact():
    points = np.random.default_rng(0).uniform(size=(1000, 2))
    labels = parcels(points, 40, 10)
    assert len(np.unique(labels)) == 40
    within = [np.ptp(points[labels == k], axis=0).max() for k in range(40)]
    assert max(within) < 0.5
    assert np.bincount(parcels(points, 2000, 25)).max() <= 25


def test_parts_that_only_show_in_their_own_dimensions_are_found():
    rng = np.random.default_rng(0)
    # The small gap lies in a dimension that the whole set's principal one hides.
    far = normal(rng, 500, [1, 1, 1], [100, 0, 0])
    near = [normal(rng, 500, [1, 1, 1], [0, side, 0]) for side in (-4, 4)]
    points, truth = parts(far, *near)
    with changed(neighbourhoods, N_DIMS=1):
        clusters = split([points], ClusterConfig())
    assert sorted(len(members) for members in clusters) == pytest.approx([500] * 3, abs=10)
    assert all(np.bincount(truth[members]).max() > 0.98 * len(members) for members in clusters)


def test_principal_coordinates_keep_distances():
    points = np.random.default_rng(0).normal(size=(50, 4)) * [5, 3, 0.001, 0.001]
    coordinates = principal_coordinates(points, 2)
    assert coordinates.shape == (50, 2)
    distance = np.linalg.norm(points[0] - points[1])
    assert np.isclose(np.linalg.norm(coordinates[0] - coordinates[1]), distance, atol=0.01)
    assert principal_coordinates(points, 9).shape == (50, 4)


def test_a_unit_that_peaks_on_two_channels_is_one_cluster_and_shanks_stay_apart():
    rng = np.random.default_rng(0)
    features, unit = parts(normal(rng, 400, 1, [0, 0]), normal(rng, 400, 1, [8, 0]))
    channel = np.where(unit == 0, rng.integers(0, 2, 800), 2)
    geometry = Geometry(positions_um=[[0, 0], [0, 20], [0, 40]], shank_index=[0, 0, 1])
    # All at one time, which then has no say.
    when = np.zeros(800)
    labels = cluster_probe(channel, geometry, [lambda rows: features[rows]], when, ClusterConfig())
    assert naive_clustering.same_partition(labels, unit)


def test_too_few_events_are_no_cluster():
    geometry = Geometry(positions_um=[[0, 0]])
    labels = cluster_probe(
        np.zeros(9, np.int64),
        geometry,
        [lambda rows: np.zeros((len(rows), 2))],
        np.linspace(0, 1, 9),
        ClusterConfig(),
    )
    assert (labels == -1).all()
