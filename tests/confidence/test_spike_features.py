import numpy as np
import pytest

from confidence_evidence import RATE_HZ, make_evidence, replaced, with_units
from embersort.confidence.predict import features
from embersort.confidence.spike_features import SPIKE_FEATURES, spike_features
from embersort.confidence.spike_kernels import (
    N_LOCAL_SPIKES,
    disturbances,
    local_misfits,
    misfits,
)
from embersort.confidence.templates import MAX_SCALE, MIN_SCALE, template_codes
from embersort.types import Sorting
from naive_confidence import local_misfit, misfit


def column(evidence, name):
    return spike_features(evidence, template_codes(evidence))[:, SPIKE_FEATURES.index(name)]


def test_templates_become_their_codes_and_rivals_are_the_nearest_that_share_a_channel():
    evidence = make_evidence(channels=(0, 2, 3))
    templates = template_codes(evidence)
    back = np.einsum("uck,tk->utc", templates.codes, evidence.basis)
    assert back == pytest.approx(evidence.means, abs=1e-4)
    # Bumps reach one channel to either side: 0 meets 2 on channel 1, 2 meets 3, 0 does not meet 3.
    assert templates.rivals[0].tolist() == [1, -1, -1]
    assert set(templates.rivals[1].tolist()) == {0, 2, -1}
    assert templates.rivals[2].tolist() == [1, -1, -1]
    assert np.isinf(templates.distance[0, 1:]).all()


def test_misfits_are_those_of_the_naive_twin():
    evidence = make_evidence()
    templates = template_codes(evidence)
    unit = evidence.sorting.unit_index
    found = misfits(
        evidence.codes,
        evidence.channel_index,
        unit,
        templates.codes,
        evidence.neighbours,
        templates.rivals,
    )
    for i in range(len(unit)):
        local = evidence.neighbours[evidence.channel_index[i]]
        own, *rivals = (
            misfit(evidence.codes[i], templates.codes[u], local, MIN_SCALE, MAX_SCALE)
            for u in [unit[i], *(r for r in templates.rivals[unit[i]] if r >= 0)]
        )
        assert found[i] == pytest.approx([own, min(rivals)], rel=1e-4)


def test_local_misfits_are_those_of_the_naive_twin():
    evidence = make_evidence(n_spikes=(14, 9), channels=(0, 2))
    unit = evidence.sorting.unit_index
    channel = evidence.channel_index.copy()
    channel[::5] = 1
    rows = np.argsort(unit, kind="stable")
    found = local_misfits(evidence.codes, channel, rows, np.array([0, 14, 23]))
    expected = local_misfit(evidence.codes, channel, unit, N_LOCAL_SPIKES)
    assert found == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_a_disturbance_is_another_units_gain_times_what_the_two_share():
    shared = np.array([[1.0, 0.5], [0.5, 1.0]])
    found = disturbances(
        np.array([100, 110, 112, 200]),
        np.array([0, 0, 1, 1]),
        np.array([40, 60, 80, 100], np.float32),
        shared,
        12,
    )
    # 12 samples are too far; the spike of the same unit does not count.
    assert found.tolist() == [[0, 0], [40, 0], [30, 30], [0, 0]]


def test_intervals_are_to_the_same_units_spikes():
    evidence = make_evidence(n_spikes=(3, 2), channels=(0, 2))
    per_ms = RATE_HZ / 1000
    evidence = replaced(
        evidence,
        sorting=Sorting(
            sample_index=(np.array([10, 15, 30, 31, 9000]) * per_ms).astype(np.int64),
            unit_index=[0, 1, 0, 1, 0],
            unit_ids=[0, 1],
            sampling_rate_hz=RATE_HZ,
            n_samples=400_000,
        ),
    )
    before = np.exp(column(evidence, "log_interval_before_ms"))
    after = np.exp(column(evidence, "log_interval_after_ms"))
    assert before == pytest.approx([1000, 1000, 20, 16, 1000], rel=1e-5)
    assert after == pytest.approx([20, 16, 1000, 1000, 1000], rel=1e-5)


def test_a_spike_of_another_shape_fits_its_rival_better():
    evidence = make_evidence()
    templates = template_codes(evidence)
    codes = evidence.codes.copy()
    wrong = int(np.flatnonzero(evidence.sorting.unit_index == 1)[3])
    local = evidence.neighbours[evidence.channel_index[wrong]]
    codes[wrong] = np.where(local[:, None] >= 0, templates.codes[2][local], 0).ravel()
    margin = column(replaced(evidence, codes=codes), "margin")
    assert margin[wrong] < 0
    assert np.delete(margin, wrong).min() > 0


def test_a_unit_without_rival_has_the_largest_margin():
    assert (column(make_evidence(n_spikes=(20,), channels=(2,)), "margin") > 100).all()


def test_the_names_of_units_do_not_matter():
    evidence = make_evidence()
    first, second = features(evidence), features(with_units(evidence, [2, 0, 1]))
    assert np.array_equal(first.spike, second.spike, equal_nan=True)
    assert np.array_equal(first.unit[[2, 0, 1]], second.unit, equal_nan=True)


def test_features_have_one_row_per_spike_even_without_any():
    empty = make_evidence(n_spikes=(), channels=())
    assert features(empty).spike.shape[0] == 0
    assert features(empty).unit.shape[0] == 0
