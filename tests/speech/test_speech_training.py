"""Batches say the truth, and a small network learns to separate from them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import synthetic_voices

torch = pytest.importorskip("torch")
from embersort.speech.batches import SpeechTrainConfig, batch_maker, make_batch  # noqa: E402
from embersort.speech.mixtures import Mixture  # noqa: E402
from embersort.speech.spectrogram import stft  # noqa: E402
from embersort.speech.training import masks_from_truth, train_network  # noqa: E402
from embersort.speech.weights import load_weights  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = SpeechTrainConfig.parse(
    {
        "network": {"channels": [16, 16], "n_dims": 8},
        "loop": {"n_steps": 12, "evaluate_every": 6, "warmup_steps": 2, "learning_rate": 5e-3},
        "batch_frames": 200,
        "segment_frames": 40,
        "late_segment_frames": 100,
        "late_from_step": 10,
        "n_held_out": 2,
        "held_out_s": 1.0,
    }
)


@pytest.fixture(scope="module")
def bank():
    return {
        str(pitch_hz): [synthetic_voices.harmonic_voice(pitch_hz, (600, 1400, 2500), pitch_hz, 2.0)]
        for pitch_hz in (95, 130, 180, 240)
    }


def test_batches_are_a_function_of_the_step_and_change_length(bank):
    batch_at = batch_maker(bank, SMALL)
    early, again, other, late = (batch_at(step) for step in (3, 3, 4, 10))
    assert early.features.shape == (5, 40, 128)
    assert late.features.shape == (2, 100, 128)
    assert early.bins.shape == (5, round(0.4 * 40 * 128))
    assert torch.equal(early.features, again.features)
    assert torch.equal(early.wanted, again.wanted)
    assert not torch.equal(early.features, other.features)


def voices_of_one_segment():
    """Two voices that both sound, as long as one segment of 40 frames."""
    level = np.abs(synthetic_voices.two_voices()).reshape(2, -1, 64).mean(axis=2)
    start = 64 * int(np.argmax(np.minimum(*level)))
    return synthetic_voices.two_voices()[:, start - 64 * 20 : start + 64 * 23]


def test_labels_magnitudes_and_wanted_are_those_of_the_references():
    voices = voices_of_one_segment()
    batch = make_batch([Mixture(references=voices, speakers=("a", "b"))], SMALL)
    spectrograms = np.stack([stft(voice) for voice in voices])[:, 3:-3, 1:]
    bins = batch.bins[0].numpy()
    chosen = spectrograms.reshape(2, -1)[:, bins]
    np.testing.assert_array_equal(batch.labels[0].numpy(), np.abs(chosen).argmax(axis=0))
    magnitude = np.abs(chosen.sum(axis=0))
    found = batch.magnitude[0].numpy()
    np.testing.assert_allclose(
        found[found > 0] / found.max(), (magnitude / magnitude.max())[found > 0], rtol=1e-4
    )
    everything = np.abs(spectrograms.sum(axis=0)).reshape(-1)
    assert magnitude.min() >= np.sort(everything)[-len(bins)] - 1e-9  # the loudest bins
    wanted = batch.wanted[0].numpy()
    assert (wanted >= 0).all()
    assert (wanted <= found[:, None] + 1e-6).all()
    alone = (np.abs(chosen[1]) < 1e-3 * np.abs(chosen[0])) & (found > 0)
    np.testing.assert_allclose(wanted[alone, 0], found[alone], rtol=5e-3)


def test_masks_from_truth_follow_the_true_centres():
    voices = voices_of_one_segment()
    batch = make_batch([Mixture(references=voices, speakers=("a", "b"))], SMALL)
    ideal = torch.nn.functional.one_hot(batch.labels, 2).float()
    masks = masks_from_truth(ideal, batch, torch.tensor(50.0))
    np.testing.assert_allclose(masks.numpy(), ideal.numpy(), atol=1e-6)


def test_a_small_network_learns_and_its_run_can_be_continued(bank, tmp_path):
    path = train_network(bank, bank, SMALL, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [6, 12]
    assert rows[-1]["loss"] < 0.9 * rows[0]["loss"]
    assert load_weights(path).network.config == SMALL.network
    more = SMALL.model_copy(update={"loop": SMALL.loop.model_copy(update={"n_steps": 13})})
    train_network(bank, bank, more, tmp_path)
    assert '"step": 13' in (tmp_path / "history.jsonl").read_text()
