"""The fit keeps the sharpness that separates best."""

from __future__ import annotations

import numpy as np

from embersort.speech import sharpness as sharpness_module
from embersort.speech.sharpness import fit_sharpness
from embersort.speech.weights import load_shipped


def test_the_fit_replaces_the_sharpness_only(monkeypatch):
    def gain_db(candidate, mixtures):
        return -abs(candidate.network.sharpness - 11.0)

    monkeypatch.setattr(sharpness_module, "_mean_gain_db", gain_db)
    shipped = load_shipped()
    fitted = fit_sharpness(shipped, [])
    assert fitted.network.sharpness == 12.0
    assert fitted.spectrogram == shipped.spectrogram
    for name, value in shipped.network.weights.items():
        assert name == "sharpness" or np.array_equal(fitted.network.weights[name], value)
