import numpy as np
import pytest

import naive_matching
from embersort.config import MatchConfig
from embersort.matching.bank import make_bank
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.score import score_templates
from embersort.matching.single_fit import fit_criteria
from embersort.matching.upsample import N_SIDE, score_stride, upsample, whole_range
from embersort.templates.sparse import sparse

N_BEFORE = 15
RATE_HZ = 30_000.0
TEMPLATES = naive_matching.shapes()
BAND = 0.18
"""Cycles per sample: 5.4 kHz at 30 kHz."""


def banded(traces):
    """The traces without what lies above the band."""
    spectrum = np.fft.rfft(traces, axis=-1)
    spectrum[..., np.fft.rfftfreq(traces.shape[-1]) > BAND] = 0
    return np.fft.irfft(spectrum, traces.shape[-1], axis=-1).astype("f4")


@pytest.mark.parametrize(
    ("rate_hz", "high_hz", "stride"),
    [(30_000, 6000, 2), (32_000, 6000, 2), (24_000, 6000, 1), (20_000, 6000, 1), (20_000, 3000, 2)],
)
def test_half_of_the_samples_is_enough_where_the_band_is_narrow(rate_hz, high_hz, stride):
    assert score_stride(rate_hz, high_hz) == stride


@pytest.mark.parametrize("whole", [(12, 180), (13, 181), (30, 30), (31, 31)])
def test_what_lies_between_is_right_below_the_band(whole):
    t = np.arange(200)
    for cycles in (0.0, 0.03, 0.1, BAND):
        wave = np.cos(2 * np.pi * cycles * t + 1).astype("f4")
        known = np.stack([wave[::2], wave[::2]])
        filled = upsample(known, np.array([True, False]), 200, whole)
        inside = slice(whole[0], whole[1] + 1)
        assert np.abs(filled[0, inside] - wave[inside]).max() < 0.01
        assert not filled[0, whole[1] + 2 :].any()
        assert not filled[1].any()


@pytest.mark.parametrize("n_samples", [68, 400, 401, 5000])
@pytest.mark.parametrize(("n_before", "n_window"), [(15, 40), (16, 40), (15, 43), (16, 43)])
def test_scores_of_every_second_sample_are_those_of_all(n_samples, n_before, n_window):
    templates = naive_matching.shapes(n_window, n_before)
    rng = np.random.default_rng(0)
    traces = np.ascontiguousarray(banded(rng.normal(size=(4, n_samples))).T)
    bank = make_bank(sparse(templates), n_before, stride=2)
    first, last = whole_range(n_samples, bank)
    assert (first, last) == (n_before + 2 * N_SIDE, n_samples - n_window + n_before - 2 * N_SIDE)
    expected = naive_matching.score(traces, templates, n_before)[:, first : last + 1]
    scores = score_templates(traces, bank)[:, first : last + 1]
    spread = np.sqrt(bank.norm2).min()
    # The window's edges cut waves that end nowhere, and what they cut has all frequencies.
    assert np.abs(scores - expected).max() < 0.05 * spread
    assert np.sqrt(np.mean((scores - expected) ** 2)) < 0.02 * spread


def test_too_few_samples_have_no_scores():
    bank = make_bank(sparse(TEMPLATES), N_BEFORE, stride=2)
    for n_samples in (1, 39, 40, 63):
        assert not score_templates(np.ones((n_samples, 4), "f4"), bank).any()


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize(("first", "second", "lag"), [(0, 1, 3), (0, 1, 8), (1, 2, 12), (2, 0, 5)])
def test_overlapping_spikes_leave_next_to_nothing(start, first, second, lag):
    spikes = [(100 + start, first, 1), (100 + start + lag, second, 1), (250 + start, second, 1.2)]
    traces = naive_matching.place(TEMPLATES, N_BEFORE, 400, spikes)
    config = MatchConfig()
    matches, residual = match_templates(
        traces, make_bank(sparse(TEMPLATES), N_BEFORE, stride=2), fit_criteria(config, RATE_HZ)
    )
    found = zip(matches.sample_index.tolist(), matches.unit_index.tolist(), strict=True)
    assert list(found) == [(t, u) for t, u, _ in spikes]
    assert np.allclose(matches.scaling, [1, 1, 1.2], atol=0.02)
    assert np.abs(residual).max() < 0.02 * np.abs(TEMPLATES).max()
