import numpy as np

from embersort.spike_pairs import REFRACTORY_MS, lag_counts, short_intervals


def test_pairs_are_counted_by_lag():
    first, second = np.array([10, 20]), np.array([8, 10, 21, 40])
    counts = lag_counts(first, second, 2)
    # 8 - 10, 10 - 10, 21 - 20; the others are farther apart.
    assert counts.tolist() == [1, 0, 1, 1, 0]


def test_counts_are_those_of_all_pairs():
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.integers(0, 2000, 150)) for _ in range(2))
    lags = (second[:, None] - first[None, :]).ravel()
    expected = [(lags == lag).sum() for lag in range(-30, 31)]
    assert lag_counts(first, second, 30).tolist() == expected


def test_intervals_below_the_refractory_period_are_short():
    shortest = round(REFRACTORY_MS * 30)
    train = np.cumsum([0, shortest - 1, shortest, shortest + 1])
    assert short_intervals(train, 30_000.0).tolist() == [True, False, False]
    assert short_intervals(train[:1], 30_000.0).tolist() == []
