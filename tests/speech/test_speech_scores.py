"""Scores: exact on constructed distortions, equal to the definition, blind to order and gain."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.speech.scores import score_separation, si_sdr_db, si_sdr_gain_db


def orthogonal_signals(n):
    """Zero-mean signals of unit norm, at right angles."""
    time = np.arange(4000)
    rows = [np.sin(2 * np.pi * (k + 3) * time / 4000) for k in range(n)]
    return np.stack([row / np.linalg.norm(row) for row in rows])


@pytest.mark.parametrize("ratio_db", [-5.0, 0.0, 12.0])
def test_si_sdr_is_the_ratio_that_was_put_in_whatever_gain_and_offset(ratio_db):
    wanted, distortion = orthogonal_signals(2)
    estimate = wanted + distortion * 10 ** (-ratio_db / 20)
    assert si_sdr_db(wanted, estimate) == pytest.approx(ratio_db, abs=1e-9)
    assert si_sdr_db(wanted * 7, 3 - 0.2 * estimate) == pytest.approx(ratio_db, abs=1e-9)


def test_estimates_are_put_in_the_order_of_the_references():
    pytest.importorskip("mir_eval")
    rng = np.random.default_rng(0)
    references = rng.normal(size=(3, 4000))
    mixture = references.sum(axis=0)
    estimates = references[[2, 0, 1]] + 0.1 * rng.normal(size=(3, 4000))
    scores = score_separation(references, estimates, mixture)
    assert scores.estimate_index == (1, 2, 0)
    np.testing.assert_allclose(scores.si_sdr_db, 20, atol=0.5)
    np.testing.assert_allclose(scores.mixture_si_sdr_db, -3, atol=0.5)
    expected = (scores.si_sdr_db - scores.mixture_si_sdr_db).mean()
    assert scores.si_sdr_improvement_db == pytest.approx(expected)
    assert si_sdr_gain_db(references, estimates, mixture) == pytest.approx(expected)


def test_sdr_forgives_a_short_filter_and_si_sdr_does_not():
    pytest.importorskip("mir_eval")
    rng = np.random.default_rng(0)
    references = rng.normal(size=(2, 6000))
    delayed = np.roll(references, 5, axis=1)
    scores = score_separation(references, delayed, references.sum(axis=0))
    assert (scores.sdr_db > 20).all()
    assert (scores.si_sdr_db < -10).all()


def test_what_cannot_be_scored_is_named():
    good = np.random.default_rng(0).normal(size=(2, 100))
    with pytest.raises(BadInput, match=r"references have shape \(2, 100\), estimates \(1, 100\)"):
        si_sdr_gain_db(good, good[:1], good[0])
    with pytest.raises(BadInput, match=r"the mixture has shape \(99,\)"):
        si_sdr_gain_db(good, good, good[0, :99])
    with pytest.raises(BadInput, match="estimate 1 is silent"):
        si_sdr_gain_db(good, good * [[1], [0]], good[0])
