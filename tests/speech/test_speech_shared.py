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
        n_mixtures=10, mixture=MixtureConfig(n_speakers=n_speakers, duration_s=5.0)
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


@pytest.fixture(scope="module")
def two_speakers(bank):
    return gains_db(bank, 2)


@pytest.fixture(scope="module")
def three_speakers(bank):
    return gains_db(bank, 3)


def test_two_unseen_speakers_come_apart(two_speakers):
    assert two_speakers["oracle"] > 11.0
    assert two_speakers["soft"] > 3.0
    assert two_speakers["soft"] > two_speakers["binary"]


def test_three_speakers_come_apart_with_the_network_trained_on_two(three_speakers):
    assert three_speakers["soft"] > 3.0


def test_target_of_two_speakers(two_speakers):
    """On these mixtures; over many more the share is less (benchmarks/studies/speech.md)."""
    assert two_speakers["soft"] > 6.0
    assert two_speakers["soft"] > 0.5 * two_speakers["oracle"]
