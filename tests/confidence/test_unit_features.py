import numpy as np
import pytest

from confidence_evidence import RATE_HZ, make_evidence, replaced
from embersort.confidence.leftovers import leftovers
from embersort.confidence.predict import features
from embersort.confidence.unit_company import ratio
from embersort.confidence.unit_features import (
    MOST_RATIO,
    UNIT_FEATURES,
    main_channels,
    quantiles,
)
from embersort.confidence.unit_kernels import leading_spread, pairs_within
from embersort.types import Events, Sorting
from naive_confidence import leftovers as naive_leftovers


def value(evidence, name, unit=0):
    return float(features(evidence).unit[unit, UNIT_FEATURES.index(name)])


def with_spikes(evidence, sample_index, unit_index):
    order = np.argsort(sample_index, kind="stable")
    return replaced(
        evidence,
        sorting=Sorting(
            sample_index=np.asarray(sample_index)[order],
            unit_index=np.asarray(unit_index)[order],
            unit_ids=evidence.sorting.unit_ids,
            sampling_rate_hz=RATE_HZ,
            n_samples=evidence.sorting.n_samples,
        ),
    )


def test_pairs_within_a_window_are_counted_in_both_directions():
    sample = np.array([10, 20, 100, 12, 95, 107])
    edges = np.array([0, 3, 6])
    near = pairs_within(sample, edges, sample, edges, np.array([1, 0]), 5)
    # 10-12 and 100-95 are within 5 samples; 100-107 is not.
    assert near.tolist() == [2, 2]
    assert pairs_within(sample, edges, sample, edges, np.array([0, 1]), 5).tolist() == [3, 3]


def test_ratio_abstains_where_next_to_nothing_is_expected():
    found = ratio(np.array([0.0, 3.0, 30.0]), np.array([0.01, 2.0, 2.0]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [1.5, 2.0]


def test_quantiles_of_stretches():
    values = np.array([5, 1, 3, np.nan, 7, 2.0])
    found = quantiles(values, np.array([0, 3, 3, 6]), 0.5)
    assert found[[0, 2]].tolist() == [3, 7]
    assert np.isnan(found[1])


def test_two_groups_in_one_unit_are_bimodal_and_one_is_not():
    rng = np.random.default_rng(1)
    one = rng.normal(size=(300, 6)).astype(np.float32)
    two = one.copy()
    two[::2, 3] += 12
    channel, rows, edges = np.zeros(300, np.int64), np.arange(300), np.array([0, 300])
    spread_one, bimodal_one, _ = leading_spread(one, channel, 1, rows, edges)[0]
    spread_two, bimodal_two, shift = leading_spread(two, channel, 1, rows, edges)[0]
    assert bimodal_one < 0.5 < 0.85 < bimodal_two
    assert spread_two > 2 > spread_one
    assert shift < 0.3


def test_a_unit_that_moves_has_a_shift():
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(300, 6)).astype(np.float32)
    codes[:, 2] += np.linspace(0, 15, 300)
    shift = leading_spread(codes, np.zeros(300, np.int64), 1, np.arange(300), np.array([0, 300]))[
        0, 2
    ]
    assert shift > 3


def test_too_few_spikes_say_nothing_of_spread():
    codes = np.ones((2, 6), np.float32)
    found = leading_spread(codes, np.zeros(2, np.int64), 1, np.arange(2), np.array([0, 2]))
    assert np.isnan(found).all()


def test_violations_of_a_unit_of_two_neurons_are_seen_over_expected():
    rng = np.random.default_rng(2)
    n = 600
    evidence = make_evidence(n_spikes=(n,), channels=(2,), n_samples=400_000)
    free = np.sort(rng.choice(np.arange(0, 399_000, 7), n, replace=False))
    regular = np.arange(n) * 600 + 100
    assert value(with_spikes(evidence, free, np.zeros(n, int)), "refractory_ratio") > 0.5
    assert value(with_spikes(evidence, regular, np.zeros(n, int)), "refractory_ratio") == 0


def test_units_that_take_turns_share_no_blocks():
    evidence = make_evidence(n_spikes=(40, 40), channels=(1, 2))
    early, late = np.arange(40) * 1000 + 100, np.arange(40) * 1000 + 300_000
    sample, unit = np.concatenate([early, late]), np.repeat([0, 1], 40)
    assert value(with_spikes(evidence, sample, unit), "sibling_turn") == 0
    together = np.concatenate([early, early + 10])
    assert value(with_spikes(evidence, together, unit), "sibling_turn") == 1
    assert value(with_spikes(evidence, sample, unit), "presence") == pytest.approx(2 / 12)


def test_events_that_no_spike_explains_are_counted_like_the_naive_twin():
    evidence = make_evidence(n_spikes=(12, 8), channels=(0, 4))
    rng = np.random.default_rng(3)
    sample = np.sort(rng.integers(0, 400_000, 200))
    sample[:20] = np.sort(evidence.sorting.sample_index)[:20]
    order = np.argsort(sample, kind="stable")
    events = Events(
        sample_index=sample[order],
        channel_index=rng.integers(0, 5, 200),
        amplitude=rng.uniform(-14, -4, 200),
    )
    evidence = replaced(evidence, events=events)
    main = main_channels(evidence)
    assert main.tolist() == [0, 4]
    expected = naive_leftovers(
        events, evidence.sorting, main, evidence.snr, evidence.geometry.distances_um(), 16
    )
    assert leftovers(evidence, main).tolist() == expected.tolist()
    assert 0 < expected.sum() < 200


def test_a_unit_without_spikes_has_features():
    evidence = make_evidence(n_spikes=(0, 30), channels=(0, 2))
    found = features(evidence).unit
    assert found.shape == (2, len(UNIT_FEATURES))
    assert np.isnan(found[0, UNIT_FEATURES.index("log_median_gain")])
    assert np.isfinite(found[1, UNIT_FEATURES.index("log_median_gain")])


@pytest.mark.filterwarnings("error")
def test_a_template_without_a_trough_has_the_largest_ratio():
    evidence = make_evidence()
    found = replaced(evidence, means=np.abs(evidence.means) * 100 + 1)
    assert value(found, "peak_after") == MOST_RATIO
