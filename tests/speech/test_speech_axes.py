"""Axes show where speakers differ; the fit keeps the sharpness that separates best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import synthetic_voices
from embersort.speech import axes as axes_module
from embersort.speech.axes import fit_to_clustering, speaker_axes
from embersort.speech.mixtures import Mixture
from embersort.speech.network import Network
from embersort.speech.weights import load_shipped

MIXTURES = [Mixture(references=synthetic_voices.two_voices(2.0), speakers=("low", "high"))]


@pytest.fixture(scope="module")
def shipped():
    return load_shipped()


def test_axes_find_the_direction_in_which_speakers_differ(monkeypatch, shipped):
    """Speakers differ along (1, 1), nuisance of ten times the size lies along (1, -1)."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    nuisance = rng.normal(0, 10, 4000)
    along = np.where(labels == 0, 1.0, -1.0) + rng.normal(0, 0.5, 4000)
    vectors = (along[:, None] * [1, 1] + nuisance[:, None] * [1, -1]) / np.sqrt(2)
    bins = (vectors, np.ones(4000), labels)
    monkeypatch.setattr(axes_module, "_labelled_bins", lambda trained, mixture: bins)
    network = Network(config=shipped.network.config.model_copy(update={"n_dims": 2}), weights={})
    axes = speaker_axes(replace(shipped, network=network), MIXTURES)
    projected = vectors @ axes
    # Between-speaker variance is 2 (two offsets of 1), within 0.25: a ratio of 8.
    assert np.std(projected[labels == 0, 0]) == pytest.approx(np.sqrt(8), rel=0.05)
    assert abs(np.corrcoef(projected[:, 0], along)[0, 1]) > 0.999
    assert np.std(projected[:, 1]) < 0.1


def test_the_fit_replaces_axes_and_sharpness_only(shipped, monkeypatch):
    def gain_db(candidate, mixtures):
        return -abs(candidate.network.sharpness - 11.0)

    monkeypatch.setattr(axes_module, "_mean_gain_db", gain_db)
    fitted = fit_to_clustering(shipped, MIXTURES)
    assert fitted.network.sharpness == 12.0
    assert fitted.spectrogram == shipped.spectrogram
    for name, value in shipped.network.weights.items():
        same = np.array_equal(fitted.network.weights[name], value)
        assert same == (name not in ("speaker_axes", "sharpness")) or name == "sharpness"
