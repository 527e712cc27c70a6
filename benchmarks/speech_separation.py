"""Measure what context and association give in speech: the tables of docs/speech.md.

    python benchmarks/speech_separation.py VOICES [--mixtures 40] [--speakers 2 3]

Scores are SI-SDR gains over the mixture on speakers that were held out of the training.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embersort.speech.masks import (
    active_bins,
    apply_masks,
    binary_masks,
    dominant_source,
)
from embersort.speech.mixtures import Mixture, MixtureConfig, draw_mixture, read_bank
from embersort.speech.scores import si_sdr_gain_db
from embersort.speech.separate import SeparateConfig, block_embedder, separate
from embersort.speech.speakers import soft_masks, speaker_centres
from embersort.speech.spectrogram import stft
from embersort.speech.voices import find_voices, voices_of
from embersort.speech.weights import TrainedNetwork, load_shipped

CONTEXT_FRAMES = (16, 50, 100, 400)
SEED = 2026
DURATION_S = 6.0


def main() -> None:
    """Print one table of contexts and one of associations for each number of speakers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("voices", type=Path)
    parser.add_argument("--mixtures", type=int, default=40)
    parser.add_argument("--speakers", type=int, nargs="+", default=[2, 3])
    arguments = parser.parse_args()
    trained = load_shipped()
    rate_hz = trained.spectrogram.sampling_rate_hz
    bank = read_bank(voices_of(find_voices(arguments.voices), "test"), rate_hz)
    for n_speakers in arguments.speakers:
        rng = np.random.default_rng(SEED)
        config = MixtureConfig(n_speakers=n_speakers, duration_s=DURATION_S)
        mixtures = [draw_mixture(bank, config, rate_hz, rng) for _ in range(arguments.mixtures)]
        print(f"\n{n_speakers} speakers, {len(mixtures)} mixtures of {DURATION_S:g} s")
        print_gain("oracle: ideal binary masks", mixtures, lambda m: oracle(m, trained))
        for n_frames in CONTEXT_FRAMES:
            name = f"context of {n_frames} frames ({n_frames / 125:.2f} s), no margin"
            alone = SeparateConfig(n_speakers=n_speakers, block_frames=n_frames, margin_frames=0)
            print_gain(name, mixtures, lambda m, c=alone: estimates(m, trained, c))
        default = SeparateConfig(n_speakers=n_speakers)
        print_gain(
            "as shipped: 400 frames, margins of 48",
            mixtures,
            lambda m, c=default: estimates(m, trained, c),
        )
        print_gain(
            "the same, every 100 frames clustered alone, speakers in order of loudness",
            mixtures,
            lambda m, c=default: clustered_alone(m, trained, c, best_order=False),
        )
        print_gain(
            "the same, every 100 frames clustered alone, speakers put in order by the truth",
            mixtures,
            lambda m, c=default: clustered_alone(m, trained, c, best_order=True),
        )


def print_gain(
    name: str, mixtures: list[Mixture], estimate: Callable[[Mixture], np.ndarray]
) -> None:
    """Print mean and standard error of the gain of one way to separate."""
    gains = [si_sdr_gain_db(m.references, estimate(m), m.signal) for m in mixtures]
    error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    print(f"{np.mean(gains):7.2f} ± {error:.2f} dB  {name}", flush=True)


def oracle(mixture: Mixture, trained: TrainedNetwork) -> np.ndarray:
    """Return the estimates of the ideal binary masks."""
    grid = trained.spectrogram
    references = np.stack([stft(reference, grid) for reference in mixture.references])
    masks = binary_masks(dominant_source(references), len(references))
    return apply_masks(stft(mixture.signal, grid), masks, mixture.signal.size, grid)


def estimates(mixture: Mixture, trained: TrainedNetwork, config: SeparateConfig) -> np.ndarray:
    """Return the estimates of the whole recipe."""
    return separate(mixture.signal, trained.network, config, trained.spectrogram).estimates


def clustered_alone(
    mixture: Mixture, trained: TrainedNetwork, config: SeparateConfig, *, best_order: bool
) -> np.ndarray:
    """Return estimates where no stretch of 100 frames knows of any other.

    The embedding is the shipped one; only the clustering is cut up. With ``best_order`` the truth
    tells which cluster of a stretch is which speaker.
    """
    grid, n_speakers = trained.spectrogram, len(mixture.references)
    whole = stft(mixture.signal, grid)
    references = np.stack([stft(reference, grid) for reference in mixture.references])[..., 1:]
    embed_block, n_blocks = block_embedder(whole, trained.network, config, grid)
    embedding = np.concatenate([embed_block(block) for block in range(n_blocks)])
    active, magnitude = active_bins(whole)[:, 1:], np.abs(whole)[:, 1:]
    masks = np.full((n_speakers, *whole.shape), 1 / n_speakers, np.float32)
    for start in range(0, len(whole), 100):
        stretch = np.s_[start : start + 100]
        chosen = active[stretch]
        if chosen.sum() < 2 * n_speakers:
            continue
        vectors, weights = embedding[stretch][chosen], magnitude[stretch][chosen]
        rng = np.random.default_rng(0)
        centres = speaker_centres(vectors, weights, n_speakers, rng)
        found = soft_masks(embedding[stretch], centres, trained.network.sharpness)
        if best_order:
            found = found[true_order(found, references[:, stretch], magnitude[stretch])]
        masks[:, stretch, 1:] = found
    masks[:, :, 0] = masks[:, :, 1]
    return apply_masks(whole, masks, mixture.signal.size, grid)


def true_order(found: np.ndarray, references: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Return the order of masks that fits the references best."""
    from scipy.optimize import linear_sum_assignment

    error = [
        [np.square(mask * magnitude - np.abs(reference)).sum() for mask in found]
        for reference in references
    ]
    return linear_sum_assignment(error)[1]


if __name__ == "__main__":
    main()
