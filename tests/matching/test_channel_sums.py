"""Sums by unit and channel, against the same on all channels."""

import numpy as np

from embersort.matching.channel_sums import ChannelSums

N_WINDOW, N_CHANNELS = 4, 9


def test_means_are_those_of_sums_over_all_channels():
    rng = np.random.default_rng(0)
    sums = ChannelSums(3, N_WINDOW, N_CHANNELS)
    expected = np.zeros((3, 2, N_WINDOW, N_CHANNELS))
    for _ in range(20):
        unit, n_used = rng.integers(0, 2), rng.integers(0, 4)
        channels = np.full(3, -1)
        channels[:n_used] = rng.choice(N_CHANNELS, n_used, replace=False)
        summed = rng.normal(size=(2, N_WINDOW, 3))
        sums.add(unit, channels, summed)
        expected[unit][:, :, channels[:n_used]] += summed[:, :, :n_used]
    assert len(sums) == 3
    # The third unit was never found; the others take another of their sums each.
    which, counts = np.array([0, 1, 0]), np.array([5, 7, 0])
    means = sums.means(which, counts)
    assert (means[0] == expected[0, 0] / 5).all()
    assert (means[1] == expected[1, 1] / 7).all()
    assert not means[2].any()


def test_what_is_added_is_not_kept_by_reference():
    sums, summed = ChannelSums(1, 1, 1), np.ones((1, 1, 1))
    sums.add(0, np.array([0]), summed)
    summed[:] = 9
    sums.add(0, np.array([0]), np.ones((1, 1, 1)))
    assert sums.means(np.array([0]), np.array([1])).tolist() == [[[2.0]]]
