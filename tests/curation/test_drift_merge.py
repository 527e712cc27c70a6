"""Parts of one neuron, and strangers, in tissue that moves to and fro; their rates are known."""

import numpy as np
import pytest

from embersort.curation.candidate_pairs import Places, find_candidate_pairs
from embersort.curation.drift_merge import (
    _excess,
    _variance,
    _within,
    are_drift_split,
    merge_drift_splits,
)
from embersort.curation.links import BLOCK_S
from embersort.curation.merge import merge_units
from embersort.curation.pair_tests import SpikeTrains
from spike_trains import frame_of

RATE_HZ = 10_000
N_BLOCKS = 90
AT_S = (np.arange(N_BLOCKS) + 0.5) * BLOCK_S
MOVED_UM = 15 * np.sin(2 * np.pi * AT_S / 60)


def share(moved_um, middle_um=0.0, width_um=3.0):
    """Of a neuron's spikes that go to the part for low displacements."""
    return 1 / (1 + np.exp((moved_um - middle_um) / width_um))


def counted(seed, *rates_hz):
    rng = np.random.default_rng(seed)
    return [rng.poisson(np.broadcast_to(rate, N_BLOCKS) * BLOCK_S) for rate in rates_hz]


LOW, HIGH = share(MOVED_UM), 1 - share(MOVED_UM)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate_hz", [2.0, 10.0])
def test_halves_of_one_neuron_complement_each_other(seed, rate_hz):
    assert are_drift_split(*counted(seed, rate_hz * LOW, rate_hz * HIGH), MOVED_UM)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "rates",
    [
        pytest.param((5.0, 5.0), id="both found at all times"),
        pytest.param((5 * LOW, 5.0), id="one of them lost by the drift"),
        pytest.param((100 * LOW, 115 * HIGH), id="turns at nearly one rate, of very many spikes"),
        pytest.param((5 * LOW, 10 * HIGH), id="turns at different rates"),
        pytest.param((5 * LOW, 5 * LOW), id="lost together"),
        pytest.param(
            (5 * share(MOVED_UM, -8), 5 * share(-MOVED_UM, -8)), id="neither found between"
        ),
    ],
)
def test_strangers_do_not(seed, rates):
    assert not are_drift_split(*counted(seed, *rates), MOVED_UM)


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_few_spikes_that_turn_at_different_rates_leave_too_much(seed):
    # Here the sum varies no more than chance allows, but next to the parts by too much.
    assert not are_drift_split(*counted(seed, 2 * LOW, 4 * HIGH), MOVED_UM)


def test_common_changes_of_rate_have_no_say():
    # Bursts of activity, up and down by a factor of 3, of which each half takes its share.
    level = np.where(np.arange(N_BLOCKS) % 5 < 2, 3.0, 1.0)
    assert are_drift_split(*counted(0, 5 * level * LOW, 5 * level * HIGH), MOVED_UM)


def test_tissue_at_rest_says_nothing():
    halves = counted(0, 5 * LOW, 5 * HIGH)
    assert not are_drift_split(*halves, np.zeros(N_BLOCKS))
    assert not are_drift_split(*halves, 0.1 * MOVED_UM)
    # Two places are too few to see that a sum stays.
    assert not are_drift_split(*halves, np.where(MOVED_UM > 0, 10.0, 0.0))


def test_empty_parts_say_nothing():
    nothing = np.zeros(N_BLOCKS, np.int64)
    assert not are_drift_split(nothing, nothing, MOVED_UM)
    assert not are_drift_split(nothing, counted(0, 5 * HIGH)[0], MOVED_UM)


def test_variances_are_like_their_naive_twins():
    rng = np.random.default_rng(3)
    counts, bins = rng.poisson(7, 60), np.repeat(np.arange(4), [5, 10, 15, 30])
    n_blocks = np.bincount(bins).astype(float)
    groups = [counts[bins == place] for place in range(4)]
    between = sum(len(g) * (g.mean() - counts.mean()) ** 2 for g in groups)
    inside = sum(((g - g.mean()) ** 2).sum() for g in groups)
    assert _variance(counts, bins, n_blocks) == pytest.approx(between)
    assert _excess(counts, bins, n_blocks) == pytest.approx(between / counts.mean() / 3)
    assert _within(counts, bins, n_blocks) == pytest.approx(inside / counts.mean() / 56)


def trains(seed, *rates_hz, dead_ms=2.5):
    """Parts with these rates in each block; no two spikes of any are nearer than a dead time."""
    rng = np.random.default_rng(seed)
    rates = np.stack([np.broadcast_to(rate, N_BLOCKS) for rate in rates_hz])
    step = int(dead_ms / 1000 * RATE_HZ)
    times = np.arange(0, int(N_BLOCKS * BLOCK_S * RATE_HZ), step)
    block = (times / RATE_HZ / BLOCK_S).astype(int)
    fires = rng.random((len(rates), len(times))) < rates[:, block] * step / RATE_HZ
    only = fires & (np.cumsum(fires, axis=0) == 1)
    unit, at = np.nonzero(only)
    order = np.lexsort((unit, times[at]))
    return SpikeTrains(
        sample_index=times[at][order], unit_index=unit[order], sampling_rate_hz=RATE_HZ
    )


def places_of(spikes, waves=None, motion=True):
    n_parts = int(spikes.unit_index.max()) + 1
    return Places(
        um=np.zeros((len(spikes.unit_index), 2)),
        peak_waveforms=np.ones((n_parts, 20), "f4") if waves is None else waves,
        displacement_um=(
            lambda samples, depth_um: np.interp(samples / RATE_HZ, AT_S, MOVED_UM) + 0 * depth_um
        )
        if motion
        else None,
    )


def units(spikes, pairs, **how):
    n_parts = int(spikes.unit_index.max()) + 1
    return merge_drift_splits(spikes, np.arange(n_parts), pairs, places_of(spikes, **how)).tolist()


def test_parts_of_one_neuron_are_joined_and_led_by_the_larger():
    spikes = trains(0, 8 * share(MOVED_UM, -3), 8 * (1 - share(MOVED_UM, -3)), 6.0)
    assert units(spikes, [(0, 2), (1, 2), (0, 1)]) == [1, 1, 2]


def test_where_motion_is_not_known_nothing_is_joined():
    assert units(trains(0, 8 * LOW, 8 * HIGH), [(0, 1)], motion=False) == [0, 1]


def test_what_was_joined_is_completed_as_a_whole():
    low, high = share(MOVED_UM, -7), 1 - share(MOVED_UM, 7)
    spikes = trains(1, 9 * low, 9 * (1 - low - high), 9 * high)
    # No two of three parts make a neuron; two that were joined before lack the third.
    assert units(spikes, [(0, 1), (0, 2), (1, 2)]) == [0, 1, 2]
    places = places_of(spikes)
    assert len(set(merge_drift_splits(spikes, np.array([0, 0, 2]), [(1, 2)], places))) == 1


def test_parts_that_coincide_stay_apart_though_their_rates_complement_each_other():
    spikes = trains(2, 12 * LOW, 12 * HIGH)
    sample, unit = spikes.sample_index, spikes.unit_index
    # A twentieth of the spikes of one part has one of the other a millisecond later.
    twins = sample[unit == 0][::20] + RATE_HZ // 1000
    both = np.concatenate([sample, twins])
    order = np.argsort(both, kind="stable")
    mixed = SpikeTrains(
        sample_index=both[order],
        unit_index=np.concatenate([unit, np.ones(len(twins), int)])[order],
        sampling_rate_hz=RATE_HZ,
    )
    assert units(spikes, [(0, 1)]) != [0, 1]
    assert units(mixed, [(0, 1)]) == [0, 1]


@pytest.mark.parametrize("moves", [True, False])
def test_units_and_courses_are_completed(moves):
    # Nothing alike in features, templates or blocks of time: the rates alone tell.
    spikes = trains(3, 10 * share(MOVED_UM, width_um=6), 10 * share(-MOVED_UM, width_um=6))
    templates = np.zeros((2, 4, 2))
    templates[0, 1, 0] = templates[1, 1, 1] = -9
    places = places_of(spikes, motion=moves)
    frame = frame_of(spikes, [[0, 0], [0, 16]])
    merges = merge_units(spikes, templates, [frame], places)
    assert (merges.tracked_unit[0] == merges.tracked_unit[1]) == moves
    assert (merges.unit[0] == merges.unit[1]) == moves


def test_parts_about_one_place_may_look_less_alike():
    wave = np.array([0.0, 0, 0, 0, 0, 0, 0, 0, -8, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    wide, slow = wave.copy(), wave.copy()
    wide[7] = -5
    slow[7:9], slow[9:11] = [-3, -3], [8, 3]
    waves = np.stack([wave, 2.5 * wave, wide, slow]).astype("f4")
    um = np.array([[0.0, 0], [0, 15], [0, 15], [0, 15]])
    candidates = find_candidate_pairs(
        Places(um=um, peak_waveforms=waves), [np.array([i]) for i in range(4)]
    )
    assert candidates.near == []
    assert {pair for pair in candidates.about if 0 in pair} == {(0, 1), (0, 2)}
