import numpy as np
import pytest

from embersort.curation.candidate_pairs import Places
from embersort.curation.merge import _AtLag, merge_units
from embersort.templates.similarity import cosine
from spike_trains import frame_of, labelled, poisson, regular


def directions(*angles_deg, heights=None):
    """Templates of one sample and two channels; their similarity is the cosine of the angle."""
    angle = np.deg2rad(angles_deg)
    units = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None, :]
    return units * (np.ones(len(angle)) if heights is None else np.array(heights))[:, None, None]


WAVE = np.array([0.0, 0, 0, 0, 0, -9, 4, 0, 0, 0, 0, 0, 0])
"""On the largest channel of every part that is of one shape with the others."""


def merged(spikes, templates, centres, places=None):
    """The leaders of courses and of units; no place is known and shapes are alike, unless given."""
    if places is None:
        places = Places(um=None, peak_waveforms=np.tile(WAVE, (len(templates), 1)))
    merges = merge_units(spikes, templates, [frame_of(spikes, centres)], places)
    return merges.tracked_unit.tolist(), merges.unit.tolist()


SLOW = regular(0, 20), regular(0, 30, offset_s=0.05)
"""Two trains that the correlogram cannot judge, nor one of which follows the other."""


def test_halves_of_one_cluster_are_one_led_by_the_larger():
    assert merged(labelled(*SLOW), directions(0, 0), [[0, 0], [0, 0]]) == ([1, 1], [1, 1])


def test_two_clusters_stay_apart_though_their_templates_are_equal():
    assert merged(labelled(*SLOW), directions(0, 0), [[0, 0], [0, 8]]) == ([0, 1], [0, 1])


@pytest.mark.parametrize(("angle", "same"), [(40, [1, 1]), (50, [0, 1]), (90, [0, 1])])
def test_copies_have_templates_much_alike(angle, same):
    assert merged(labelled(*SLOW), directions(0, angle), [[0, 0], [0, 0]]) == (same, same)


def test_trains_that_coincide_are_never_copies():
    spikes = labelled(poisson(0, 0, 50), poisson(1, 0, 50))
    assert merged(spikes, directions(0, 0), [[0, 0], [0, 0]]) == ([0, 1], [0, 1])


def test_what_was_merged_is_compared_as_a_whole():
    # The third coincides with the second alone, which has joined the first by then.
    spikes = labelled(poisson(0, 50, 110), poisson(1, 0, 40), poisson(2, 0, 30))
    centres = [[0, 0], [0, 0], [0, 0]]
    assert merged(spikes, directions(0, 1, -30), centres) == ([0, 0, 2], [0, 0, 2])


def test_the_most_alike_are_merged_first():
    # The second could be a copy of either of the others, which are two neurons.
    spikes = labelled(poisson(0, 0, 40), regular(60, 70), poisson(1, 0, 40))
    centres = [[0, 0], [0, 0], [0, 0]]
    assert merged(spikes, directions(0, 40, 41), centres) == ([0, 2, 2], [0, 2, 2])


def test_a_part_without_spikes_stays_as_it_is():
    assert merged(labelled(*SLOW, []), directions(0, 90, 0), [[0, 0]] * 3)[0] == [0, 1, 2]


def test_the_parts_of_a_moving_neuron_are_one_course():
    spikes = labelled(regular(0, 44), regular(36, 80, offset_s=0.05))
    assert merged(spikes, directions(0, 50), [[0, 0], [0, 0]]) == ([0, 0], [0, 0])
    assert merged(spikes, directions(0, 50), [[0, 0], [0, 8]]) == ([0, 1], [0, 1])


@pytest.mark.parametrize(("angle", "tracked_unit"), [(50, [0, 0]), (70, [0, 1])])
def test_parts_that_jump_are_linked_if_their_templates_are_alike(angle, tracked_unit):
    spikes = labelled(regular(0, 40), regular(40, 80))
    assert merged(spikes, directions(0, angle), [[0, 0], [0, 8]]) == (tracked_unit, tracked_unit)


def test_links_are_transitive_the_ends_need_not_be_alike():
    spikes = labelled(regular(0, 40), regular(40, 82), regular(82, 120))
    centres = [[0, 0], [0, 8], [0, 16]]
    assert merged(spikes, directions(0, 50, 100), centres) == ([1, 1, 1], [1, 1, 1])


def test_all_parts_of_a_course_move_with_it():
    # The first two are linked first; the third is longer than both.
    spikes = labelled(regular(0, 40), regular(40, 82), regular(82, 180))
    centres = [[0, 0], [0, 8], [0, 16]]
    assert merged(spikes, directions(0, 50, 105), centres) == ([2, 2, 2], [2, 2, 2])


def test_no_link_where_the_wholes_coincide():
    # The third could be where the second came from, but it is active beside the first.
    spikes = labelled(poisson(0, 0, 40), regular(40, 80), poisson(1, 0, 40))
    centres = [[0, 0], [0, 8], [0, 16]]
    assert merged(spikes, directions(0, 46, 98), centres) == ([0, 0, 2], [0, 0, 2])


def test_a_passage_that_was_seen_comes_before_a_likelier_jump():
    # The second is more like the third, into which it may have jumped, than like the first.
    spikes = labelled(
        regular(0, 44, 0.05), regular(36, 80, 0.05, offset_s=0.025), poisson(1, 0, 36)
    )
    centres = [[0, 0], [0, 0], [0, 16]]
    assert merged(spikes, directions(0, 50, 96), centres) == ([0, 0, 2], [0, 0, 2])


JUMP = labelled(regular(0, 40), regular(40, 80))
"""The second part takes over from the first."""


def placed(spikes, *centres_um, waves=None):
    """Places of spikes within 2 µm of their part's centre, and what the parts look like."""
    scatter = np.random.default_rng(1).uniform(-2, 2, (len(spikes.unit_index), 2))
    return Places(
        um=np.array(centres_um, float)[spikes.unit_index] + scatter,
        peak_waveforms=np.tile(WAVE, (len(centres_um), 1)) if waves is None else waves,
    )


@pytest.mark.parametrize(("apart_um", "tracked_unit"), [(4, [0, 0]), (30, [0, 1])])
def test_parts_that_jump_lie_at_one_place_once_the_motion_is_taken_off(apart_um, tracked_unit):
    places = placed(JUMP, [0, 100], [0, 100 + apart_um])
    assert merged(JUMP, directions(0, 50), [[0, 0], [0, 8]], places) == (tracked_unit, tracked_unit)


def test_parts_at_one_place_are_linked_though_their_templates_have_nothing_in_common():
    places = placed(JUMP, [0, 100], [0, 104])
    assert merged(JUMP, directions(0, 90), [[0, 0], [0, 8]], places) == ([0, 0], [0, 0])


@pytest.mark.parametrize("height", [1, 3])
def test_parts_of_another_shape_or_height_are_another_neuron(height):
    other = 3 * WAVE if height == 3 else np.repeat(WAVE[::2], 2)[: len(WAVE)]
    places = placed(JUMP, [0, 100], [0, 100], waves=np.stack([WAVE, other]))
    assert merged(JUMP, directions(0, 50), [[0, 0], [0, 8]], places) == ([0, 1], [0, 1])


def test_a_passage_that_was_seen_needs_no_place_but_a_shape():
    spikes = labelled(regular(0, 44), regular(36, 80, offset_s=0.05))
    far = [0, 100], [0, 160]
    centres = [[0, 0], [0, 0]]
    assert merged(spikes, directions(0, 50), centres, placed(spikes, *far)) == ([0, 0], [0, 0])
    waves = np.stack([WAVE, 3 * WAVE])
    places = placed(spikes, *far, waves=waves)
    assert merged(spikes, directions(0, 50), centres, places) == ([0, 1], [0, 1])


BURSTS = labelled(regular(1, 100, 1.0), regular(1, 100, 1.0) + 0.01)
APART = [[0, 0], [0, 8]]


def test_smaller_later_spikes_of_the_same_shape_are_of_one_unit_alone():
    assert merged(BURSTS, directions(0, 0, heights=[1, 0.6]), APART) == ([0, 1], [0, 0])


def test_larger_spikes_that_follow_are_no_burst():
    assert merged(BURSTS, directions(0, 0, heights=[0.6, 1]), APART) == ([0, 1], [0, 1])


def test_the_smaller_follows_whichever_is_listed_first():
    large = regular(1, 100, 1.0)
    spikes = labelled(large + 0.01, large)
    assert merged(spikes, directions(0, 0, heights=[0.6, 1]), APART) == ([0, 1], [0, 0])


def test_later_spikes_of_another_shape_are_of_another_unit():
    # Alike enough (0.71) to be looked at, not enough for one shape at two heights.
    assert merged(BURSTS, directions(0, 45, heights=[1, 0.7]), APART) == ([0, 1], [0, 1])


def renewal(seed, rate_hz, duration_s, dead_ms=3.0):
    """Times of a train that keeps a dead time."""
    rng = np.random.default_rng(seed)
    gaps_s = dead_ms / 1000 + rng.exponential(1 / rate_hz, int(2 * rate_hz * duration_s))
    times = np.cumsum(gaps_s)
    return times[times < duration_s]


def recovering(seed=0):
    """One train; spikes less than 100 ms after the one before are smaller."""
    train = renewal(seed, 12, 200)
    soon = np.diff(train, prepend=-1) < 0.1
    return train[~soon], train[soon]


@pytest.mark.parametrize(
    ("trains", "angle", "n_units"),
    [
        pytest.param(recovering(), 0, 1, id="before it has recovered"),
        pytest.param(recovering(), 38, 1, id="with a shape that changes"),
        pytest.param(recovering(), 45, 2, id="with another shape"),
        pytest.param((renewal(0, 25, 60)[::2], renewal(0, 25, 60)[1::2]), 38, 2, id="at any time"),
        pytest.param((recovering()[0], recovering(1)[1]), 38, 2, id="of a stranger"),
    ],
)
def test_smaller_spikes_of_one_neuron_come_before_it_has_recovered(trains, angle, n_units):
    templates = directions(0, angle, heights=[1, 0.7])
    assert len(set(merged(labelled(*trains), templates, APART)[1])) == n_units


def test_independent_trains_are_no_bursts():
    spikes = labelled(poisson(0, 0, 60), poisson(1, 0, 60))
    assert merged(spikes, directions(0, 0, heights=[1, 0.6]), APART) == ([0, 1], [0, 1])


def test_cosine_ignores_height():
    a = np.array([[3.0, 0], [0, 4]])
    assert cosine(a, 7 * a) == pytest.approx(1)
    assert cosine(a, np.array([[0, 1.0], [1, 0]])) == 0
    assert cosine(a, np.array([[1.0, 0], [0, 0]])) == pytest.approx(0.6)
    assert cosine(a, np.zeros((2, 2))) == 0


def at_lags(*lags):
    """Templates of one shape on two channels, each so many samples later."""
    wave = np.zeros((40, 2))
    wave[10:14] = [[-1, 0], [-3, -1], [-1, -3], [0, -1]]
    return np.stack([np.roll(wave, lag, axis=0) for lag in lags])


HALF_ALIKE = 0.85
"""Cosine at a lag: enough to be looked at, not enough to be proof of one neuron."""


def half_alike(*lags):
    """The same, but the later ones differ in part of their shape."""
    templates = np.concatenate([at_lags(*lags), np.zeros((len(lags), 40, 1))], axis=2)
    own = np.linalg.norm(templates[0]) * np.sqrt(1 / HALF_ALIKE**2 - 1)
    templates[1:, 30, 2] = own
    return templates


def test_two_halves_of_a_neuron_found_at_two_troughs_are_one_unit():
    train = renewal(0, 30, 60)
    spikes = labelled(train[::2], train[1::2])
    courses, units = merged(spikes, half_alike(0, 5), [[0, 0], [0, 8]])
    # Their templates are not aligned: each keeps its own.
    assert courses == [0, 1]
    assert len(set(units)) == 1


def test_a_shape_that_returns_only_at_a_lag_is_proof_enough():
    train = renewal(0, 2, 60)
    spikes = labelled(train[::2], train[1::2])
    assert merged(spikes, at_lags(0, 5), [[0, 0], [0, 8]])[1] == [0, 0]
    # Strangers of one shape would be found at one trough, but they do coincide.
    low_amplitude_contamination = labelled(renewal(0, 15, 60), renewal(1, 15, 60))
    assert merged(low_amplitude_contamination, at_lags(0, 5), [[0, 0], [0, 8]])[1] == [0, 1]


@pytest.mark.parametrize("lag", [-5, 5])
def test_the_half_at_the_later_trough_is_late_by_the_lag(lag):
    train = renewal(0, 2, 60)
    spikes = labelled(train[::3], np.delete(train, np.s_[::3]))
    places = Places(um=None, peak_waveforms=np.tile(WAVE, (2, 1)))
    # The smaller set has its waveform five samples earlier, or later, within its window.
    merges = merge_units(spikes, at_lags(lag, 0), [frame_of(spikes, [[0, 0], [0, 8]])], places)
    assert merges.unit.tolist() == [1, 1]
    assert merges.late_samples.tolist() == [-lag, 0]


@pytest.mark.parametrize(
    ("trains", "lag"),
    [
        pytest.param((renewal(0, 15, 60), renewal(1, 15, 60)), 5, id="low_amplitude_contamination"),
        pytest.param((renewal(0, 30, 60)[::2], renewal(0, 30, 60)[1::2]), 15, id="too far apart"),
        pytest.param((renewal(0, 2, 60)[::2], renewal(0, 2, 60)[1::2]), 5, id="too few to tell"),
    ],
)
def test_other_units_alike_at_a_lag_stay_apart(trains, lag):
    courses, units = merged(labelled(*trains), half_alike(0, lag), [[0, 0], [0, 8]])
    assert courses == units == [0, 1]


@pytest.mark.parametrize(("apart", "n_units"), [(0, 1), (8, 2)])
def test_halves_too_few_to_prove_are_told_by_the_last_look(apart, n_units):
    train = renewal(0, 2, 60)
    spikes = labelled(train[::2], train[1::2])
    places = Places(um=None, peak_waveforms=np.tile(WAVE, (2, 1)))
    # Components see two troughs; the embedding may see one neuron.
    looks = [frame_of(spikes, [[0, 0], [0, 8]]), frame_of(spikes, [[0, 0], [0, apart]])]
    units = merge_units(spikes, half_alike(0, 5), looks, places).unit
    assert len(np.unique(units)) == n_units


def test_where_only_courses_are_wanted_halves_stay_parts():
    train = renewal(0, 2, 60)
    spikes = labelled(train[::2], train[1::2])
    places = Places(um=None, peak_waveforms=np.tile(WAVE, (2, 1)))
    looks = [frame_of(spikes, [[0, 0], [0, 8]])]
    merges = merge_units(spikes, at_lags(0, 5), looks, places, tracked_only=True)
    assert merges.tracked_unit.tolist() == merges.unit.tolist() == [0, 1]
    assert merges.late_samples.tolist() == [0, 0]


def test_templates_are_compared_at_every_lag_but_none():
    templates = np.random.default_rng(0).normal(size=(2, 12, 3))
    templates[1, :, 2] = 0
    templates[1, 4:, :2] = templates[0, 1:9, :2]
    best, late = 0.0, 0
    for lag in (-4, -3, -2, -1, 1, 2, 3, 4):
        # What the first has at t the second has at t + lag.
        shared = sum(
            float(templates[0, t] @ templates[1, t + lag]) for t in range(12) if 0 <= t + lag < 12
        )
        value = shared / np.linalg.norm(templates[0]) / np.linalg.norm(templates[1])
        best, late = max((best, late), (value, lag))
    found, found_late = _AtLag(templates=templates, max_lag=4).between(0, 1)
    assert found == pytest.approx(best)
    assert found_late == late == 3
    # At fewer lags the likeness is not seen, and templates on other channels are never alike.
    assert _AtLag(templates=templates, max_lag=2).between(0, 1)[0] < best
    templates[0, :, :2] = 0
    assert _AtLag(templates=templates, max_lag=4).between(0, 1) == (0.0, 0)


def test_pairs_alike_at_a_lag_are_of_one_height_and_shape():
    other = np.zeros((1, 40, 2))
    other[0, 20, 1] = 3
    templates = np.concatenate([at_lags(0, 5), 3 * at_lags(2), other])
    assert _AtLag(templates=templates, max_lag=6).pairs() == [(0, 1)]
    assert _AtLag(templates=templates, max_lag=4).pairs() == []


@pytest.mark.parametrize(("distance", "unit"), [(0, [0, 0]), (7, [0, 1])])
def test_a_few_that_lie_far_from_many_are_no_copies_though_no_dip_shows(distance, unit):
    # A dozen wide columns hide the narrow one in which they differ.
    spikes = labelled(regular(0, 80, 0.1), regular(0.06, 80, 5.0))
    few = spikes.unit_index == 1
    points = np.random.default_rng(0).normal(size=(len(few), 20)) * np.repeat([8.0, 1.0], [12, 8])
    points[few, 19] += distance
    places = Places(um=None, peak_waveforms=np.tile(WAVE, (2, 1)))
    merges = merge_units(spikes, directions(0, 5), [lambda rows: points[rows]], places)
    assert merges.unit.tolist() == unit
