import numpy as np
import pytest

from embersort.curation.cross_refractory import share_at_fixed_lag
from embersort.curation.duplicates import lagged_duplicates
from spike_trains import labelled, poisson

VOICE = poisson(0, 1, 21)
"""400 spikes in 20 s."""


def impulses(*heights):
    """Templates of six samples with one trough on each channel."""
    templates = np.zeros((len(heights), 6, len(heights[0])))
    templates[:, 2] = -np.array(heights, float)
    return templates


LOUD, SOFT, ELSEWHERE = [10, 5, 0], [2, 4, 0], [0, 0, 4]


def echoes_of(trains, *heights):
    return lagged_duplicates(labelled(*trains), impulses(*heights)).tolist()


@pytest.mark.parametrize("lag_s", [0.0015, -0.0015, 0.0, 0.0039])
def test_a_weaker_part_at_one_lag_is_an_echo(lag_s):
    assert echoes_of([VOICE, VOICE + lag_s], LOUD, SOFT) == [False, True]
    assert echoes_of([VOICE + lag_s, VOICE], SOFT, LOUD) == [True, False]


def test_a_longer_lag_is_none():
    assert echoes_of([VOICE, VOICE + 0.005], LOUD, SOFT) == [False, False]


def following(n_echoes):
    """A train of which so many spikes of 400 follow the voice."""
    alone = np.sort(np.random.default_rng(2).uniform(30, 50, 400 - n_echoes))
    return np.concatenate([VOICE[:n_echoes] + 0.0015, alone])


@pytest.mark.parametrize(("n_echoes", "duplicate"), [(280, False), (360, True)])
def test_where_the_voice_does_not_reach_an_echo_follows_next_to_always(n_echoes, duplicate):
    assert echoes_of([VOICE, following(n_echoes)], LOUD, ELSEWHERE) == [False, duplicate]


@pytest.mark.parametrize(("height", "duplicate"), [(0.4, False), (0.6, True)])
def test_a_voice_reaches_channels_with_a_twentieth_of_its_extent(height, duplicate):
    assert echoes_of([VOICE, following(280)], [10, 5, height], ELSEWHERE) == [False, duplicate]


@pytest.mark.parametrize("width", [1, 4])
def test_a_share_is_that_of_the_naive_twin(width):
    rng = np.random.default_rng(4)
    source = np.sort(rng.choice(20_000, 150, replace=False))
    part = np.sort(np.concatenate([source[::2] + rng.integers(8, 12, 75), rng.choice(20_000, 40)]))
    lags = [later - earlier for later in part for earlier in source if abs(later - earlier) <= 40]
    best = max(sum(low <= lag < low + width for lag in lags) for low in range(-40, 41))
    assert share_at_fixed_lag(source, part, 40, width) == best / len(part)


def test_no_spikes_follow_none():
    some, none = np.arange(5), np.zeros(0, np.int64)
    assert share_at_fixed_lag(none, some, 40, 4) == share_at_fixed_lag(some, none, 40, 4) == 0


def test_a_neuron_that_answers_within_milliseconds_is_kept():
    lag_s = np.random.default_rng(1).uniform(0.001, 0.003, len(VOICE))
    assert echoes_of([VOICE, np.sort(VOICE + lag_s)], LOUD, SOFT) == [False, False]


@pytest.mark.parametrize(("n_echoes", "duplicate"), [(160, False), (240, True)])
def test_most_spikes_of_an_echo_follow(n_echoes, duplicate):
    assert echoes_of([VOICE, following(n_echoes)], LOUD, SOFT) == [False, duplicate]


def test_neighbouring_lags_are_one():
    # A third of the spikes at either of two lags is too few, both together are enough.
    lag_s = np.resize([0.0015, 0.0016, 0.0035], len(VOICE))
    assert echoes_of([VOICE, np.sort(VOICE + lag_s)], LOUD, SOFT) == [False, True]


def test_of_two_alike_the_first_is_the_voice():
    assert echoes_of([VOICE, VOICE + 0.001], SOFT, SOFT) == [False, True]


def test_an_echo_is_no_voice():
    # The third is heard by the second alone.
    trains = [VOICE, VOICE + 0.001, following(280) + 0.002]
    assert echoes_of(trains, [10, 5, 0], [0, 5, 5], [0, 0, 4]) == [False, True, False]
    assert echoes_of(trains[1:], [0, 5, 5], [0, 0, 4]) == [False, True]


def test_independent_trains_are_no_echoes():
    assert echoes_of([VOICE, poisson(3, 1, 21)], LOUD, SOFT) == [False, False]
