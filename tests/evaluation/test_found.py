import numpy as np

from embersort.evaluation.comparison import compare
from embersort.types import Sorting


def sorting(trains):
    sample = np.concatenate([np.zeros(0), *trains]).astype(np.int64)
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains]).astype(np.int64)
    order = np.argsort(sample, kind="stable")
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=np.arange(len(trains)) + 5,
        sampling_rate_hz=30_000.0,
        n_samples=1_000_000,
    )


FIRST, SECOND = np.arange(100, 10_100, 100), np.arange(150, 10_150, 100)


def test_parts_of_one_neuron_are_each_scored_against_it():
    truth = sorting([FIRST, SECOND])
    found = sorting([FIRST[:60], np.concatenate([FIRST[60:80], SECOND[:5] - 25]), SECOND])
    result = compare(truth, found)
    assert result.found_scores.accuracy.tolist() == [0.6, 20 / 105, 1.0]
    assert result.found_scores.precision.tolist() == [1.0, 0.8, 1.0]
    assert result.found_scores.recall.tolist() == [0.6, 0.2, 1.0]
    # The part that no true unit is matched with is right all the same, but for its foreign spikes.
    of_part = found.unit_index == 1
    assert result.found_spike_true[of_part].sum() == 0
    assert result.found_spike_agrees[of_part].sum() == 20
    assert result.found_spike_agrees[~of_part].all()


def test_without_truth_nothing_agrees():
    result = compare(sorting([]), sorting([FIRST, SECOND]))
    assert result.found_scores.accuracy.tolist() == [0, 0]
    assert not result.found_spike_agrees.any()


def test_without_units_there_is_nothing_to_score():
    result = compare(sorting([FIRST]), sorting([]))
    assert result.found_scores.accuracy.shape == (0,)
    assert result.found_spike_agrees.shape == (0,)


def test_a_unit_without_spikes_scores_nothing():
    result = compare(sorting([FIRST]), sorting([FIRST, np.zeros(0, int)]))
    assert result.found_scores.accuracy.tolist() == [1, 0]
    assert result.found_scores.precision.tolist() == [1, 0]
