import numpy as np
import pytest

from embersort.curation.multi_unit import is_multi_unit
from spike_trains import RATE_HZ, poisson, regular


def several(*trains):
    sample = np.sort(np.round(np.concatenate(trains) * RATE_HZ).astype(np.int64))
    return is_multi_unit(sample, RATE_HZ)


def test_neurons_that_fire_independently_are_several():
    assert several(poisson(0, 0, 100), poisson(1, 0, 100))


def test_a_neuron_with_a_tenth_of_foreign_spikes_is_one():
    train = poisson(0, 0, 200)
    neuron = train[np.diff(train, prepend=-1) > 0.003]
    assert not several(neuron, poisson(1, 0, 200, rate_hz=2.0))
    assert several(neuron, poisson(1, 0, 200, rate_hz=20.0))


@pytest.mark.parametrize(
    ("lag_s", "n_pairs", "answer"),
    [
        # 99 pairs of neighbours 10 ms apart: 5.3 of all pairs up to 30 ms are expected.
        pytest.param(0.001, 3, False, id="3 of 15 expected"),
        pytest.param(0.001, 20, True, id="20 of 20 expected"),
        pytest.param(0.0004, 20, False, id="one spike found twice"),
        pytest.param(0.0025, 20, False, id="no refractory period is as long"),
    ],
)
def test_pairs_within_the_refractory_period_tell(lag_s, n_pairs, answer):
    train = regular(0, 1, 0.01)
    assert several(train, train[:n_pairs] + lag_s) is answer


def test_two_pairs_prove_nothing():
    spaced = regular(0, 100, 1.0)
    assert not several(spaced, spaced[:2] + 0.001)
    assert several(spaced, spaced[:3] + 0.001)


def test_no_spikes_and_one_are_not_several():
    assert not several(np.zeros(0))
    assert not several(np.zeros(1))
