"""Matching and scores: hand-made cases, the slow twin, and SpikeInterface as a second opinion."""

import numpy as np
import pytest

import naive_evaluation as naive
from embersort.errors import BadInput
from embersort.evaluation.comparison import compare
from embersort.evaluation.matching import count_matches, match_trains, tolerance_in_samples
from embersort.types import Sorting

RATE_HZ = 30_000.0


def sorting(*trains, n_samples=100_000, ids=None):
    sample = np.concatenate([np.asarray(t, np.int64) for t in trains] or [np.zeros(0, np.int64)])
    unit = np.repeat(np.arange(len(trains)), [len(t) for t in trains]).astype(np.int64)
    order = np.argsort(sample, kind="stable")
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=np.arange(len(trains)) if ids is None else np.asarray(ids),
        sampling_rate_hz=RATE_HZ,
        n_samples=n_samples,
    )


def random_sorting(rng, n_units, n_spikes, n_samples, refractory=40):
    trains = [
        np.unique(rng.integers(0, n_samples // refractory, n_spikes)) * refractory
        for _ in range(n_units)
    ]
    return sorting(*trains, n_samples=n_samples)


def shaken(rng, truth, share_kept, jitter):
    trains = [
        np.sort(
            np.clip(t[rng.random(len(t)) < share_kept] + rng.integers(-jitter, jitter + 1), 0, None)
        )
        for t in truth.trains()
    ]
    return sorting(*[np.minimum(t, truth.n_samples - 1) for t in trains], n_samples=truth.n_samples)


def test_each_spike_is_used_once_and_the_tolerance_is_inclusive():
    assert match_trains(np.array([100, 105]), np.array([103]), 5).tolist() == [0, -1]
    assert match_trains(np.array([100]), np.array([105]), 5).tolist() == [0]
    assert match_trains(np.array([100]), np.array([106]), 5).tolist() == [-1]
    assert match_trains(np.zeros(0, np.int64), np.array([1]), 5).tolist() == []


def test_scores_of_a_comparison_worked_out_by_hand():
    truth = sorting([100, 1000, 2000, 3000], [500, 1500], [9000], ids=[7, 8, 9])
    found = sorting([102, 1005, 2000, 4000], [501, 1499, 7000, 7100, 7200], ids=[40, 50])
    result = compare(truth, found)
    assert result.tolerance_samples == 12
    assert result.match_counts.tolist() == [[3, 0], [0, 2], [0, 0]]
    # Unit 8 agrees 2 / (2 + 5 - 2) = 0.4 < 0.5: not matched.
    assert result.matched_index.tolist() == [0, -1, -1]
    assert result.accuracy.tolist() == [3 / 5, 0, 0]
    assert result.precision.tolist() == [3 / 4, 0, 0]
    assert result.recall.tolist() == [3 / 4, 0, 0]
    assert result.f1.tolist() == [0.75, 0, 0]
    assert result.truth_spike_found.tolist() == [True, False, True, False, True, False, False]
    assert result.found_spike_true.tolist() == [True, False, True] + [False, True] + [False] * 4
    assert result.confusion.tolist() == [[3, 0, 1], [0, 2, 2], [0, 0, 1], [1, 5, 0]]
    summary = result.summary()
    assert summary["accuracy"] == pytest.approx(0.2)
    assert summary["n_matched_spikes"] == 3
    # Best answer of unit 8, only too poor to be matched: neither false nor redundant.
    assert (summary["n_false_positive"], summary["n_redundant"]) == (0, 0)


def test_spikeforest_rule_takes_the_best_found_unit_however_poor_or_often_used():
    truth = sorting([100, 1000], [100, 5000, 6000])
    found = sorting([100, 1000])
    result = compare(truth, found, rule="spikeforest")
    assert result.tolerance_samples == 30
    assert result.matched_index.tolist() == [0, 0]
    assert result.accuracy.tolist() == [1.0, 1 / 4]


def test_faults_of_found_units():
    train = list(range(1000, 9000, 100))
    truth = sorting(train, [t + 50 for t in train])
    found = sorting(train, train[:40], [10, 20, 30], train + [t + 50 for t in train])
    result = compare(truth, found)
    assert result.is_redundant.tolist() == [False, True, False, False]
    assert result.is_false_positive.tolist() == [False, False, True, False]
    assert result.is_overmerged.tolist() == [False, False, False, True]
    assert result.is_well_detected.tolist() == [True, False]


def test_counts_equal_the_slow_twin_even_for_bursts_within_the_tolerance():
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = sorting(*[np.sort(rng.integers(0, 300, 25)) for _ in range(3)])
        found = sorting(*[np.sort(rng.integers(0, 300, 30)) for _ in range(4)])
        for tolerance in (0, 3, 12):
            expected = naive.count_matches(truth, found, tolerance)
            assert (count_matches(truth, found, tolerance) == expected).all()


def test_matching_does_not_depend_on_direction_or_time_shift():
    rng = np.random.default_rng(1)
    truth, found = random_sorting(rng, 3, 50, 9000, 7), random_sorting(rng, 4, 60, 9000, 7)
    there, back = count_matches(truth, found, 12), count_matches(found, truth, 12)
    assert (there == back.T).all()
    moved = [sorting(*[t + 1000 for t in s.trains()]) for s in (truth, found)]
    assert (count_matches(*moved, 12) == there).all()


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_spikeinterface_on_random_sortings(seed):
    spikeinterface = pytest.importorskip("spikeinterface")
    from spikeinterface.comparison import compare_sorter_to_ground_truth

    rng = np.random.default_rng(seed)
    truth = random_sorting(rng, 12, 400, 900_000)
    noise = random_sorting(rng, 4, 200, 900_000)
    copies = shaken(rng, truth, 0.8, 8)
    split = [t[i::2] for t in truth.trains()[:2] for i in (0, 1)]
    found = sorting(*copies.trains()[2:], *noise.trains(), *split, n_samples=900_000)

    def theirs(mine):
        return spikeinterface.NumpySorting.from_unit_dict(
            {int(i): t for i, t in zip(mine.unit_ids, mine.trains(), strict=True)}, RATE_HZ
        )

    expected = compare_sorter_to_ground_truth(theirs(truth), theirs(found), exhaustive_gt=True)
    result = compare(truth, found)
    assert (result.match_counts == expected.match_event_count.values).all()
    assert (result.matched_index == expected.hungarian_match_12.values).all()
    performance = expected.get_performance().astype(float)
    for name in ("accuracy", "precision", "recall"):
        np.testing.assert_allclose(getattr(result, name), performance[name].values, rtol=1e-12)
    counts = expected.count_units_categories()
    assert int(result.is_well_detected.sum()) == counts["num_well_detected"]
    assert int(result.is_false_positive.sum()) == counts["num_false_positive"]
    assert int(result.is_redundant.sum()) == counts["num_redundant"]
    assert int(result.is_overmerged.sum()) == counts["num_overmerged"]


def test_sortings_without_units_or_spikes():
    empty, some = sorting(), sorting([5, 50])
    assert np.isnan(compare(empty, some).summary()["accuracy"])
    assert compare(empty, some).is_false_positive.tolist() == [True]
    for rule in ("one_to_one", "spikeforest"):
        assert compare(some, empty, rule=rule).accuracy.tolist() == [0.0]
        assert compare(some, sorting([]), rule=rule).matched_index.tolist() == [-1]
    assert compare(sorting([], [5, 50]), some).summary()["accuracy"] == 1.0


def test_a_result_is_read_only():
    result = compare(sorting([5]), sorting([5]))
    with pytest.raises(ValueError, match="read-only"):
        result.accuracy[0] = 2


def test_bad_input_is_named():
    truth = sorting([5])
    slow = Sorting(
        sample_index=np.array([5]),
        unit_index=np.array([0]),
        unit_ids=np.array([0]),
        sampling_rate_hz=1000.0,
        n_samples=10,
    )
    with pytest.raises(BadInput, match=r"30000\.0 Hz and the sorting at 1000\.0 Hz"):
        compare(truth, slow)
    with pytest.raises(BadInput, match="did you mean 'one_to_one'"):
        compare(truth, truth, rule="one_to_on")
    with pytest.raises(BadInput, match="tolerance_ms is -1"):
        compare(truth, truth, tolerance_ms=-1)


def test_tolerance_is_the_largest_whole_number_of_samples_within():
    assert tolerance_in_samples(0.4, 30_000) == 12
    assert tolerance_in_samples(0.4, 32_000) == 12
    assert tolerance_in_samples(1.0, 24_000) == 24


def test_a_million_spikes_of_100_units():
    rng = np.random.default_rng(2)
    n_samples = int(1000 * RATE_HZ)
    truth = random_sorting(rng, 100, 10_000, n_samples)
    found = shaken(rng, truth, 0.9, 5)
    result = compare(truth, found)
    assert truth.n_spikes > 990_000
    assert result.accuracy == pytest.approx(0.9, abs=0.02)
