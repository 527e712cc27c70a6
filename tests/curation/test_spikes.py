"""Matches that are noise or another neuron's, made by hand."""

import numpy as np
import pytest

from embersort.curation.spikes import (
    MIN_EXPLAINED,
    MIN_EXPLAINED_ATTENUATED,
    is_cut_off,
    own_spikes,
    units_with_cut_off,
)
from embersort.matching.orthogonal_pursuit import Matches

RATE_HZ = 10_000
LEAST = 0.7


def matches(scaling, *, unit=None, sample=None, energy=400.0):
    """Matches of templates of one energy, in units of the noise; one a second unless given."""
    scaling = np.asarray(scaling, "f4")
    return Matches(
        sample_index=np.arange(len(scaling)) * RATE_HZ if sample is None else np.asarray(sample),
        unit_index=np.zeros(len(scaling), np.int64) if unit is None else np.asarray(unit),
        scaling=scaling,
        shift_index=np.zeros(len(scaling), np.int64),
        decrease=np.float32(energy) * scaling**2,
    )


@pytest.mark.parametrize(
    ("scaling", "relative_gain", "cut_off"),
    [(0.75, 1.3, True), (0.75, 1.7, False), (0.8, 1.3, False)],
    ids=[
        "small and worthless",
        "small but far beyond chance",
        "near the least gain, but not small",
    ],
)
def test_noise_floods_a_unit_whose_usual_match_is_small_and_hardly_worth_it(
    scaling, relative_gain, cut_off
):
    some = matches(np.full(4, scaling), unit=[0, 0, 0, 2])
    answer = units_with_cut_off(some, np.full(4, relative_gain), 3, LEAST)
    assert answer.tolist() == [cut_off, False, cut_off]


NEURON = np.linspace(0.8, 1.2, 40)
FAR_CELLS = np.repeat([0.72, 0.74, 0.76, 0.8], [40, 20, 15, 10])


@pytest.mark.parametrize(
    ("energy", "cut_off"),
    [
        pytest.param(400, True, id="noise moves the scale by 0.05"),
        pytest.param(100, False, id="by 0.1: the neuron's own spikes reach down as far"),
    ],
)
def test_matches_that_thin_out_from_the_least_scale_on_are_not_the_neurons(energy, cut_off):
    both = matches(np.concatenate([NEURON, FAR_CELLS]), energy=energy)
    assert units_with_cut_off(both, np.full(len(both.scaling), 9.0), 1, LEAST).tolist() == [cut_off]
    alone = matches(NEURON, energy=energy)
    assert units_with_cut_off(alone, np.full(40, 9.0), 1, LEAST).tolist() == [False]


@pytest.mark.parametrize(
    ("n_lowest", "n_next", "answer"),
    [(100, 40, True), (100, 50, False), (20, 5, False), (0, 0, False)],
    ids=["beyond chance", "not beyond chance", "too few to tell", "none"],
)
def test_a_pile_is_half_as_high_again_as_any_other_bin_beyond_chance(n_lowest, n_next, answer):
    assert is_cut_off(np.repeat([0.72, 0.8], [n_lowest, n_next]), LEAST) is answer


def test_what_is_smaller_than_usual_floods_no_unit():
    some = matches(np.repeat([0.4, 0.9], [30, 20]))
    assert units_with_cut_off(some, np.full(50, 1.3), 1, LEAST).tolist() == [False]


def own(some, *, cut_off=(False,), explained=1.0):
    shares = np.broadcast_to(np.float32(explained), some.scaling.shape)
    return own_spikes(some, np.array(cut_off), shares, 3600 * RATE_HZ, RATE_HZ).tolist()


def test_small_matches_of_flooded_units_are_not_their_own():
    some = matches([0.75, 0.85, 0.75, 0.85], unit=[0, 0, 1, 1])
    assert own(some, cut_off=[True, False]) == [False, True, True, True]


def test_matches_of_another_shape_are_not_the_units_own_and_small_ones_are_asked_for_more():
    some = matches([1.0, 1.0, 0.65, 0.65])
    between = (MIN_EXPLAINED_ATTENUATED + MIN_EXPLAINED) / 2
    shares = [between, MIN_EXPLAINED - 0.01, between, MIN_EXPLAINED_ATTENUATED + 0.01]
    assert own(some, explained=shares) == [True, False, False, True]


def test_units_are_judged_apart_and_out_of_order_in_time():
    # Unit 0 has weak small spikes soon after others, unit 1 as many at any time.
    sample = np.concatenate([np.arange(10) * RATE_HZ, np.arange(5) * RATE_HZ + 50])
    sample = np.concatenate([sample, np.arange(10) * RATE_HZ, np.arange(5) * RATE_HZ + 5000])
    some = matches(
        np.tile(np.repeat([1.0, 0.5], [10, 5]), 2), unit=np.repeat([0, 1], 15), sample=sample
    )
    assert own(some, cut_off=[False] * 2) == [True] * 15 + [True] * 10 + [False] * 5


def test_strangers_are_not_the_units_own_and_its_small_spikes_have_no_part_in_that():
    rng = np.random.default_rng(0)
    neuron, crowd = rng.normal(1.0, 0.08, 300), 0.7 + rng.exponential(0.02, 80)
    large = np.concatenate([neuron, crowd])
    sample = rng.permutation(np.arange(1, 381) * 5 * RATE_HZ)
    # Ten small spikes soon after others, as its bursts have them.
    bursts = matches(
        np.concatenate([large, np.full(10, 0.65)]),
        sample=np.concatenate([sample, sample[:10] + RATE_HZ // 100]),
        energy=144.0,
    )
    kept = np.array(own(bursts))
    assert kept[:300].mean() > 0.98
    assert kept[300:380].mean() < 0.2
    assert kept[380:].all()
    heavy = matches(large, sample=sample, energy=400.0)
    assert all(own(heavy))
