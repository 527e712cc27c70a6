import numpy as np
import pytest
from scipy.stats import multivariate_normal

from embersort.clustering.isosplit import isosplit
from embersort.clustering.mixture import Mixture, fit_mixture
from embersort.clustering.neighbourhoods import split
from embersort.config import ClusterConfig, IsoSplitConfig

SHAPE = np.array([[4.0, 1.5], [1.5, 1.0]])


def run_together(seed=0, n=600):
    """Three clouds of one shape, too near each other for a gap, and whose the points are."""
    rng = np.random.default_rng(seed)
    centres = [[0, 0], [4.2, 0.4], [1.8, 2.2]]
    points = [rng.multivariate_normal(centre, SHAPE, n) for centre in centres]
    return np.concatenate(points), np.repeat(np.arange(3), n)


def share_right(labels, truth):
    """Share of points that are in the part of most of their cloud."""
    return np.mean([np.bincount(labels[truth == k]).max() / (truth == k).sum() for k in range(3)])


@pytest.mark.parametrize("seed", range(3))
def test_clouds_without_a_gap_are_counted_and_parted(seed):
    points, truth = run_together(seed)
    mixture = fit_mixture(points, 16)
    assert isosplit(points, IsoSplitConfig()).max() == 0
    assert len(mixture.share) == 3
    assert share_right(mixture.most_likely(points), truth) > 0.8


@pytest.mark.parametrize("n_dims", [1, 2, 10])
def test_one_cloud_is_one_part(n_dims):
    points = np.random.default_rng(0).normal(size=(1000, n_dims)) * np.arange(1, n_dims + 1)
    assert fit_mixture(points, 16).share.tolist() == [1.0]


def test_few_points_and_equal_points_are_one_part():
    assert len(fit_mixture(np.random.default_rng(0).normal(size=(12, 10)), 16).share) == 1
    assert len(fit_mixture(np.ones((50, 3)), 16).share) == 1


def test_densities_are_those_of_normal_distributions():
    root = np.linalg.cholesky(SHAPE)
    mixture = Mixture(np.array([[0.0, 1], [3, 2]]), np.linalg.inv(root).T, np.array([0.25, 0.75]))
    points = np.random.default_rng(0).normal(size=(20, 2))
    expected = [
        np.log(share) + multivariate_normal.logpdf(points, centre, SHAPE)
        for centre, share in zip(mixture.centre, mixture.share, strict=True)
    ]
    assert np.allclose(mixture.log_density(points), expected)


def test_parts_that_no_point_belongs_to_are_left_out():
    mixture = Mixture(np.array([[0.0], [50.0], [9.0]]), np.eye(1), np.full(3, 1 / 3))
    assert mixture.most_likely(np.array([[8.0], [0.0], [9.0]])).tolist() == [1, 0, 1]


def test_the_points_are_left_as_they_are():
    points, _ = run_together()
    before = points.copy()
    fit_mixture(points, 16)
    assert (points == before).all()


def test_events_are_split_without_a_gap_only_if_they_are_several_neurons():
    points, truth = run_together()
    asked = []

    def several(members):
        asked.append(len(members))
        return len(members) == len(points)

    assert len(split([points], ClusterConfig())) == 1
    found = split([points], ClusterConfig(), is_multi_unit=several)
    labels = np.zeros(len(points), np.int64)
    for index, members in enumerate(found):
        labels[members] = index
    assert len(found) == 3
    assert share_right(labels, truth) > 0.8
    # Each part is asked about, too.
    assert sorted(asked) == sorted([len(points), *map(len, found)])
