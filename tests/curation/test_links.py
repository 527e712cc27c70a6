"""Blocks are 2 s long; recordings of 80 s have 40 of them."""

import numpy as np
import pytest

from embersort.curation.links import Link, follow_in_bursts, link
from spike_trains import RATE_HZ, frame_of, labelled, of_unit, poisson, regular

BEFORE, AFTER = regular(0, 44), regular(36, 80, offset_s=0.05)
"""Two trains that take turns and are both active from 36 s to 44 s."""


def link_of(spikes, frame):
    return link(spikes, of_unit(spikes, 0), of_unit(spikes, 1), frame)


def test_a_continuous_passage_is_seen_though_the_ends_lie_far_apart():
    spikes = labelled(BEFORE, AFTER)
    time_s = spikes.sample_index / RATE_HZ
    points = np.random.default_rng(0).normal(size=(len(time_s), 2))
    points[:, 0] += np.where(time_s < 36, -20, np.where(time_s < 44, 0, 20))
    assert link_of(spikes, lambda rows: points[rows]) is Link.PASSES


def test_a_gap_while_both_are_active_keeps_them_apart():
    spikes = labelled(BEFORE, AFTER)
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 8]])) is Link.NONE


@pytest.mark.parametrize("last_s", [40, 40.9])
def test_parts_that_are_hardly_ever_active_together_jump(last_s):
    # Until 40.9 s there are nine spikes in a common block: too few to see a gap.
    spikes = labelled(regular(0, last_s), regular(40, 80, offset_s=0.05))
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 8]])) is Link.JUMPS


def test_parts_active_at_the_same_times_do_not_take_turns():
    spikes = labelled(regular(0, 80), regular(0, 80, offset_s=0.05))
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 0]])) is Link.NONE


def test_parts_that_are_mostly_active_together_do_not_take_turns():
    # They share a quarter of the blocks, far fewer than chance would give, but are in no others.
    spikes = labelled([*regular(0, 20), 79.0], regular(0, 20, offset_s=0.05))
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 0]])) is Link.NONE


def test_too_few_spikes_cannot_be_said_to_take_turns():
    spikes = labelled([1.0, 20.0, 30.0], [50.0, 60.0, 79.0])
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 0]])) is Link.NONE


def test_a_busy_time_of_one_alone_is_no_turn():
    # Only 3 % of the first one's spikes are in common blocks, but all blocks of the second.
    slow = regular(20, 80, 2.0, offset_s=0.5)
    spikes = labelled(np.concatenate([regular(0, 20, 0.02), slow]), slow + 0.5)
    assert link_of(spikes, frame_of(spikes, [[0, 0], [0, 0]])) is Link.NONE


def do_follow(large, small):
    spikes = labelled(large, small)
    return bool(follow_in_bursts(spikes, of_unit(spikes, 0), of_unit(spikes, 1)))


@pytest.mark.parametrize(
    ("lag_s", "answer"), [(0.01, True), (0.03, True), (0.05, False), (-0.01, False)]
)
def test_later_spikes_come_within_thirty_milliseconds_after(lag_s, answer):
    large = regular(1, 100, 1.0)
    assert do_follow(large, large + lag_s) is answer


@pytest.mark.parametrize(("n_followers", "answer"), [(25, False), (50, True)])
def test_a_third_of_the_smaller_spikes_follows(n_followers, answer):
    large = regular(1, 101, 1.0)
    lag_s = np.where(np.arange(100) < n_followers, 0.01, 0.5)
    assert do_follow(large, large + lag_s) is answer


def test_the_first_spike_of_all_follows_none():
    # Two of seven follow: less than 0.3.
    small = 0.5 + np.arange(7)
    assert not do_follow(small + np.where(np.arange(7) < 5, 0.5, -0.01), small)


def test_later_spikes_may_follow_each_other():
    # Only every fourth follows the large one, which comes first, itself.
    large = regular(1, 41, 1.0)
    small = np.sort((large[:, None] + [0.025, 0.05, 0.075, 0.1]).ravel())
    assert do_follow(large, small)


@pytest.mark.parametrize("seed", range(3))
def test_busy_independent_trains_do_not_follow_each_other(seed):
    # By chance nearly every spike has another within 30 ms before it.
    assert not do_follow(poisson(2 * seed, 0, 40, 50), poisson(2 * seed + 1, 0, 40, 50))


def test_of_two_that_alternate_fast_neither_follows_more():
    small = regular(0, 2, 0.02)
    assert not do_follow(small + 0.01, small)


@pytest.mark.parametrize(("n_small", "answer"), [(10, False), (40, True)])
def test_few_that_chance_may_let_follow_are_no_bursts(n_small, answer):
    # Half of the small ones follow; by chance one in seven would.
    large = regular(1, 201, 0.2)
    lag_s = np.where(np.arange(n_small) % 2, 0.02, 0.1)
    assert do_follow(large, large[::25][:n_small] + lag_s) is answer
