import numpy as np
import pytest
from scipy.stats import poisson as poisson_law

from embersort.curation.links import PASSING_DIP
from embersort.curation.pair_tests import (
    _poisson_head,
    fire_independently,
    keep_cross_refractory,
    projection_dip,
)
from spike_trains import labelled, of_unit, poisson, regular


def do_coincide(*trains):
    spikes = labelled(*trains)
    return fire_independently(spikes, of_unit(spikes, 0), of_unit(spikes, 1))


@pytest.mark.parametrize(
    ("lag_s", "n_spikes", "answer"),
    [
        pytest.param(0.005, 100, False, id="36 expected within 2 ms, none there"),
        pytest.param(0.001, 100, True, id="30 expected, 100 there"),
        pytest.param(0.0002, 100, False, id="all within the censored period"),
        pytest.param(0.001, 10, True, id="3 expected, 10 there"),
        pytest.param(0.001, 2, False, id="2 there"),
    ],
)
def test_pairs_within_the_refractory_period_decide(lag_s, n_spikes, answer):
    first = regular(0, n_spikes * 0.01, 0.01)
    assert do_coincide(first, first + lag_s) is answer


def test_half_of_what_strangers_have_is_still_one_neuron():
    # Lags of 5 ms give 36 expected pairs; here every eighth or every second spike is at 1 ms.
    first = regular(0, 1, 0.01)
    for every, answer in ((8, False), (2, True)):
        second = first + np.where(np.arange(100) % every == 0, 0.001, 0.005)
        assert do_coincide(first, second) is answer


@pytest.mark.parametrize(
    ("n_spikes", "n_near", "answer"),
    [
        # Lags of 5 ms but for a few of 1 ms; of 100 spikes 36 pairs are expected, of 10 three.
        (100, 14, False),
        (100, 15, True),
        (10, 3, False),
        (10, 4, True),
    ],
)
def test_few_coincidences_are_enough_where_one_neuron_would_show_hardly_any(
    n_spikes, n_near, answer
):
    first = regular(0, n_spikes * 0.01, 0.01)
    second = first + np.where(np.arange(n_spikes) < n_near, 0.001, 0.005)
    assert do_coincide(first, second) is answer


@pytest.mark.parametrize(
    ("near_s", "n_near", "answer"),
    [
        # Of 36 pairs expected from 0.3 to 2 ms, 17 are expected from 1.2 ms on.
        (0.0015, 8, False),
        (0.0015, 9, True),
        (0.001, 9, False),
    ],
)
def test_strangers_whose_nearer_spikes_hide_each_other_are_told_by_the_others(
    near_s, n_near, answer
):
    first = regular(0, 1, 0.01)
    second = first + np.where(np.arange(100) < n_near, near_s, 0.005)
    assert do_coincide(first, second) is answer


@pytest.mark.parametrize("mean", [0.01, 0.6, 7.4, 300.0, 2000.0])
def test_the_chance_of_many_is_that_of_poisson(mean):
    for least in (1, 3, int(mean) + 1, int(mean + 4 * mean**0.5) + 1):
        expected = poisson_law.sf(least - 1, mean) if least > mean else 1.0
        assert np.isclose(_poisson_head(least, mean), expected, rtol=1e-6)
    assert _poisson_head(3, 0.0) == 0
    assert _poisson_head(0, 0.0) == 1


def test_independent_trains_coincide_and_halves_of_one_train_do_not():
    assert do_coincide(poisson(0, 0, 50), poisson(1, 0, 50))
    gaps = 0.0025 + np.random.default_rng(2).exponential(0.02, 2000)
    train = np.cumsum(gaps)
    half = np.random.default_rng(3).random(2000) < 0.5
    assert not do_coincide(train[half], train[~half])


@pytest.mark.parametrize(
    ("n_spikes", "n_near", "proven"),
    [
        pytest.param(14, 0, False, id="4 expected, none there: 2 in 100 strangers have that"),
        pytest.param(28, 0, True, id="7 expected, none there"),
        pytest.param(28, 1, False, id="7 expected, 1 there: 6 in 1,000"),
        pytest.param(84, 2, True, id="21 expected, 2 there"),
        pytest.param(84, 4, False, id="21 expected, 4 there: more than a tenth"),
    ],
)
def test_halves_are_proven_where_strangers_would_hardly_ever_keep_apart(n_spikes, n_near, proven):
    # Lags of 5 ms, and of 6 ms and 11 ms more, give about a quarter of a pair for each spike.
    first = regular(0, n_spikes * 0.011, 0.011)
    second = first + np.where(np.arange(n_spikes) < n_near, 0.001, 0.005)
    spikes = labelled(first, second)
    assert keep_cross_refractory(spikes, of_unit(spikes, 0), of_unit(spikes, 1), 0.6) is proven


def dip_of(points, n_first, n_dims=10):
    both = np.arange(len(points))
    return projection_dip(lambda rows: points[rows], both[:n_first], both[n_first:], n_dims)


def test_halves_of_one_cluster_have_no_gap_two_clusters_have_one():
    points = np.random.default_rng(0).normal(size=(300, 3))
    assert dip_of(points, 150) < PASSING_DIP
    points[150:, 1] += 6
    assert dip_of(points, 150) > PASSING_DIP


def test_the_gap_is_sought_across_the_wide_direction():
    # The means differ at random by about 7 along the wide axis, where there is no gap.
    points = np.random.default_rng(0).normal(size=(200, 2)) * [50, 1]
    points[100:, 1] += 7
    assert dip_of(points, 100) > PASSING_DIP


def test_only_the_principal_dimensions_are_looked_at():
    points = np.random.default_rng(0).normal(size=(200, 2)) * [50, 1]
    points[100:, 1] += 7
    assert dip_of(points, 100, n_dims=1) < PASSING_DIP


@pytest.mark.parametrize("seed", range(3))
def test_few_spikes_in_many_dimensions_are_not_pulled_apart(seed):
    # In 190 dimensions some line separates any two halves of 200 spikes.
    points = np.random.default_rng(seed).normal(size=(200, 190))
    assert dip_of(points, 100, n_dims=190) < PASSING_DIP


def test_spikes_without_a_column_in_common_are_not_taken_for_one_cluster():
    assert dip_of(np.zeros((40, 0)), 20) == np.inf
