import dataclasses

import numpy as np
import pytest

import embersort.matching.bank
import naive_matching
from constants import changed
from embersort.matching.bank import EarlierBank, TemplateBank, make_bank, select
from embersort.matching.components import noise_variance
from embersort.matching.score import score_templates
from embersort.templates.sparse import sparse

N_BEFORE = 15


def whole(bank, unit, shift, n_channels):
    """The shifted template on all channels."""
    full = np.zeros((bank.n_window, n_channels))
    used = bank.channels[unit] >= 0
    full[:, bank.channels[unit][used]] = bank.shifted[unit, shift][:, used]
    return full


def test_the_middle_position_is_the_template_itself():
    templates = naive_matching.shapes()
    bank = make_bank(sparse(templates), N_BEFORE)
    assert np.allclose(bank.shift_samples, [-0.4, -0.2, 0, 0.2, 0.4])
    for unit in range(3):
        assert np.allclose(whole(bank, unit, 2, 4), templates[unit], atol=1e-5)


def test_a_shifted_template_is_the_template_at_another_time():
    t = np.arange(60.0)
    wave = np.exp(-0.5 * ((t - 25) / 4) ** 2)
    later = np.exp(-0.5 * ((t - 25.4) / 4) ** 2)
    bank = make_bank(sparse(wave[None, :, None].astype("f4")), 25)
    assert np.allclose(bank.shifted[0, 4, :, 0], later, atol=1e-4)


def test_channels_that_a_template_hardly_reaches_are_left_out_the_largest_come_first():
    templates = np.zeros((2, 20, 4), "f4")
    templates[0, 5] = [-1, -0.04, -2, 0]
    templates[1, 5] = [0, -3, 0, 0]
    bank = make_bank(sparse(templates), 5)
    assert bank.channels.tolist() == [[2, 0], [1, -1]]
    assert bank.near.tolist() == [[0], [1]]


def test_near_units_share_a_channel():
    templates = np.zeros((3, 20, 4), "f4")
    templates[0, 5, [0, 1]] = -5
    templates[1, 5, [3]] = -5
    templates[2, 5, [1, 2]] = -5
    assert make_bank(sparse(templates), 5).near.tolist() == [[0, 2], [1, -1], [2, 0]]


def test_overlap_is_the_score_that_a_spike_causes():
    templates = naive_matching.shapes()
    n_window = templates.shape[1]
    bank = make_bank(sparse(templates), N_BEFORE)
    for unit in range(3):
        for shift in (0, 2):
            traces = np.zeros((3 * n_window, 4), "f4")
            traces[n_window : 2 * n_window] = whole(bank, unit, shift, 4)
            expected = naive_matching.score(traces, templates, 0)
            for k, other in enumerate(bank.near[unit]):
                lags = expected[other, 1 : 2 * n_window]
                assert np.allclose(bank.overlap_of(unit)[shift, k], lags, atol=0.05)
                assert np.isclose(bank.strongest_of(unit)[shift, k], np.abs(lags).max(), atol=0.05)


@pytest.mark.parametrize("n_samples", [40, 41, 700, 2048 + 40, 5000])
def test_scores_equal_their_twin(n_samples):
    # Windows of 40 samples are five passes of eight lags, windows of 43 have three lags left over.
    for n_window in (40, 43):
        templates = naive_matching.shapes(n_window=n_window)
        traces = np.random.default_rng(1).normal(size=(n_samples, 4)).astype("f4")
        bank = make_bank(sparse(templates), N_BEFORE)
        expected = naive_matching.score(traces, templates, N_BEFORE)
        assert np.allclose(score_templates(traces, bank), expected, atol=2e-3)


def test_scores_of_few_components_are_those_of_the_nearest_separable_template():
    rng = np.random.default_rng(0)
    templates = rng.normal(size=(1, 30, 4)).astype("f4")
    u, s, vt = np.linalg.svd(templates[0].astype("f8"), full_matrices=False)
    near = ((u[:, :2] * s[:2]) @ vt[:2])[None]
    traces = rng.normal(size=(200, 4)).astype("f4")
    with changed(embersort.matching.bank, RANK=2):
        bank = make_bank(sparse(templates), 10)
    assert np.allclose(
        score_templates(traces, bank), naive_matching.score(traces, near, 10), atol=1e-3
    )
    assert np.isclose(bank.norm2[0], (near**2).sum())


@pytest.mark.parametrize("wanted", [[1, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 1]])
def test_a_selected_bank_is_that_of_the_templates_alone(wanted):
    templates, wanted = naive_matching.shapes(), np.array(wanted, bool)
    # The first and third share a channel, the second is near neither.
    templates[0][:, 2:] = 0
    templates[1][:, [0, 1, 3]] = 0
    templates[2][:, 1:3] = 0
    part = select(make_bank(sparse(templates), N_BEFORE), wanted)
    alone = make_bank(sparse(templates[wanted]), N_BEFORE)
    n_support = alone.channels.shape[1]
    assert (part.channels[:, :n_support] == alone.channels).all()
    assert (part.channels[:, n_support:] == -1).all()
    assert (part.shifted[..., :n_support] == alone.shifted).all()
    for name in ("spatial", "temporal", "norm2", "near", "pair_start", "overlap", "strongest"):
        assert np.array_equal(getattr(part, name), getattr(alone, name)), name


NEW = -1


@pytest.mark.parametrize("row", [[0, 1, 2], [2, NEW, 1], [NEW, 0, NEW], [NEW, NEW, NEW]])
def test_a_bank_has_the_same_bits_whatever_was_carried(row):
    earlier = naive_matching.shapes()
    # The first and second share no channel with each other, the third one with both.
    earlier[0][:, 2:] = 0
    earlier[1][:, :2] = 0
    row = np.array(row)
    templates = np.where((row == NEW)[:, None, None], 0.7 * earlier[::-1], earlier[row])
    earlier = EarlierBank(bank=make_bank(sparse(earlier), N_BEFORE), row=row)
    part = make_bank(sparse(templates), N_BEFORE, earlier=earlier)
    alone = make_bank(sparse(templates), N_BEFORE)
    for field in dataclasses.fields(TemplateBank):
        name = field.name
        assert np.array_equal(getattr(part, name), getattr(alone, name)), name


def test_of_a_narrower_bank_and_of_none_nothing_is_carried():
    templates = naive_matching.shapes()
    alone = make_bank(sparse(templates), N_BEFORE)
    for earlier in (templates[:0], templates * [1, 1, 0, 0]):
        bank = make_bank(sparse(earlier), N_BEFORE)
        earlier = EarlierBank(bank=bank, row=np.array([0, NEW, NEW]))
        part = make_bank(sparse(templates), N_BEFORE, earlier=earlier)
        assert np.array_equal(part.shifted, alone.shifted)
        assert np.array_equal(part.overlap, alone.overlap)


def test_no_units_and_too_few_samples():
    nothing = make_bank(sparse(np.zeros((0, 40, 4), "f4")), N_BEFORE)
    assert nothing.n_units == 0
    bank = make_bank(sparse(naive_matching.shapes()), N_BEFORE)
    assert (score_templates(np.ones((39, 4), "f4"), bank) == 0).all()


def test_noise_in_the_match_is_what_filtered_noise_has():
    rng = np.random.default_rng(0)
    templates = rng.normal(size=(2, 12, 3))
    templates[1] = np.ones((12, 1))
    white = rng.normal(size=(200_000, 3))
    noise = (white[1:] + white[:-1]) / np.sqrt(2)
    found = noise_variance(templates, np.array([1.0, 0.5]))
    for template, variance in zip(templates, found, strict=True):
        unit = template / np.linalg.norm(template)
        match = sum(np.correlate(noise[:, c], unit[:, c], "valid") for c in range(3))
        assert match.var() == pytest.approx(variance, rel=0.03)
    assert found[1] == pytest.approx(1 + 11 / 12)
    np.testing.assert_allclose(noise_variance(templates, np.ones(1)), 1)


def test_no_template_has_no_noise():
    assert noise_variance(np.zeros((0, 12, 3)), np.array([1.0, 0.5])).shape == (0,)
    assert noise_variance(np.zeros((1, 12, 3)), np.array([1.0, 0.5])).tolist() == [0.0]
