import numpy as np
import pytest

from embersort.templates.similarity import (
    cosine,
    cosines_at_lags,
    peak_cosine_matrix,
    similarity_matrix,
)

WAVES = np.random.default_rng(0).normal(size=(3, 8, 2))


def test_a_template_is_like_itself_at_any_height_unless_height_counts():
    assert cosine(WAVES[0], 3 * WAVES[0]) == pytest.approx(1)
    assert cosine(WAVES[0], -WAVES[0]) == pytest.approx(-1)
    alike = similarity_matrix(np.stack([WAVES[0], 3 * WAVES[0]]))
    np.testing.assert_allclose(alike, [[1, 0.6], [0.6, 1]])


def test_cosines_at_lags_are_those_of_moved_copies():
    a, b = WAVES[:2]
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    for lag, found in zip(range(-3, 4), cosines_at_lags(a, b, 3), strict=True):
        moved = np.zeros_like(b)
        moved[max(-lag, 0) : 8 - max(lag, 0)] = b[max(lag, 0) : 8 + min(lag, 0)]
        assert found == pytest.approx((a * moved).sum() / norm)
    assert cosines_at_lags(a, b, 3)[3] == pytest.approx(cosine(a, b))


def test_what_is_empty_is_like_nothing():
    assert cosine(WAVES[0], 0 * WAVES[0]) == 0
    assert (cosines_at_lags(WAVES[0], 0 * WAVES[0], 2) == 0).all()


def test_peak_waveforms_are_compared_at_the_best_lag():
    waves = np.stack([WAVES[0, :, 0], np.roll(WAVES[0, :, 0], 2), WAVES[1, :, 0]])
    alike = peak_cosine_matrix(waves, 2)
    assert alike[0, 1] == pytest.approx(1)
    assert alike[0, 2] < 0.99
    assert peak_cosine_matrix(waves, 1)[0, 1] < 0.99
