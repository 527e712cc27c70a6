import numpy as np
import pytest

import naive_clustering
from embersort.clustering.isocut import isocut, isotonic_increasing


def test_isotonic_regression_of_a_literal():
    fit, error = isotonic_increasing(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
    assert fit.tolist() == [1, 2.5, 2.5, 4]
    assert error.tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_regression_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    y, weight = rng.normal(size=25), rng.uniform(0.5, 2, 25)
    fit, error = isotonic_increasing(y, weight)
    assert np.allclose(fit, naive_clustering.isotonic(y, weight))
    for n in (1, 10, 25):
        part = naive_clustering.isotonic(y[:n], weight[:n])
        assert np.isclose(error[n - 1], (weight[:n] * (part - y[:n]) ** 2).sum())


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(size=1000),
        lambda rng: rng.exponential(size=1000),
        lambda rng: -rng.lognormal(size=1000),
        lambda rng: rng.standard_t(3, size=1000),
        lambda rng: rng.normal(size=30),
    ],
    ids=["normal", "exponential", "log-normal to the left", "heavy tails", "few"],
)
def test_samples_with_one_mode_do_not_dip(draw):
    dips = [isocut(draw(np.random.default_rng(seed)))[0] for seed in range(20)]
    assert np.mean(np.array(dips) < 1) >= 0.95


@pytest.mark.parametrize(
    ("n_left", "n_right", "gap"), [(500, 500, 5), (1000, 1000, 4), (300, 900, 6)]
)
def test_two_modes_are_cut_in_the_valley(n_left, n_right, gap):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        sample = np.concatenate([rng.normal(0, 1, n_left), rng.normal(gap, 1, n_right)])
        dip, cut = isocut(rng.permutation(sample))
        assert dip > 2
        assert 1 < cut < gap - 1


def test_scale_and_place_do_not_matter():
    rng = np.random.default_rng(0)
    sample = np.concatenate([rng.normal(0, 1, 300), rng.normal(6, 1, 300)])
    dip, cut = isocut(sample)
    moved_dip, moved_cut = isocut(1024 * sample + 4096)
    assert np.isclose(dip, moved_dip)
    assert np.isclose(moved_cut, 1024 * cut + 4096)


def test_equal_values_and_tiny_samples():
    assert isocut(np.zeros(0)) == (0, 0)
    assert isocut(np.array([1.0, 2.0, 9.0])) == (0, 0)
    assert np.isfinite(isocut(np.full(50, 3.0))).all()
    assert isocut(np.full(50, 3.0))[0] < 1
