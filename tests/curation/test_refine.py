"""Spikes of two channels; codes are the first two samples on the unit's channel and the other."""

from dataclasses import replace

import numpy as np
import pytest

from embersort.config import MatchConfig, SortConfig
from embersort.curation.refine import (
    finish,
    is_real,
    merge_subclusters,
    split_into_subclusters,
    split_units,
    subcluster_templates,
)
from embersort.curation.registration import Registration
from embersort.curation.spikes import MatchedSpikes
from embersort.matching.orthogonal_pursuit import Matches
from embersort.motion.displacement import Motion
from embersort.signal import TemporalPca
from embersort.types import UNASSIGNED
from spike_trains import RATE_HZ

CONFIG = SortConfig(match=MatchConfig(min_spikes=10))
PCA = TemporalPca(
    basis=np.array([[1, 0], [0, 1], [0, 0]], "f4"), neighbours=np.array([[0, 1], [1, 0]])
)
REGISTRATION = Registration(
    pca=PCA,
    whitening=np.eye(2, dtype="f4"),
    positions_um=np.array([[0.0, 0.0], [0.0, 20.0]]),
    motion=None,
    sampling_rate_hz=RATE_HZ,
    n_samples=200_000,
    epoch_starts=np.zeros(1, np.int64),
)


def refined(spikes):
    subclusters = split_into_subclusters(spikes, REGISTRATION, CONFIG)
    return merge_subclusters(subclusters, spikes, REGISTRATION, CONFIG)


def matched(
    sample, unit, means, *, pca_features=None, decrease=100.0, scaling=1.0, relative_gain=9.0
):
    """Matched spikes; units peak on channel 0, codes are normal round 0 unless given."""
    n_spikes = len(sample)
    if pca_features is None:
        pca_features = np.random.default_rng(0).normal(size=(n_spikes, 4))
    return MatchedSpikes(
        matches=Matches(
            sample_index=np.asarray(sample, np.int64),
            unit_index=np.asarray(unit, np.int64),
            scaling=np.full(n_spikes, scaling, "f4"),
            shift_index=np.arange(n_spikes) % 5,
            decrease=np.broadcast_to(decrease, n_spikes).astype("f4"),
        ),
        pca_features=np.asarray(pca_features, "f4"),
        embedding=np.zeros((n_spikes, 0), "f4"),
        channel_index=np.zeros(n_spikes, np.int64),
        relative_gain=np.broadcast_to(relative_gain, n_spikes).astype("f4"),
        explained=np.ones(n_spikes, "f4"),
        means=np.asarray(means, float),
        cut_off=np.zeros(len(means), bool),
    )


def trough(first, second=0.0):
    """A template of three samples with a trough on each of the two channels."""
    return [[0.0, 0.0], [-first, -second], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("n_spikes", "scaling", "decrease", "real"),
    [
        pytest.param(10, 0.75, 64, True, id="just enough of each"),
        pytest.param(9, 1, 100, False, id="too few"),
        pytest.param(20, 0.74, 100, False, id="smaller than the template"),
        pytest.param(20, 1, 63, False, id="what noise would gain"),
    ],
)
def test_a_unit_has_many_large_spikes_beyond_chance(n_spikes, scaling, decrease, real):
    rows = np.arange(5, 5 + n_spikes)
    spikes = matched(np.arange(40), np.zeros(40), [trough(9)], scaling=9.0, decrease=900.0)
    spikes.matches.scaling[rows] = scaling
    spikes.matches.decrease[rows] = decrease
    assert is_real(spikes, rows, CONFIG) is real


def test_half_of_the_spikes_decide():
    decrease = np.repeat([50.0, 100.0], [9, 11])
    rows = np.arange(20)
    spikes = matched(rows, np.zeros(20), [trough(9)], decrease=decrease)
    assert is_real(spikes, rows, CONFIG)
    assert not is_real(spikes, rows[:17], CONFIG)


@pytest.mark.parametrize(("n_usual", "real"), [(10, True), (9, False)])
def test_spikes_smaller_than_usual_make_no_unit(n_usual, real):
    rows = np.arange(40)
    spikes = matched(rows, np.zeros(40), [trough(9)])
    spikes.matches.scaling[n_usual:] = 0.5
    spikes.matches.decrease[n_usual:] = 1
    assert is_real(spikes, rows, CONFIG) is real


def test_a_unit_that_no_spike_shapes_is_none():
    spikes = matched(np.arange(0, 8000, 100), np.arange(80) % 2, [trough(9), trough(9)])
    spikes.matches.scaling[1::2] = 0.8
    final = finish(spikes, REGISTRATION, CONFIG)
    assert len(final.means) == 1
    assert final.matches.sample_index.tolist() == list(range(0, 8000, 200))


@pytest.mark.parametrize(("relative_gain", "real"), [(1.2, False), (1.3, True)])
def test_spikes_that_hardly_pass_are_noise(relative_gain, real):
    rows = np.arange(20)
    spikes = matched(rows * 100, np.zeros(20), [trough(9)], relative_gain=relative_gain)
    assert is_real(spikes, rows, CONFIG) is real


def two_groups(n_spikes=120):
    """Codes of two groups that alternate, 12 apart."""
    pca_features = np.random.default_rng(0).normal(size=(n_spikes, 4))
    pca_features[1::2, 1] += 12
    return pca_features


def test_a_unit_whose_spikes_fall_apart_is_split():
    spikes = matched(np.arange(120), np.zeros(120), [trough(9)], pca_features=two_groups())
    labels, origin = split_units(spikes, REGISTRATION, CONFIG)
    assert origin.tolist() == [0, 0]
    assert labels[0] != labels[1]
    assert labels.tolist() == np.tile(labels[:2], 60).tolist()


def test_a_unit_of_one_cloud_stays_whole_beside_another():
    unit = np.arange(160) % 2
    spikes = matched(np.arange(160), unit, [trough(9)] * 2)
    labels, origin = split_units(spikes, REGISTRATION, CONFIG)
    assert origin.tolist() == [0, 1]
    assert labels.tolist() == unit.tolist()


def test_a_part_that_is_no_unit_gets_no_label():
    decrease = np.where(np.arange(120) % 2, 100, 10)
    spikes = matched(
        np.arange(120), np.zeros(120), [trough(9)], pca_features=two_groups(), decrease=decrease
    )
    labels, origin = split_units(spikes, REGISTRATION, CONFIG)
    assert origin.tolist() == [0]
    assert labels.tolist() == [UNASSIGNED, 0] * 60


def test_the_template_of_a_part_is_the_mean_moved_by_its_codes():
    pca_features = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [4, 1, 2, 3], [4, 1, 2, 3]]
    spikes = matched(np.arange(5), np.zeros(5), [trough(9, 5)], pca_features=pca_features)
    labels = np.array([0, 0, 0, 1, 1])
    templates = subcluster_templates(spikes, labels, np.array([0, 0]), PCA)
    assert templates[0].tolist() == trough(9, 5)
    assert templates[1].tolist() == [[4, 2], [-8, -2], [0, 0]]


def test_a_whole_unit_keeps_its_exact_mean():
    spikes = matched(np.arange(5), np.zeros(5), [trough(9, 5)])
    templates = subcluster_templates(spikes, np.zeros(5, np.int64), np.array([0]), PCA)
    assert templates.tolist() == [trough(9, 5)]


def spread(n_spikes, start=0):
    """Samples 100 ms apart."""
    return start + 1000 * np.arange(n_spikes)


def both(*trains):
    """Samples of several trains in order of time, and the unit of each."""
    sample = np.concatenate(trains)
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(sample, kind="stable")
    return sample[order], unit[order]


def test_copies_share_one_template_weighted_by_their_spikes():
    sample, unit = both(spread(120), spread(40, 500))
    spikes = matched(sample, unit, [trough(8), trough(12)])
    templates = refined(spikes)
    assert templates.n_spikes.tolist() == [160]
    assert templates.base.dense().tolist() == [trough(9)]


def test_parts_that_hold_collisions_get_no_template():
    sample, unit = both(spread(120), spread(40, 500))
    spikes = matched(sample, unit, [trough(9), np.fliplr(trough(9))])

    assert refined(spikes).n_spikes.tolist() == [120, 40]
    subclusters = split_into_subclusters(spikes, REGISTRATION, CONFIG)
    assert subclusters.templates.shape == (2, 3, 2)
    assert np.bincount(subclusters.spikes.unit_index).tolist() == [120, 40]
    left = subclusters.without(np.array([False, True]))
    assert merge_subclusters(left, spikes, REGISTRATION, CONFIG).n_spikes.tolist() == [120]


def test_spikes_without_a_unit_do_not_shift_the_codes_of_the_others():
    # Those of unit 0 come first and gain no more than noise; 1 and 2 are copies.
    sample, unit = both(spread(40), spread(40, 40_000), spread(40, 80_000))
    pca_features = np.random.default_rng(0).normal(size=(120, 4))
    pca_features[unit == 0] += 30
    decrease = np.where(unit == 0, 10, 100)
    spikes = matched(sample, unit, [trough(9)] * 3, pca_features=pca_features, decrease=decrease)
    assert refined(spikes).n_spikes.tolist() == [80]


def test_refinement_splits_and_drops():
    # Half of the first unit's spikes are another's; the second unit is what noise would gain.
    sample, unit = both(spread(120), spread(40, 500))
    pca_features = np.random.default_rng(0).normal(size=(160, 4))
    first = np.flatnonzero(unit == 0)
    pca_features[first[1::2], 3] += 30
    decrease = np.where(unit == 0, 100, 10)
    spikes = matched(
        sample, unit, [trough(20), trough(9)], pca_features=pca_features, decrease=decrease
    )
    templates = refined(spikes)
    assert templates.n_spikes.tolist() == [60, 60]
    assert np.sort(templates.base.dense()[:, 1, 1]).round().tolist() == [-15, 15]


def test_what_was_found_at_a_fixed_lag_is_no_unit():
    source = np.sort(np.random.default_rng(1).integers(0, 200_000, 100))
    sample, unit = both(source, source + 15)
    spikes = matched(sample, unit, [trough(20, 5), trough(2, 8)])
    assert refined(spikes).n_spikes.tolist() == [100]
    assert finish(spikes, REGISTRATION, CONFIG).matches.sample_index.tolist() == source.tolist()


def test_the_final_units_are_merged_and_numbered_anew():
    # Unit 0 gains no more than noise; 1 and 3 are copies; 2 is another neuron.
    sample, unit = both(spread(20, 100), spread(40, 250), spread(40, 500), spread(120, 750))
    decrease = np.where(unit == 0, 10, 100)
    spikes = matched(
        sample, unit, [trough(9), trough(12), trough(0, 9), trough(8)], decrease=decrease
    )
    last = finish(spikes, REGISTRATION, CONFIG)
    kept = unit > 0
    assert last.matches.sample_index.tolist() == sample[kept].tolist()
    # The third leads its unit, so the other neuron comes first.
    assert last.matches.unit_index.tolist() == np.where(unit == 2, 0, 1)[kept].tolist()
    assert last.means.tolist() == [trough(0, 9), trough(9)]
    assert last.channel_index.tolist() == [0] * kept.sum()
    assert (last.pca_features == spikes.pca_features[kept]).all()
    assert (last.matches.shift_index == spikes.matches.shift_index[kept]).all()


def test_a_spike_found_by_both_copies_is_kept_once_the_better_fit():
    # Ten spikes of the second are the first's; more would make it an echo.
    own = spread(30, 500)
    sample, unit = both(spread(40), np.concatenate([spread(10, 2), own]))
    decrease = np.where(unit == 0, 100, 90)
    decrease[0] = 80
    spikes = matched(sample, unit, [trough(9), trough(9)], decrease=decrease)
    last = finish(spikes, REGISTRATION, CONFIG)
    expected = np.sort(np.concatenate([[2], spread(40)[1:], own]))
    assert last.matches.sample_index.tolist() == expected.tolist()
    assert last.matches.unit_index.tolist() == [0] * 70


def test_parts_that_take_turns_are_one_template_that_follows_them():
    # The second takes over from the first at 10 s, lower on the first channel.
    sample, unit = both(spread(100), spread(100, 100_000))
    pca_features = np.random.default_rng(0).normal(size=(200, 4))
    pca_features[:, 1] -= np.where(unit == 0, 20, 12)
    pca_features[:, 3] -= np.where(unit == 0, 9, 14)
    spikes = matched(sample, unit, [trough(20, 9), trough(12, 14)], pca_features=pca_features)
    templates = refined(spikes)
    assert templates.n_spikes.tolist() == [200]
    assert templates.base.dense().tolist() == [trough(16, 11.5)]
    assert templates.first_block.tolist() == [0, 2]
    waves = templates.waveforms(np.array([0, 1]), PCA).dense()
    np.testing.assert_allclose(waves, [trough(20, 9), trough(12, 14)], atol=0.5)
    last = finish(spikes, REGISTRATION, CONFIG)
    assert last.matches.unit_index.tolist() == [0] * 200


def test_bursts_keep_two_templates_and_are_one_unit():
    # The smaller spikes follow the larger ones after 10 ms; neither is an echo, they are jittered.
    first = spread(100)
    lag = np.random.default_rng(1).integers(60, 140, 100)
    sample, unit = both(first, first + lag)
    pca_features = np.random.default_rng(0).normal(size=(200, 4))
    pca_features[:, 1] -= np.where(unit == 0, 30, 18)
    spikes = matched(sample, unit, [trough(30), trough(18)], pca_features=pca_features)
    assert refined(spikes).n_spikes.tolist() == [100, 100]
    assert finish(spikes, REGISTRATION, CONFIG).matches.unit_index.tolist() == [0] * 200


@pytest.mark.parametrize("n_units", [0, 1])
def test_nothing_is_left_of_no_spikes(n_units):
    spikes = matched([], [], np.zeros((n_units, 3, 2)), pca_features=np.zeros((0, 4)))
    assert finish(spikes, REGISTRATION, CONFIG).means.shape == (0, 3, 2)
    templates = refined(spikes)
    assert templates.base.dense().shape == (0, 3, 2)
    assert templates.n_spikes.tolist() == []
    assert templates.at(0).tolist() == []


def test_spikes_found_at_the_later_trough_are_moved_to_the_other_within_the_recording():
    # A window of three samples; the later half, the smaller set, has its shape a sample earlier.
    early, late = spread(101)[1:], spread(40)
    late = np.concatenate([[0], late[late > 200] + 50])
    sample, unit = both(early, late)
    pca_features = np.random.default_rng(0).normal(size=(len(sample), 4))
    templates = [[[0.0, 0], [-30, -20], [0, 0]], [[-30.0, -20], [0, 0], [0, 0]]]
    pca_features[:, 1] -= np.where(unit == 0, 30, 0)
    pca_features[:, 0] -= np.where(unit == 1, 30, 0)
    spikes = matched(sample, unit, templates, pca_features=pca_features)
    found = finish(spikes, REGISTRATION, CONFIG).matches
    assert set(found.unit_index) == {0}
    np.testing.assert_array_equal(
        np.sort(found.sample_index), np.sort(np.concatenate([early, np.maximum(late - 1, 0)]))
    )


def test_of_a_unit_that_noise_floods_only_sure_spikes_shape_the_template():
    spikes = matched([0, 100, 200, 300], [0, 0, 1, 1], [trough(9), trough(9)])
    spikes = replace(
        spikes,
        matches=replace(spikes.matches, scaling=np.array([0.9, 1.0, 0.8, 0.9], "f4")),
        cut_off=np.array([True, False]),
    )
    assert spikes.shapes_template.tolist() == [False, True, False, True]


def test_the_small_matches_of_a_flooded_unit_are_not_its_spikes():
    sample = np.arange(60) * 1000
    spikes = matched(sample, np.zeros(60, int), [trough(9)])
    scaling = np.where(np.arange(60) < 20, 0.75, 1.0).astype("f4")
    spikes = replace(spikes, matches=replace(spikes.matches, scaling=scaling))
    assert len(finish(spikes, REGISTRATION, CONFIG).matches.sample_index) == 60
    cut_off = replace(spikes, cut_off=np.array([True]))
    np.testing.assert_array_equal(
        finish(cut_off, REGISTRATION, CONFIG).matches.sample_index, sample[20:]
    )


def test_matches_of_a_large_unit_go_back_to_it_from_a_small_one():
    unit = np.repeat([0, 1], [600, 46])
    features = np.random.default_rng(1).normal(size=(646, 4))
    features[606:] += [0, 0, 12, 0]
    sample = np.random.default_rng(2).permutation(646) * 309
    order = np.argsort(sample)
    spikes = matched(
        sample[order], unit[order], [trough(20), trough(19, 4)], pca_features=features[order]
    )
    final = finish(spikes, REGISTRATION, CONFIG)
    counts = np.bincount(final.matches.unit_index)
    assert counts.tolist() == [606, 40]


def test_a_neuron_before_and_after_a_jump_is_one_part():
    # It lies at one contact, and after the jump at the other, 20 µm on.
    jump, n_samples = 100_000, 200_000
    sample = np.arange(0, n_samples, 1000)
    late = sample >= jump
    features = np.random.default_rng(0).normal(size=(len(sample), 4))
    features += np.where(late[:, None], [0, 0, 0, 30], [0, 30, 0, 0])
    spikes = matched(sample, np.zeros(len(sample)), [trough(30)], pca_features=features)
    slip = Motion(
        bin_samples=jump, displacement_um=np.array([[0.0], [20.0]]), window_um=np.array([10.0])
    )
    known = replace(REGISTRATION, motion=slip, epoch_starts=np.array([0, jump]))
    # Between the middles of its two bins the displacement is not known.
    away = np.abs(sample - jump) > jump // 2
    assert len(np.unique(split_units(spikes, REGISTRATION, CONFIG)[0])) == 2
    labels, origin = split_units(spikes, known, CONFIG)
    assert np.unique(labels[away]).tolist() == [0]
    assert origin.tolist() == [0]
