import numpy as np
import pytest

import naive_report
from embersort.report.blocks import cut_blocks
from embersort.report.correlograms import (
    INTERVAL_EDGES_MS,
    N_LAG_BINS,
    autocorrelogram,
    crosscorrelogram,
    interval_histogram,
    refractory_violations,
)

RATE_HZ = 10_000.0  # 10 samples per bin of 1 ms


def random_train(seed, n=300, n_samples=100_000):
    return np.sort(np.random.default_rng(seed).integers(0, n_samples, n))


def test_blocks_cover_the_recording_without_gap():
    blocks = cut_blocks(10, 4)
    assert blocks.edges_samples.tolist() == [0, 2, 5, 7, 10]
    assert blocks.of(np.array([0, 1, 2, 6, 7, 9])).tolist() == [0, 0, 1, 2, 3, 3]
    assert blocks.counts(np.array([0, 1, 2, 6, 7, 9])).tolist() == [2, 1, 1, 2]


def test_autocorrelogram_of_three_spikes():
    blocks = cut_blocks(1000, 2)
    counts = autocorrelogram(np.array([0, 25, 600]), RATE_HZ, blocks)
    expected = np.zeros((2, N_LAG_BINS), int)
    expected[0, 2] = 1
    np.testing.assert_array_equal(counts, expected)


def test_autocorrelogram_equals_its_slow_twin():
    train, blocks = random_train(1), cut_blocks(100_000, 5)
    np.testing.assert_array_equal(
        autocorrelogram(train, RATE_HZ, blocks),
        naive_report.autocorrelogram(train, 10, N_LAG_BINS, blocks.edges_samples),
    )


def test_crosscorrelogram_equals_its_slow_twin():
    train, other, blocks = random_train(1), random_train(2), cut_blocks(100_000, 5)
    np.testing.assert_array_equal(
        crosscorrelogram(train, other, RATE_HZ, blocks),
        naive_report.crosscorrelogram(train, other, 10, N_LAG_BINS, blocks.edges_samples),
    )


def test_crosscorrelogram_says_who_leads():
    counts = crosscorrelogram(np.array([1000]), np.array([1035]), RATE_HZ, cut_blocks(5000, 1))
    assert np.flatnonzero(counts[0]).tolist() == [N_LAG_BINS + 3]


@pytest.mark.parametrize("count", [autocorrelogram, interval_histogram])
def test_blocks_only_divide_what_the_whole_holds(count):
    train = random_train(3)
    whole = count(train, RATE_HZ, cut_blocks(100_000, 1)).sum(axis=0)
    parts = count(train, RATE_HZ, cut_blocks(100_000, 24)).sum(axis=0)
    np.testing.assert_array_equal(whole, parts)


def test_intervals_outside_the_edges_count_in_the_end_bins():
    train = np.array([0, 1, 1 + 20 * 10_000])  # 0.1 ms, then 20 s
    counts = interval_histogram(train, RATE_HZ, cut_blocks(300_000, 1))[0]
    assert counts[0] == counts[-1] == 1
    assert counts.sum() == 2
    assert len(counts) == len(INTERVAL_EDGES_MS) - 1


def test_refractory_violations_are_below_two_ms():
    train = np.array([0, 19, 39, 900, 910])
    assert refractory_violations(train, RATE_HZ, cut_blocks(1000, 2)).tolist() == [1, 1]


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_spikes_give_no_counts(n):
    train, blocks = np.zeros(n, np.int64), cut_blocks(100, 3)
    assert autocorrelogram(train, RATE_HZ, blocks).sum() == 0
    assert interval_histogram(train, RATE_HZ, blocks).sum() == 0
    assert refractory_violations(train, RATE_HZ, blocks).tolist() == [0, 0, 0]
