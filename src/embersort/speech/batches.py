"""Batches of segments with their truth, made on the fly from voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from embersort.config import Config
from embersort.speech.masks import active_bins, dominant_source
from embersort.speech.mixtures import Mixture, MixtureConfig, VoiceBank, draw_mixture
from embersort.speech.network import NetworkConfig
from embersort.speech.spectrogram import SpectrogramConfig, log_features, stft
from embersort.training.loop import LoopConfig

EDGE_FRAMES = 3
"""Frames at each end of a mixture whose window reaches beyond it."""


class SpeechTrainConfig(Config):
    """Everything that determines the weights, besides the voices."""

    spectrogram: SpectrogramConfig = SpectrogramConfig()
    network: NetworkConfig = NetworkConfig()
    mixture: MixtureConfig = MixtureConfig(speed_change=0.15)
    loop: LoopConfig = LoopConfig(n_steps=20_000)
    segment_frames: int = Field(100, ge=16)
    """Frames of a segment, over which one loss runs; Hershey et al. 2016, section 3."""
    late_segment_frames: int = Field(200, ge=16)
    """Frames of a segment in the second part of the training, where a voice must embed alike for
    longer; the curriculum of Isik et al. 2016."""
    late_from_step: int = Field(2000, ge=0)
    """Step at which the second part begins."""
    batch_frames: int = Field(800, ge=16)
    """Frames of all segments of a batch."""
    bin_share: float = Field(0.4, gt=0, le=1)
    """Share of the bins, the loudest, over which the loss runs; they hold nearly all energy."""
    mask_weight: float = Field(1.0, ge=0)
    """Weight of the mask loss beside the affinity loss."""
    n_held_out: int = Field(12, ge=1)
    """Mixtures of held-out speakers that are separated at each evaluation."""
    held_out_s: float = Field(5.0, gt=0)
    """Length of each of them."""
    seed: int = Field(0, ge=0)
    """Seed of weights and mixtures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Segments of mixtures, and the truth of their loudest bins.

    Attributes
    ----------
    features : Tensor, shape (n_segments, n_frames, n_frequencies)
    bins : Tensor, shape (n_segments, n_bins), int64
        Bins over which the loss runs, as positions in (n_frames, n_frequencies).
    labels : Tensor, shape (n_segments, n_bins), int64
        Loudest speaker of each bin.
    magnitude : Tensor, shape (n_segments, n_bins)
        Of the mixture; zero where it is silent.
    wanted : Tensor, shape (n_segments, n_bins, n_speakers)
        Magnitude of each speaker that is in phase with the mixture, between 0 and the mixture's.
    """

    features: Tensor
    bins: Tensor
    labels: Tensor
    magnitude: Tensor
    wanted: Tensor


def batch_maker(bank: VoiceBank, config: SpeechTrainConfig) -> Callable[[int], Batch]:
    """Return the function from step to batch: every step has its own seed."""

    def batch_at(step: int) -> Batch:
        rng = np.random.default_rng([config.seed, step])
        late = step >= config.late_from_step
        n_frames = config.late_segment_frames if late else config.segment_frames
        # The frames at both ends that lie half outside the mixture are cut off.
        n_samples = (n_frames + EDGE_FRAMES) * config.spectrogram.hop_samples
        rate_hz = config.spectrogram.sampling_rate_hz
        mixture_config = config.mixture.model_copy(update={"duration_s": n_samples / rate_hz})
        n_segments = max(1, config.batch_frames // n_frames)
        mixtures = [draw_mixture(bank, mixture_config, rate_hz, rng) for _ in range(n_segments)]
        return make_batch(mixtures, config)

    return batch_at


def make_batch(mixtures: list[Mixture], config: SpeechTrainConfig) -> Batch:
    """Return mixtures of one length as a batch, one segment each."""
    segments = [_make_segment(mixture, config) for mixture in mixtures]
    return Batch(
        **{name: torch.from_numpy(np.stack([s[name] for s in segments])) for name in segments[0]}
    )


def _make_segment(mixture: Mixture, config: SpeechTrainConfig) -> dict[str, NDArray[Any]]:
    """Return the features of a mixture and the truth of its loudest bins."""
    whole = stft(mixture.signal, config.spectrogram)
    inner = np.s_[..., EDGE_FRAMES:-EDGE_FRAMES, 1:]
    features = log_features(whole, config.spectrogram)[inner]
    spectrogram = whole[inner].reshape(-1)
    magnitude = np.abs(spectrogram)

    n_bins = round(config.bin_share * magnitude.size)
    bins = np.sort(np.argpartition(-magnitude, n_bins - 1)[:n_bins])
    spectrogram, magnitude = spectrogram[bins], magnitude[bins]
    references = np.stack(
        [stft(r, config.spectrogram)[inner].reshape(-1)[bins] for r in mixture.references]
    )
    loudness = magnitude * active_bins(spectrogram) / max(float(magnitude.mean()), 1e-12)
    in_phase = np.real(references * spectrogram.conj()) / np.maximum(magnitude, 1e-12) ** 2
    return {
        "features": features,
        "bins": bins,
        "labels": dominant_source(references),
        "magnitude": loudness,
        "wanted": (np.clip(in_phase, 0.0, 1.0) * loudness).T,
    }
