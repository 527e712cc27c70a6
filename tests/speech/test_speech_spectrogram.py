"""The spectrogram is exactly invertible, and its features do not know the gain."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.errors import BadConfig
from embersort.speech.masks import active_bins, apply_masks, binary_masks, dominant_source
from embersort.speech.spectrogram import SpectrogramConfig, istft, log_features, n_frames_of, stft


@pytest.mark.parametrize("n_samples", [1, 63, 64, 65, 256, 8001])
def test_inverse_is_exact_for_any_length(n_samples):
    signal = np.random.default_rng(n_samples).normal(size=n_samples).astype(np.float32)
    spectrogram = stft(signal)
    assert spectrogram.shape == (n_frames_of(n_samples), 129)
    assert spectrogram.dtype == np.complex64
    np.testing.assert_allclose(istft(spectrogram, n_samples), signal, atol=2e-6)


def test_a_tone_lies_in_its_bin():
    time_s = np.arange(8000) / 8000
    spectrogram = stft(np.sin(2 * np.pi * 1000 * time_s).astype(np.float32))
    assert (np.abs(spectrogram[5:-5]).argmax(axis=1) == 1000 // (8000 // 256)).all()


def test_masks_that_sum_to_one_give_the_mixture_back():
    rng = np.random.default_rng(0)
    signal = rng.normal(size=3000).astype(np.float32)
    spectrogram = stft(signal)
    share = rng.random(spectrogram.shape).astype(np.float32)
    parts = apply_masks(spectrogram, np.stack([share, 1 - share]), len(signal))
    np.testing.assert_allclose(parts.sum(axis=0), signal, atol=3e-6)


def test_features_do_not_depend_on_the_gain_and_are_floored():
    signal = np.random.default_rng(0).normal(size=4000).astype(np.float32)
    signal[1000:2000] = 0
    features = log_features(stft(signal))
    np.testing.assert_allclose(log_features(stft(signal * np.float32(1e-3))), features, atol=1e-4)
    assert features.min() == pytest.approx(-4.0)
    assert (log_features(np.zeros((2, 129), np.complex64)) == np.float32(-4.0)).all()


def test_windows_that_do_not_add_up_are_refused():
    with pytest.raises(BadConfig, match="4 times hop_samples"):
        SpectrogramConfig.parse({"window_samples": 256, "hop_samples": 100})


def test_ideal_labels_and_silence_by_hand():
    references = np.array([[[1, 0.5, 0]], [[0.2, -2j, 0]]], np.complex64)
    labels = dominant_source(references)
    assert labels.tolist() == [[0, 1, 0]]
    assert binary_masks(labels, 2).tolist() == [[[1, 0, 1]], [[0, 1, 0]]]
    mixture = np.array([[10, 0.11, 0.09, 0]], np.complex64)
    assert active_bins(mixture).tolist() == [[True, True, False, False]]
    assert not active_bins(np.zeros((3, 4), np.complex64)).any()
