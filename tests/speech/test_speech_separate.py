"""Separation end to end, with the shipped weights, on voices made of harmonics."""

from __future__ import annotations

import numpy as np
import pytest

import synthetic_voices
from embersort.errors import BadConfig, BadInput
from embersort.speech import separate as separate_module
from embersort.speech.scores import si_sdr_gain_db
from embersort.speech.separate import SeparateConfig, block_embedder, separate
from embersort.speech.spectrogram import stft
from embersort.speech.weights import load_shipped

VOICES = synthetic_voices.two_voices()
MIXTURE = VOICES.sum(axis=0)
TWO = SeparateConfig(n_speakers=2)


@pytest.fixture(scope="module")
def network():
    return load_shipped().network


def test_two_harmonic_voices_come_apart_and_sum_to_the_mixture(network):
    separation = separate(MIXTURE, network, TWO)
    assert separation.estimates.shape == VOICES.shape
    assert si_sdr_gain_db(VOICES, separation.estimates, MIXTURE) > 6.0
    np.testing.assert_allclose(separation.estimates.sum(axis=0), MIXTURE, atol=1e-5)
    np.testing.assert_allclose(separation.masks.sum(axis=0), 1, atol=1e-5)


def test_soft_masks_improve_on_binary_ones(network):
    soft = separate(MIXTURE, network, TWO)
    binary = separate(MIXTURE, network, SeparateConfig(n_speakers=2, mask="binary"))
    assert set(np.unique(binary.masks)) == {0.0, 1.0}
    assert si_sdr_gain_db(VOICES, soft.estimates, MIXTURE) > si_sdr_gain_db(
        VOICES, binary.estimates, MIXTURE
    )


def test_the_same_bits_on_every_run_and_the_gain_does_not_matter(network):
    first = separate(MIXTURE, network, TWO)
    second = separate(MIXTURE, network, TWO)
    np.testing.assert_array_equal(first.estimates, second.estimates)
    quiet = separate(MIXTURE * np.float32(0.01), network, TWO)
    np.testing.assert_allclose(quiet.estimates * 100, first.estimates, atol=2e-3)


def test_a_speaker_keeps_its_place_from_block_to_block(network):
    longer = synthetic_voices.two_voices(duration_s=9.0)
    signal = longer.sum(axis=0)
    blocks = SeparateConfig(n_speakers=2, block_frames=96, margin_frames=48)
    separation = separate(signal, network, blocks)
    halves = np.s_[:, : signal.size // 2], np.s_[:, signal.size // 2 :]
    orders = [
        np.corrcoef(longer[half], separation.estimates[half])[:2, 2:].argmax(axis=1).tolist()
        for half in halves
    ]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == [0, 1]


def test_blocks_with_margins_see_nearly_what_one_block_sees(network):
    mixture = stft(MIXTURE)
    whole, n_whole = block_embedder(mixture, network, SeparateConfig(block_frames=2000))
    cut, n_cut = block_embedder(mixture, network, SeparateConfig(block_frames=160))
    assert n_whole == 1
    joined = np.concatenate([cut(block) for block in range(n_cut)])
    assert joined.shape == whole(0).shape
    similarity = (joined * whole(0)).sum(axis=2)
    assert similarity[: 160 + 1].mean() > 0.97


def test_a_long_recording_is_clustered_by_part_of_its_bins(network, monkeypatch):
    whole = separate(MIXTURE, network, TWO)
    monkeypatch.setattr(separate_module, "MAX_CLUSTERED_BINS", 5000)
    thinned = separate(MIXTURE, network, TWO)
    np.testing.assert_allclose(thinned.centres, whole.centres, atol=0.1)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (np.zeros(8000, np.float32), "silent from beginning to end"),
        (np.ones(1, np.float32), "has 1 samples at 8000 Hz, shorter than one window of 256"),
        (np.zeros(0, np.float32), "has 0 samples"),
    ],
)
def test_what_cannot_be_separated_is_one_clear_error(network, signal, message):
    with pytest.raises(BadInput, match=message):
        separate(signal, network, TWO)


def test_an_impossible_number_of_speakers_is_refused():
    with pytest.raises(BadConfig, match="'n_speakers' is 50"):
        SeparateConfig.parse({"n_speakers": 50}, "--speakers")
