"""Floors for real voices of speakers that the network has never heard."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("soundfile")
pytest.importorskip("mir_eval")
from embersort.speech.evaluate import EvaluateConfig, evaluate
from embersort.speech.mixtures import MixtureConfig, read_bank
from embersort.speech.separate import SeparateConfig
from embersort.speech.voices import find_voices, voices_of
from embersort.speech.weights import load_shipped

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def bank(shared_data):
    return read_bank(voices_of(find_voices(shared_data / "speech"), "test"), 8000)


def gains_db(bank, n_speakers):
    config = EvaluateConfig(
        n_mixtures=12, mixture=MixtureConfig(n_speakers=n_speakers, duration_s=5.0)
    )
    methods = {
        "binary": SeparateConfig(n_speakers=n_speakers, mask="binary"),
        "soft": SeparateConfig(n_speakers=n_speakers),
    }
    rows = evaluate(bank, load_shipped(), config, methods)
    return {
        name: np.mean([row.si_sdr_improvement_db for row in rows if row.method == name])
        for name in ("oracle", "binary", "soft")
    }


def test_two_unseen_speakers(bank):
    gains = gains_db(bank, 2)
    assert gains["oracle"] > 11.0
    assert gains["soft"] > 6.0
    assert gains["soft"] > 0.5 * gains["oracle"]
    assert gains["soft"] > gains["binary"]


def test_three_speakers_with_the_network_trained_on_two(bank):
    assert gains_db(bank, 3)["soft"] > 3.0
