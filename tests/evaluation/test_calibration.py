import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.evaluation.calibration import determination, reliability


def test_what_was_said_and_what_came_true_by_bins():
    probability = np.array([0.1, 0.3, 0.6, 0.9, 0.8, 1.0])
    correct = np.array([False, True, True, True, False, True])
    found = reliability(probability, correct, n_bins=2)
    assert found.n_spikes.tolist() == [2, 4]
    assert found.said == pytest.approx([0.2, 0.825])
    assert found.came_true == pytest.approx([0.5, 0.75])
    assert found.expected_calibration_error == pytest.approx((2 * 0.3 + 4 * 0.075) / 6)


def test_unknown_probabilities_and_empty_bins_are_left_out():
    found = reliability(np.array([np.nan, 0.9]), np.array([False, True]), n_bins=4)
    assert found.n_spikes.tolist() == [0, 0, 0, 1]
    assert np.isnan(found.said[:3]).all()
    assert found.expected_calibration_error == pytest.approx(0.1)


def test_nothing_said_has_no_error():
    assert np.isnan(reliability(np.zeros(0), np.zeros(0, bool)).expected_calibration_error)


def test_honest_probabilities_have_next_to_no_error_and_bold_ones_have():
    rng = np.random.default_rng(0)
    probability = rng.random(50_000)
    correct = rng.random(50_000) < probability
    assert reliability(probability, correct).expected_calibration_error < 0.01
    assert reliability(probability**0.25, correct).expected_calibration_error > 0.2


@pytest.mark.parametrize(
    ("probability", "correct", "message"),
    [([0.5], [True, False], "1 probabilities for 2"), ([1.5], [True], "expected 0..1")],
)
def test_what_is_no_probability_is_refused(probability, correct, message):
    with pytest.raises(BadInput, match=message):
        reliability(np.array(probability), np.array(correct))


def test_determination_counts_a_bias():
    true = np.array([0.0, 0.5, 1.0])
    assert determination(true, true) == 1
    assert determination(np.full(3, 0.5), true) == 0
    assert determination(true + 0.5, true) == pytest.approx(1 - 3 * 0.25 / 0.5)
    assert np.isnan(determination(true, np.ones(3)))
