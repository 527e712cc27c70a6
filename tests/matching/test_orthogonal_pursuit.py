import numpy as np
import pytest

import naive_matching
from constants import changed
from embersort.config import MatchConfig
from embersort.matching import single_fit
from embersort.matching.bank import make_bank
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.redundancy import redundant
from embersort.matching.single_fit import fit_criteria
from embersort.templates.sparse import sparse

N_BEFORE = 15
CONFIG = MatchConfig()
RATE_HZ = 10_000.0
TERMS = fit_criteria(CONFIG, RATE_HZ)
TEMPLATES = naive_matching.shapes()
BANK = make_bank(sparse(TEMPLATES), N_BEFORE)


def peeled(spikes, n_samples=400, constants=None, **settings):
    traces = naive_matching.place(TEMPLATES, N_BEFORE, n_samples, spikes)
    with changed(single_fit, **(constants or {})):
        criteria = fit_criteria(MatchConfig(**settings), RATE_HZ)
    return match_templates(traces, BANK, criteria)


def found(matches):
    return list(zip(matches.sample_index.tolist(), matches.unit_index.tolist(), strict=True))


def test_lone_spikes_leave_nothing():
    spikes = [(50, 0, 1), (120, 1, 1), (200, 2, 1), (300, 0, 1)]
    matches, residual = peeled(spikes)
    assert found(matches) == [(t, u) for t, u, _ in spikes]
    assert np.allclose(matches.scaling, 1, atol=1e-5)
    assert (matches.shift_index == 2).all()
    assert np.abs(residual).max() < 1e-4


# Units 1 and 2 nearer than this add up to what one of them alone, enlarged, explains as well.
PAIRS = [(0, 1, 0), (0, 1, 3), (2, 0, 3), (0, 1, 5), (2, 0, 5)]
PAIRS += [(*pair, lag) for pair in [(0, 1), (1, 2), (2, 0)] for lag in (8, 12, 20, 30)]


@pytest.mark.parametrize(("first", "second", "lag"), PAIRS)
def test_overlapping_spikes_leave_nothing(first, second, lag):
    spikes = [(100, first, 1), (100 + lag, second, 1)]
    matches, residual = peeled(spikes)
    assert found(matches) == [(t, u) for t, u, _ in spikes]
    assert np.allclose(matches.scaling, 1, atol=0.01)
    assert np.abs(residual).max() < 0.005 * np.abs(TEMPLATES).max()


def test_many_overlapping_spikes_leave_nothing():
    spikes = [(100, 0, 1), (109, 1, 1), (121, 2, 1), (133, 0, 1), (146, 1, 1), (300, 2, 1)]
    matches, residual = peeled(spikes)
    assert found(matches) == [(t, u) for t, u, _ in spikes]
    assert np.allclose(matches.scaling, 1, atol=0.01)
    assert np.abs(residual).max() < 0.005 * np.abs(TEMPLATES).max()


def test_amplitudes_of_overlapping_spikes_are_those_that_fit_best_together():
    spikes = [(100, 0, 1.2), (108, 1, 0.85), (120, 2, 1.1)]
    matches, _ = peeled(spikes)
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 400, spikes)
    places = [(t, u) for t, u, _ in spikes]
    expected = naive_matching.best_amplitudes(
        traces, TEMPLATES, N_BEFORE, places, single_fit.AMPLITUDE_SD**-2
    )
    assert found(matches) == places
    assert np.allclose(matches.scaling, expected, atol=0.01)


def test_the_residual_is_the_traces_less_the_matches():
    rng = np.random.default_rng(0)
    traces = naive_matching.place(
        TEMPLATES, N_BEFORE, 2000, [(int(t), int(t) % 3, 1) for t in rng.integers(50, 1900, 60)]
    ) + rng.normal(size=(2000, 4)).astype("f4")
    matches, residual = match_templates(traces, BANK, TERMS)
    explained = np.zeros_like(traces)
    for t, u, s, scaling in zip(
        matches.sample_index, matches.unit_index, matches.shift_index, matches.scaling, strict=True
    ):
        used = BANK.channels[u] >= 0
        start = t - N_BEFORE
        rows = explained[start : start + BANK.n_window]
        rows[:, BANK.channels[u][used]] += scaling * BANK.shifted[u, s][:, used]
    assert len(matches.sample_index) > 40
    assert np.allclose(traces - explained, residual, atol=1e-3)
    assert (matches.scaling >= single_fit.MIN_SCALING).all()
    assert (matches.scaling <= single_fit.MAX_SCALING).all()


def test_a_spike_between_samples_takes_the_nearest_position():
    late = np.zeros((200, 4), "f4")
    start = 100 - N_BEFORE
    used = BANK.channels[1] >= 0
    late[start : start + BANK.n_window, BANK.channels[1][used]] = BANK.shifted[1, 4][:, used]
    matches, residual = match_templates(late, BANK, TERMS)
    assert found(matches) == [(100, 1)]
    assert matches.shift_index.tolist() == [4]
    assert np.abs(residual).max() < 0.02 * np.abs(late).max()


def test_a_spike_far_smaller_than_its_template_is_left():
    matches, residual = peeled([(100, 0, 0.25)])
    assert found(matches) == []
    assert np.abs(residual).max() > 0.24 * np.abs(TEMPLATES[0]).max()


def test_what_is_below_the_threshold_is_left():
    energy = (TEMPLATES[0].astype("f8") ** 2).sum()
    high = float(np.sqrt(energy))
    assert found(peeled([(100, 0, 1)], threshold=0.99 * high)[0]) == [(100, 0)]
    matches, residual = peeled([(100, 0, 1)], threshold=1.01 * high)
    assert found(matches) == []
    assert np.abs(residual).max() == np.abs(TEMPLATES[0]).max()


def test_noise_is_left_as_it_is():
    noise = np.random.default_rng(0).normal(size=(5000, 4)).astype("f4")
    matches, residual = match_templates(noise, BANK, TERMS)
    assert found(matches) == []
    assert (residual == noise).all()


def test_units_that_are_not_active_are_not_used():
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 300, [(60, 0, 1), (160, 1, 1)])
    matches, _ = match_templates(traces, BANK, TERMS, np.array([False, True, True]))
    assert 0 not in matches.unit_index
    assert (160, 1) in found(matches)


def test_a_shift_in_time_shifts_the_matches():
    rng = np.random.default_rng(3)
    spikes = [(int(t), int(rng.integers(3)), 1) for t in np.sort(rng.integers(100, 1800, 40))]
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 2000, spikes)
    traces += rng.normal(size=traces.shape).astype("f4")
    moved = np.concatenate([np.zeros((37, 4), "f4"), traces])
    early, late = (
        found(match_templates(traces, BANK, TERMS)[0]),
        found(match_templates(moved, BANK, TERMS)[0]),
    )
    assert [(t + 37, u) for t, u in early] == late
    assert len(early) > 30


def test_the_input_is_left_alone():
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 300, [(100, 0, 1)])
    before = traces.copy()
    match_templates(traces, BANK, TERMS)
    assert (traces == before).all()


@pytest.mark.parametrize("n_samples", [0, 1, 39, 40])
def test_traces_no_longer_than_a_window(n_samples):
    matches, residual = match_templates(np.zeros((n_samples, 4), "f4"), BANK, TERMS)
    assert found(matches) == []
    assert residual.shape == (n_samples, 4)


def test_no_templates_explain_nothing():
    bank = make_bank(sparse(TEMPLATES[:0]), N_BEFORE)
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 300, [(100, 0, 1)])
    matches, residual = match_templates(traces, bank, TERMS)
    assert found(matches) == []
    assert (residual == traces).all()


def test_copies_and_sums_are_redundant_the_smaller_first():
    total = TEMPLATES[0] + np.roll(TEMPLATES[1], 3, axis=0)
    templates = np.stack([TEMPLATES[0], TEMPLATES[1], 0.95 * TEMPLATES[0], total, TEMPLATES[2]])
    counts = np.array([100, 80, 20, 10, 5])
    gone = redundant(sparse(templates), make_bank(sparse(templates), N_BEFORE), counts, CONFIG)
    assert gone.tolist() == [False, False, True, True, False]


def test_one_of_two_equal_templates_stays():
    templates = np.stack([TEMPLATES[0], TEMPLATES[0]])
    bank = make_bank(sparse(templates), N_BEFORE)
    assert redundant(sparse(templates), bank, np.array([5, 9]), CONFIG).tolist() == [True, False]


@pytest.mark.parametrize(
    ("after_ms", "scaling", "seen"),
    [
        pytest.param(6, 0.5, True, id="soon after another"),
        pytest.param(25, 0.5, True, id="at any other time"),
        pytest.param(-6, 0.5, True, id="before it"),
        pytest.param(25, 0.25, False, id="too small for any"),
        pytest.param(4.5, 0.5, False, id="within the refractory period"),
        pytest.param(-4.5, 0.5, False, id="so that another one is within its own"),
    ],
)
def test_spikes_may_be_smaller_than_usual(after_ms, scaling, seen):
    other = 100 + round(after_ms * 10)
    matches, residual = peeled([(100, 0, 1), (other, 0, scaling)], constants={"REFRACTORY_MS": 5})
    assert found(matches) == [(t, 0) for t in sorted([100, other][: 1 + seen])]
    if seen:
        assert np.isclose(matches.scaling.min(), scaling, atol=0.05)
        assert np.abs(residual).max() < 1


def test_a_small_spike_must_stand_out_further_than_a_usual_one():
    high = 0.5 * float(np.sqrt((TEMPLATES[0].astype("f8") ** 2).sum()))
    small = [(60, 0, 0.5)]
    assert found(peeled(small, constants={"ATTENUATED_THRESHOLD": 0.9 * high})[0]) == [(60, 0)]
    assert found(peeled(small, constants={"ATTENUATED_THRESHOLD": 1.1 * high})[0]) == []


def test_a_small_spike_has_its_own_refractory_period():
    burst = [(60, 0, 1), (210, 0, 0.7), (360, 0, 0.5)]
    assert found(peeled(burst, n_samples=600)[0]) == [(t, u) for t, u, _ in burst]


def test_usual_spikes_come_before_small_ones():
    # At 0.65 of unit 0 the smaller copy explains all; it is not taken for a small one of unit 0.
    templates = np.stack([TEMPLATES[0], 0.65 * TEMPLATES[0]])
    traces = naive_matching.place(templates, N_BEFORE, 300, [(100, 1, 1)])
    assert found(match_templates(traces, make_bank(sparse(templates), N_BEFORE), TERMS)[0]) == [
        (100, 1)
    ]


def test_if_none_may_be_small_none_is():
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 400, [(60, 0, 1), (120, 0, 0.5)])
    matches, _ = match_templates(
        traces, BANK, fit_criteria(CONFIG, RATE_HZ, allow_attenuated=False)
    )
    assert found(matches) == [(60, 0)]


def test_in_coloured_noise_a_spike_must_stand_out_further():
    # Seven times a template of norm 1 has a gain of 49: beyond 6², not beyond 4² · 4.
    small = 7 * TEMPLATES[:1] / np.linalg.norm(TEMPLATES[0])
    traces = naive_matching.place(small, N_BEFORE, 300, [(150, 0, 1)])
    as_slow = np.zeros(TEMPLATES.shape[1])
    as_slow[0] = 4.0
    assert found(match_templates(traces, make_bank(sparse(small), N_BEFORE), TERMS)[0]) == [
        (150, 0)
    ]
    among_noise = make_bank(sparse(small), N_BEFORE, as_slow)
    assert found(match_templates(traces, among_noise, TERMS)[0]) == []
    lenient = fit_criteria(MatchConfig(min_snr=3), RATE_HZ)
    assert found(match_templates(traces, among_noise, lenient)[0]) == [(150, 0)]


def test_a_spike_is_not_given_away_while_its_own_template_waits():
    # The first reaches only channel 0, the last only channel 1; the middle one lies on both.
    shape = TEMPLATES[0, :, 0] / np.linalg.norm(TEMPLATES[0, :, 0])
    templates = np.zeros((3, len(shape), 2), "f4")
    templates[0, :, 0] = 40 * shape
    templates[1] = np.column_stack([16 * shape, 16 * shape])
    templates[2, :, 1] = 15 * shape
    spikes = [(150, 0, 1), (170, 1, 1)]
    traces = naive_matching.place(templates, N_BEFORE, 300, spikes)
    matches, residual = match_templates(traces, make_bank(sparse(templates), N_BEFORE), TERMS)
    assert found(matches) == [(150, 0), (170, 1)]
    assert np.abs(residual).max() < 1
