import numpy as np
import pytest

from embersort.curation.candidate_pairs import (
    MAX_HEIGHT_RATIO,
    MIN_PEAK_COSINE,
    Places,
    find_candidate_pairs,
    one_shape,
)

WAVE = np.array([0.0, 0, 0, 0, 0, 0, 0, 0, -8, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
"""Peak waveform with room on either side for any lag."""


def shapes(*waves):
    return one_shape(np.stack(waves), MIN_PEAK_COSINE, MAX_HEIGHT_RATIO).tolist()


YES, NO = [[True, True], [True, True]], [[True, False], [False, True]]


@pytest.mark.parametrize(
    ("lag", "answer"), [(0, YES), (1, YES), (-6, YES), (6, YES), (7, NO), (-7, NO)]
)
def test_one_shape_at_another_lag(lag, answer):
    assert shapes(WAVE, np.roll(WAVE, lag)) == answer


@pytest.mark.parametrize(("factor", "answer"), [(1.9, YES), (0.55, YES), (2.1, NO), (0.45, NO)])
def test_one_shape_at_another_height(factor, answer):
    assert shapes(WAVE, factor * WAVE) == answer


def test_another_shape_of_the_same_height():
    # Cosines of 0.98 and of 0.45 at best.
    wider, slow = WAVE.copy(), WAVE.copy()
    wider[7] = -1.5
    slow[7:9], slow[9:11] = [-3, -3], [8, 3]
    assert shapes(WAVE, wider) == YES
    assert shapes(WAVE, slow) == NO


def test_a_part_without_a_waveform_is_like_no_other():
    assert shapes(WAVE, 0 * WAVE)[0] == [True, False]


def test_no_parts_have_no_kin():
    nothing = Places(um=np.zeros((0, 2)), peak_waveforms=np.zeros((0, 20), "f4"))
    candidates = find_candidate_pairs(nothing, [])
    assert (candidates.alike.shape, candidates.may_be_near.shape) == ((0, 0), (0, 0))
    assert (candidates.near, candidates.about) == ([], [])


def kin_of(*parts_um, waves=None):
    """Kinship of parts that have spikes at these places."""
    sizes = [len(part) for part in parts_um]
    members = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    um = np.concatenate([np.reshape(np.asarray(part, float), (-1, 2)) for part in parts_um])
    waves = np.tile(WAVE, (len(parts_um), 1)) if waves is None else waves
    return find_candidate_pairs(Places(um=um, peak_waveforms=waves), members)


def spikes_at(x, y, spread=0.0, n_spikes=5):
    """Places on a vertical line; their median is (x, y)."""
    return [[x, y + spread * side] for side in np.linspace(-2, 2, n_spikes)]


def test_parts_at_one_place_are_near_the_nearest_first():
    candidates = kin_of(spikes_at(0, 0), spikes_at(0, 7), spikes_at(3, 4), spikes_at(0, 40))
    # Distances: 7 from 0 to 1; 5 from 0 to 2; √18 from 1 to 2; the last is alone.
    assert candidates.near == [(1, 2), (0, 2), (0, 1)]


@pytest.mark.parametrize(("distance_um", "near"), [(8.0, [(0, 1)]), (8.5, [])])
def test_near_is_a_distance_of_medians(distance_um, near):
    far = [[500.0, 500.0]]
    there = spikes_at(0, distance_um) + far
    assert kin_of(spikes_at(0, 0) + far, there).near == near


def test_what_is_not_alike_is_not_near():
    candidates = kin_of(spikes_at(0, 0), spikes_at(0, 0), waves=np.stack([WAVE, 3 * WAVE]))
    assert candidates.near == []
    assert candidates.may_be_near.all()


@pytest.mark.parametrize(
    ("x", "y", "spread", "may_be"),
    [(0, 12, 0, False), (0, 12, 2, True), (12, 0, 2, False), (0, 16, 4, True), (0, 17, 4, False)],
)
def test_parts_whose_spikes_scatter_may_be_nearer_than_they_seem(x, y, spread, may_be):
    # The two scatter by `spread` each, along the second axis alone.
    candidates = kin_of(spikes_at(0, 0, spread), spikes_at(x, y, spread))
    assert bool(candidates.may_be_near[0, 1]) is may_be
    assert candidates.near == []


def test_of_a_part_without_spikes_nothing_is_said():
    candidates = kin_of(spikes_at(0, 0), [], spikes_at(0, 100))
    assert candidates.may_be_near.tolist() == [
        [True, True, False],
        [True, True, True],
        [False, True, True],
    ]
    assert candidates.near == []


def test_where_motion_is_not_known_all_may_be_near_and_none_is():
    waves = np.stack([WAVE, WAVE, 3 * WAVE])
    candidates = find_candidate_pairs(Places(um=None, peak_waveforms=waves), [np.arange(2)] * 3)
    assert candidates.alike.tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]
    assert candidates.may_be_near.all()
    assert candidates.near == []
