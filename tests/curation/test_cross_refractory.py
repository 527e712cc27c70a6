import numpy as np
import pytest

import naive_clustering
from embersort.curation.cross_refractory import coincidence


def test_pairs_of_a_literal():
    first, second = np.array([100, 200, 300]), np.array([105, 150, 203, 320])
    # Lags are 5, 50, 3, 20 …; from above 4 to 20 samples there are two, from above 20 to 300 nine.
    pairs = coincidence(first, second, 4, 20)
    assert pairs.n_seen == 2
    wide = naive_clustering.count_pairs(first, second, 20, 300)
    assert wide == 9
    assert pairs.n_expected == pytest.approx(9 * 16 / (14 * 20))


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    first, second = (np.sort(rng.integers(0, 5000, n)) for n in (80, 60))
    pairs = coincidence(first, second, 3, 40)
    assert pairs.n_seen == naive_clustering.count_pairs(first, second, 3, 40)


def test_independent_trains_coincide_as_expected():
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.integers(0, 3_000_000, 5000)) for _ in range(2))
    pairs = coincidence(first, second, 9, 60)
    assert pairs.n_seen == pytest.approx(pairs.n_expected, rel=0.1)


def test_empty_trains_have_no_pairs():
    none = np.zeros(0, np.int64)
    assert coincidence(none, np.array([1, 2]), 0, 10).n_seen == 0
    assert coincidence(none, none, 0, 10).n_expected == 0
