import numpy as np
import pytest

from embersort.clustering.echoes import echoes
from spike_trains import MERGE, labelled, poisson

VOICE = poisson(0, 1, 21)
"""400 spikes in 20 s."""


def impulses(*heights):
    """Templates of six samples with one trough on each channel."""
    templates = np.zeros((len(heights), 6, len(heights[0])))
    templates[:, 2] = -np.array(heights, float)
    return templates


LOUD, SOFT, ELSEWHERE = [10, 5, 0], [2, 4, 0], [0, 0, 4]


def echoes_of(trains, *heights):
    return echoes(labelled(*trains), impulses(*heights), MERGE).tolist()


@pytest.mark.parametrize("lag_s", [0.0015, -0.0015, 0.0, 0.0039])
def test_a_weaker_part_at_one_lag_is_an_echo(lag_s):
    assert echoes_of([VOICE, VOICE + lag_s], LOUD, SOFT) == [False, True]
    assert echoes_of([VOICE + lag_s, VOICE], SOFT, LOUD) == [True, False]


def test_a_longer_lag_is_none():
    assert echoes_of([VOICE, VOICE + 0.005], LOUD, SOFT) == [False, False]


def test_on_another_shank_nothing_is_an_echo():
    assert echoes_of([VOICE, VOICE + 0.0015], LOUD, ELSEWHERE) == [False, False]


@pytest.mark.parametrize(("height", "echo"), [(0.4, False), (0.6, True)])
def test_a_voice_reaches_channels_with_a_twentieth_of_its_extent(height, echo):
    trains = [VOICE, VOICE + 0.0015]
    assert echoes_of(trains, [10, 5, height], ELSEWHERE) == [False, echo]


def test_a_neuron_that_answers_within_milliseconds_is_kept():
    lag_s = np.random.default_rng(1).uniform(0.001, 0.003, len(VOICE))
    assert echoes_of([VOICE, np.sort(VOICE + lag_s)], LOUD, SOFT) == [False, False]


@pytest.mark.parametrize(("n_echoes", "echo"), [(160, False), (240, True)])
def test_most_spikes_of_an_echo_follow(n_echoes, echo):
    alone = np.sort(np.random.default_rng(2).uniform(30, 50, 400 - n_echoes))
    part = np.concatenate([VOICE[:n_echoes] + 0.0015, alone])
    assert echoes_of([VOICE, part], LOUD, SOFT) == [False, echo]


def test_neighbouring_lags_are_one():
    # A third of the spikes at either of two lags is too few, both together are enough.
    lag_s = np.resize([0.0015, 0.0016, 0.0035], len(VOICE))
    assert echoes_of([VOICE, np.sort(VOICE + lag_s)], LOUD, SOFT) == [False, True]


def test_of_two_alike_the_first_is_the_voice():
    assert echoes_of([VOICE, VOICE + 0.001], SOFT, SOFT) == [False, True]


def test_an_echo_is_no_voice():
    # The third is heard by the second alone.
    trains = [VOICE, VOICE + 0.001, VOICE + 0.002]
    assert echoes_of(trains, [10, 5, 0], [0, 5, 5], [0, 0, 4]) == [False, True, False]
    assert echoes_of(trains[1:], [0, 5, 5], [0, 0, 4]) == [False, True]


def test_independent_trains_are_no_echoes():
    assert echoes_of([VOICE, poisson(3, 1, 21)], LOUD, SOFT) == [False, False]
