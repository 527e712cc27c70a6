"""Detection, clustering and overlap scores."""

import numpy as np
import pytest
from test_comparison import sorting

import naive_evaluation as naive
from embersort.errors import BadInput
from embersort.evaluation.clustering import adjusted_rand_index, contingency, score_clustering
from embersort.evaluation.comparison import compare
from embersort.evaluation.detection import detection_curve
from embersort.evaluation.overlap import accuracy_over_time, overlapping_spikes, recall_of
from embersort.types import Events


def events(sample, amplitude, channel=None):
    return Events(
        sample_index=np.array(sample),
        channel_index=np.zeros(len(sample), np.int64) if channel is None else np.array(channel),
        amplitude=np.array(amplitude),
    )


def test_detection_curve_worked_out_by_hand():
    truth = sorting([100, 500], [900])
    found = events([101, 103, 499, 2000], [-9, -8, -6, -7])
    curve = detection_curve(found, truth)
    assert curve.event_spike.tolist() == [0, -1, 1, -1]
    assert curve.score.tolist() == [9, 8, 7, 6]
    assert curve.precision.tolist() == [1, 1 / 2, 1 / 3, 2 / 4]
    assert curve.recall.tolist() == [1 / 3, 1 / 3, 1 / 3, 2 / 3]
    assert curve.average_precision == pytest.approx(1 / 3 + 1 / 6)
    assert curve.recall_at_precision(0.5) == pytest.approx(2 / 3)
    assert curve.recall_at_precision(0.6) == pytest.approx(1 / 3)


def test_events_of_one_score_share_a_point_and_far_channels_do_not_match():
    truth = sorting([100], [105])
    found = events([100, 105], [-5, -5], channel=[1, 1])
    near = np.array([[True, True], [False, True]])
    curve = detection_curve(found, truth, near=near)
    assert curve.event_spike.tolist() == [1, -1]
    assert curve.precision.tolist() == [0.5]
    assert curve.recall.tolist() == [0.5]


def test_detection_equals_its_slow_twin():
    rng = np.random.default_rng(3)
    for _ in range(20):
        truth = sorting(np.sort(rng.integers(0, 500, 20)), np.sort(rng.integers(0, 500, 20)))
        n = 60
        found = events(np.sort(rng.integers(0, 500, n)), -rng.random(n), rng.integers(0, 3, n))
        near = rng.random((3, 2)) < 0.7
        curve = detection_curve(found, truth, near=near)
        expected = naive.claim_spikes(found, np.abs(found.amplitude), truth, 12, near)
        assert (curve.event_spike == expected).all()


def test_detection_without_events_or_spikes():
    none = detection_curve(events([], []), sorting([100]))
    assert (none.average_precision, none.recall_at_precision(0.5)) == (0.0, 0.0)
    assert detection_curve(events([5], [-9]), sorting()).recall.tolist() == [0.0]


def test_detection_refuses_scores_that_do_not_fit():
    with pytest.raises(BadInput, match="score has shape"):
        detection_curve(events([5], [-9]), sorting([5]), score=np.zeros(2))
    with pytest.raises(BadInput, match="not finite"):
        detection_curve(events([5], [-9]), sorting([5]), score=np.array([np.nan]))


def test_adjusted_rand_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    for _ in range(20):
        first, second = rng.integers(-1, 5, (2, 40))
        expected = metrics.adjusted_rand_score(first, second)
        assert adjusted_rand_index(first, second) == pytest.approx(expected, abs=1e-12)
    assert adjusted_rand_index(np.zeros(5, int), np.zeros(5, int)) == 1.0
    assert adjusted_rand_index(np.zeros(0, int), np.zeros(0, int)) == 1.0


def test_clustering_score_worked_out_by_hand():
    truth = np.array([0, 0, 0, 1, 1, -1, 2])
    found = np.array([4, 4, -1, 9, 4, 9, -1])
    score = score_clustering(truth, found)
    # Unit 0 and label 4: 2 of 4; unit 1 and label 9: 1 of 3; unit 2 has no label.
    assert score.truth_labels.tolist() == [0, 1, 2]
    assert score.accuracy.tolist() == [2 / 4, 1 / 3, 0]
    assert score.n_found == 2


def test_labels_are_only_names():
    rng = np.random.default_rng(5)
    truth, found = rng.integers(0, 4, (2, 50))
    renamed = np.array([11, -7, 300, 5])[found]
    first, second = score_clustering(truth, found), score_clustering(truth, renamed)
    assert first.adjusted_rand == pytest.approx(second.adjusted_rand)
    assert first.accuracy.sum() == pytest.approx(second.accuracy.sum())


def test_labels_must_be_one_per_event():
    with pytest.raises(BadInput, match="expected one per event"):
        contingency(np.zeros(3, int), np.zeros(4, int))


def test_overlaps_equal_their_slow_twin_and_respect_distance():
    rng = np.random.default_rng(6)
    truth = sorting(*[np.sort(rng.integers(0, 3000, 20)) for _ in range(4)])
    assert (overlapping_spikes(truth) == naive.overlapping(truth, 30)).all()
    far = np.array([[0.0, 0.0], [0.0, 150.0]])
    assert not overlapping_spikes(sorting([100], [110]), unit_position_um=far).any()
    assert overlapping_spikes(sorting([100], [110]), unit_position_um=far / 2).all()
    with pytest.raises(BadInput, match="2 positions for 1 units"):
        overlapping_spikes(sorting([1]), unit_position_um=far)


def test_recall_of_chosen_spikes():
    truth = sorting([100, 1000, 2000], [105])
    result = compare(truth, sorting([100, 1000]))
    assert recall_of(result, overlapping_spikes(truth)) == pytest.approx(1 / 2)
    assert np.isnan(recall_of(result, np.zeros(4, bool)))


def test_accuracy_over_time_worked_out_by_hand():
    truth = sorting([100, 200, 40_000, 50_000], n_samples=70_000)
    found = sorting([100, 200, 40_000, 41_000, 42_000], n_samples=70_000)
    result = compare(truth, found)
    over_time = accuracy_over_time(result, truth, found, bin_s=1.0)
    np.testing.assert_equal(over_time, [[1.0, 1 / 4, np.nan]])
