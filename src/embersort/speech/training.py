"""Training of the bin-embedding network: mixtures made on the fly, speakers held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from embersort.config import Config
from embersort.speech.masks import active_bins, dominant_source
from embersort.speech.mixtures import Mixture, MixtureConfig, VoiceBank, draw_mixture
from embersort.speech.network import NetworkConfig
from embersort.speech.spectrogram import SpectrogramConfig, log_features, stft
from embersort.speech.torch_network import BinEmbedder
from embersort.training.loop import LoopConfig
from embersort.training.losses import affinity_loss


class SpeechTrainConfig(Config):
    """Everything that determines the weights, besides the voices."""

    spectrogram: SpectrogramConfig = SpectrogramConfig()
    network: NetworkConfig = NetworkConfig()
    mixture: MixtureConfig = MixtureConfig(speed_change=0.15)
    loop: LoopConfig = LoopConfig(n_steps=12000, evaluate_every=250, decay_share=0.4)
    segment_frames: int = Field(100, ge=16)
    """Frames that the network sees at a time; Hershey et al. 2016, section 3."""
    n_segments: int = Field(16, ge=1)
    """Segments a batch."""
    segments_per_set: int = Field(4, ge=1)
    """Segments of one mixture over which one loss runs in the second part of the training: a
    voice must embed alike in all of them."""
    sets_from: float = Field(0.3, ge=0, le=1)
    """Share of the steps after which sets of several segments begin; single ones before."""
    mask_weight: float = Field(1.0, ge=0)
    """Weight of the mask loss beside the affinity loss."""
    seed: int = Field(0, ge=0)
    """Seed of weights and mixtures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Segments of mixtures with their truth; one row of sets, each with its segments.

    Attributes
    ----------
    features : Tensor, shape (n_sets, n_segments, n_frames, n_frequencies)
    labels : Tensor, int64, same shape
        Loudest speaker of each bin.
    magnitude : Tensor, same shape
        Of the mixture; zero where it is silent.
    wanted : Tensor, shape (n_sets, n_speakers, n_segments, n_frames, n_frequencies)
        Magnitude of each speaker that is in phase with the mixture, between 0 and the mixture's.
    """

    features: Tensor
    labels: Tensor
    magnitude: Tensor
    wanted: Tensor


def batch_maker(bank: VoiceBank, config: SpeechTrainConfig) -> Callable[[int], Batch]:
    """Return the function from step to batch: every step has its own seed."""

    def batch_at(step: int) -> Batch:
        rng = np.random.default_rng([config.seed, step])
        several = step >= config.sets_from * config.loop.n_steps
        n_together = min(config.segments_per_set, config.n_segments) if several else 1
        n_sets = config.n_segments // n_together
        n_frames = n_together * config.segment_frames
        # The frames at both ends that lie half outside the mixture are cut off.
        n_samples = (n_frames + 3) * config.spectrogram.hop_samples
        rate_hz = config.spectrogram.sampling_rate_hz
        mixture_config = config.mixture.model_copy(update={"duration_s": n_samples / rate_hz})
        mixtures = [draw_mixture(bank, mixture_config, rate_hz, rng) for _ in range(n_sets)]
        return make_batch(mixtures, n_together, config)

    return batch_at


def make_batch(mixtures: list[Mixture], n_together: int, config: SpeechTrainConfig) -> Batch:
    """Return mixtures of one length, cut into ``n_together`` segments each, as a batch."""
    columns: dict[str, list[np.ndarray]] = {
        "features": [],
        "labels": [],
        "magnitude": [],
        "wanted": [],
    }
    shape = (n_together, config.segment_frames, config.network.n_frequencies)
    n_frames = n_together * config.segment_frames
    inner = np.s_[..., 3 : 3 + n_frames, 1:]
    for mixture in mixtures:
        whole = stft(mixture.signal, config.spectrogram)
        references = np.stack([stft(r, config.spectrogram) for r in mixture.references])[inner]
        spectrogram = whole[inner]
        magnitude = np.abs(spectrogram)
        columns["features"].append(log_features(whole, config.spectrogram)[inner].reshape(shape))
        columns["labels"].append(dominant_source(references).reshape(shape))
        loudness = magnitude * active_bins(spectrogram) / max(float(magnitude.mean()), 1e-12)
        columns["magnitude"].append(loudness.reshape(shape))
        in_phase = np.real(references * spectrogram.conj()) / np.maximum(magnitude, 1e-12) ** 2
        share = np.clip(in_phase, 0.0, 1.0) * loudness
        columns["wanted"].append(share.reshape(len(references), *shape))
    return Batch(**{name: torch.from_numpy(np.stack(rows)) for name, rows in columns.items()})


def loss_of(model: nn.Module, batch: Batch, mask_weight: float) -> Tensor:
    """Return the loss of a batch: affinity of the bins, and the masks that the centres give.

    The bins count by magnitude (Wang, Le Roux and Hershey 2018, "Alternative objective functions
    for deep clustering", section 2); silent ones not at all.
    """
    n_sets = len(batch.features)
    # The network alone in half precision: the loss is a difference of large sums.
    with torch.autocast("cpu", torch.bfloat16):
        embedding = model(batch.features.flatten(0, 1))
    embedding = embedding.reshape(n_sets, -1, embedding.shape[-1])
    labels, magnitude = batch.labels.flatten(1), batch.magnitude.flatten(1)
    affinity = affinity_loss(embedding, labels, weights=magnitude, class_balance=0.0)
    if mask_weight == 0:
        return affinity
    masks = masks_from_truth(embedding, labels, magnitude, model.log_sharpness.exp())
    wanted = batch.wanted.flatten(2).transpose(1, 2)
    error = (masks[..., : wanted.shape[-1]] * magnitude.unsqueeze(-1) - wanted).abs()
    return affinity + mask_weight * error.sum() / magnitude.sum()


def masks_from_truth(
    embedding: Tensor, labels: Tensor, magnitude: Tensor, sharpness: Tensor
) -> Tensor:
    """Return soft masks from the true speakers' centres; Chen, Luo and Mesgarani 2017, eq. 3–5.

    Parameters
    ----------
    embedding : Tensor, shape (n_sets, n_bins, n_dims)
    labels, magnitude : Tensor, shape (n_sets, n_bins)
    sharpness : Tensor, scalar
        Factor of the similarity in the softmax.

    Returns
    -------
    Tensor, shape (n_sets, n_bins, n_speakers)
    """
    one_hot = nn.functional.one_hot(labels).to(embedding.dtype)
    centres = (one_hot * magnitude.unsqueeze(-1)).transpose(1, 2) @ embedding
    centres = nn.functional.normalize(centres, dim=-1)
    return (sharpness * embedding @ centres.transpose(1, 2)).softmax(-1)


def set_feature_scale(model: BinEmbedder, batch_at: Callable[[int], Batch], n_batches: int) -> None:
    """Set the network's input mean (per frequency) and scale from some batches, in place."""
    features = torch.cat([batch_at(step).features.flatten(0, 2) for step in range(n_batches)])
    model.feature_mean.copy_(features.mean(0))
    model.feature_scale.copy_((features - features.mean(0)).square().mean().sqrt())
