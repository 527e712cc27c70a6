import numpy as np
import pytest

import naive_matching
from constants import changed
from embersort.config import MatchConfig
from embersort.matching import redundancy
from embersort.matching.bank import make_bank
from embersort.matching.redundancy import Redundancy, redundant
from embersort.templates.sparse import sparse

N_BEFORE = 25
TEMPLATES = naive_matching.shapes(n_window=60, n_before=N_BEFORE)
"""Three distinct templates, zero towards both ends of the window."""


def redundant_of(templates, n_before, counts, config):
    return redundant(sparse(templates), make_bank(sparse(templates), n_before), counts, config)


def gone(*templates, counts=None, **constants):
    counts = np.arange(len(templates), 0, -1) if counts is None else np.array(counts)
    with changed(redundancy, **constants):
        return redundant_of(np.stack(templates), N_BEFORE, counts, MatchConfig()).tolist()


def test_distinct_templates_all_stay():
    assert gone(*TEMPLATES) == [False, False, False]


@pytest.mark.parametrize("lag", [-8, -1, 1, 8])
def test_a_copy_at_another_lag_is_redundant(lag):
    assert gone(*TEMPLATES, np.roll(TEMPLATES[0], lag, axis=0)) == [False, False, False, True]


def test_what_a_late_copy_has_beyond_its_window_is_not_missed():
    whole = naive_matching.shapes(n_window=40, n_before=15)
    late = np.zeros_like(whole[2])
    late[12:] = whole[2, :-12]
    config = MatchConfig()
    templates = np.stack([*whole, late])
    assert redundant_of(templates, 15, np.array([9, 9, 9, 1]), config).tolist() == [0, 0, 0, 1]


def test_of_copies_the_one_with_more_events_stays():
    copy = np.roll(TEMPLATES[0], 5, axis=0)
    assert gone(TEMPLATES[0], copy, counts=[3, 4]) == [True, False]
    assert gone(TEMPLATES[0], copy, counts=[4, 3]) == [False, True]


@pytest.mark.parametrize("lag", [-6, 0, 9])
def test_a_collision_is_the_sum_of_two_others(lag):
    collision = TEMPLATES[0] + np.roll(TEMPLATES[1], lag, axis=0)
    assert gone(*TEMPLATES, collision) == [False, False, False, True]
    # Where one of the two is not there, nobody explains it.
    assert gone(TEMPLATES[0], TEMPLATES[2], collision) == [False, False, False]


def test_nobody_is_explained_away_by_a_rarer_one():
    # The third is what the first would leave of it; both together explain the sum, if they are not
    # rarer than it is.
    whole = TEMPLATES[0] + TEMPLATES[1]
    assert gone(TEMPLATES[0], whole, TEMPLATES[1], counts=[900, 800, 900]) == [False, True, False]
    assert gone(TEMPLATES[0], whole, TEMPLATES[1], counts=[900, 800, 10]) == [False, False, False]


def test_a_template_of_half_the_height_is_another_neuron():
    assert gone(TEMPLATES[0], 0.8 * TEMPLATES[0]) == [False, True]
    assert gone(TEMPLATES[0], 0.4 * TEMPLATES[0]) == [False, False]


@pytest.mark.parametrize(("share", "redundant"), [(0.01, True), (0.1, False)])
def test_a_template_may_have_a_little_of_its_own(share, redundant):
    # Every other sample of the farthest channel, against which no template can be matched.
    rest = np.zeros_like(TEMPLATES[0])
    rest[::2, 3], rest[1::2, 3] = 1, -1
    rest *= np.sqrt(share / (1 - share) * (TEMPLATES[0] ** 2).sum() / (rest**2).sum())
    assert gone(TEMPLATES[0], TEMPLATES[0] + rest) == [False, redundant]
    assert gone(TEMPLATES[0], TEMPLATES[0] + rest, REDUNDANT_SHARE=0.2) == [False, True]


def test_no_templates_none_redundant():
    assert redundant_of(TEMPLATES[:0], N_BEFORE, np.zeros(0, int), MatchConfig()).tolist() == []


def test_what_is_remembered_changes_nothing():
    copy = np.roll(TEMPLATES[0], 5, axis=0)
    config = MatchConfig()
    asked = Redundancy(config)
    banks = [
        ([0, 1, 2, 3], [*TEMPLATES, copy]),
        ([0, 3], [TEMPLATES[0], copy]),
        ([1, 3], [TEMPLATES[1], copy]),
        ([0, 1, 2, 3], [*TEMPLATES, copy]),
    ]
    for names, of in banks:
        templates, counts = np.stack(of), np.arange(len(of), 0, -1)
        bank = make_bank(sparse(templates), N_BEFORE)
        found = asked.of(sparse(templates), bank, counts, np.array(names))
        assert found.tolist() == redundant(sparse(templates), bank, counts, config).tolist()
        assert found[-1] == (0 in names)
