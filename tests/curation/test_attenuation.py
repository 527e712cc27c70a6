"""Which small matches are a unit's own, on trains made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from embersort.curation.attenuation import UnitMatches, attenuated_spikes

RATE_HZ = 10_000
DURATION = 1000 * RATE_HZ
WEAK, SURE = 100.0, 150.0
"""Gains below and beyond what counts at any time, 12²."""


def train(small_at, *, scaling=0.5, decrease=WEAK, n_usual=100):
    """One usual spike a second, and small ones at given times in ms after each of the first."""
    usual = np.arange(n_usual) * RATE_HZ
    small = np.arange(len(small_at)) * RATE_HZ + np.round(np.multiply(small_at, 10)).astype(int)
    sample = np.concatenate([usual, small])
    order = np.argsort(sample, kind="stable")
    is_small = order >= n_usual
    return is_small, UnitMatches(
        sample_index=sample[order],
        scaling=np.where(
            is_small, np.concatenate([usual, np.zeros(len(small)) + scaling])[order], 1
        ),
        decrease=np.where(
            is_small, np.concatenate([usual, np.zeros(len(small)) + decrease])[order], 900
        ),
        duration_samples=DURATION,
        sampling_rate_hz=RATE_HZ,
    )


def kept(*args, **kwargs):
    """How many of the small spikes are the unit's own; no usual one ever is a small one."""
    is_small, some = train(*args, **kwargs)
    own = attenuated_spikes(some)
    assert not own[~is_small].any()
    return int(own.sum())


def test_a_spike_that_stands_out_is_its_own_at_any_time():
    assert kept([300.0], decrease=SURE) == 1
    assert kept([300.0], decrease=WEAK) == 0


@pytest.mark.parametrize(
    ("soon", "elsewhere", "n_kept"),
    [
        pytest.param(10, 0, 10, id="all follow soon"),
        pytest.param(10, 90, 10, id="4 of 1000 s are soon: chance has 0.4 of the 10 there"),
        pytest.param(1, 0, 1, id="one, and none elsewhere"),
        pytest.param(1, 60, 1, id="chance has 0.2 of 1 there"),
        pytest.param(1, 90, 0, id="chance has 0.4 of 1 there"),
    ],
)
def test_weak_ones_must_follow_soon_and_more_often_than_by_chance(soon, elsewhere, n_kept):
    times = [10.0] * soon + [500.0] * elsewhere
    assert kept(times) == n_kept


def test_one_more_than_were_seen_elsewhere_may_be_chance():
    # Where a third of the recording is soon after a spike, one small spike there is no proof.
    _, some = train([10.0], n_usual=100)
    short = replace(some, duration_samples=3 * 100 * 200)
    assert attenuated_spikes(some).sum() == 1
    assert attenuated_spikes(short).sum() == 0


def test_the_weakest_show_for_themselves():
    # Soon after spikes are 10 of the stronger half, and of the weaker as many as anywhere.
    times = [10.0] * 11 + [500.0] * 600
    decrease = np.repeat([WEAK, 70.0], [10, 601])
    assert kept(times, decrease=decrease, n_usual=700) == 10


@pytest.mark.parametrize(
    ("n_lowest", "n_higher", "n_kept"),
    [
        pytest.param(5, 0, 0, id="a crowd of smaller neurons"),
        pytest.param(3, 0, 3, id="too few to tell"),
        pytest.param(12, 8, 20, id="as many higher up, or nearly"),
        pytest.param(30, 8, 8, id="the higher ones stay"),
    ],
)
def test_the_smallest_are_left_out_where_they_outnumber_the_others(n_lowest, n_higher, n_kept):
    scaling = np.repeat([0.35, 0.5], [n_lowest, n_higher])
    assert kept([300.0] * len(scaling), scaling=scaling, decrease=SURE) == n_kept


def test_a_unit_without_small_spikes_has_none():
    assert kept([]) == 0
