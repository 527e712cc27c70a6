"""Training of the bin-embedding network: loss, held-out score, and the run from voices to weights.

The loop itself is `embersort.training.loop`, the same as for spikes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from embersort.speech.batches import Batch, SpeechTrainConfig, batch_maker
from embersort.speech.mixtures import Mixture, VoiceBank, draw_mixture
from embersort.speech.network import Network
from embersort.speech.scores import si_sdr_gain_db
from embersort.speech.separate import SeparateConfig, separate
from embersort.speech.sharpness import fit_sharpness
from embersort.speech.torch_network import BinEmbedder, export_weights
from embersort.speech.weights import SHIPPED_NAME, TrainedNetwork, save_weights
from embersort.training.checkpoint import load_checkpoint
from embersort.training.loop import BEST_NAME, train
from embersort.training.losses import affinity_loss

N_SCALE_BATCHES = 20
"""Batches from which the mean and scale of the features are taken."""

N_FITTED_MIXTURES = 12
"""Mixtures to which the sharpness of masks is fitted; the gain changes slowly with it."""

SCORE_NAME = "si_sdr_gain_db"
"""The held-out score by which the weights that are kept are chosen."""


def loss_of(model: BinEmbedder, batch: Batch, mask_weight: float) -> Tensor:
    """Return the loss of a batch: affinity of the bins, and the masks that the centres give.

    The bins count by magnitude (Wang, Le Roux and Hershey 2018, "Alternative objective functions
    for deep clustering", section 2); silent ones not at all.
    """
    # The network alone in half precision: the loss is a difference of large sums.
    with torch.autocast("cpu", torch.bfloat16):
        vectors = model.vectors(batch.features)
    where = batch.bins.unsqueeze(-1).expand(-1, -1, vectors.shape[-1])
    chosen = vectors.flatten(1, 2).gather(1, where)
    embedding = nn.functional.normalize(chosen.float(), dim=-1)
    affinity = affinity_loss(embedding, batch.labels, weights=batch.magnitude, class_balance=0.0)
    if mask_weight == 0:
        return affinity
    masks = masks_from_truth(embedding, batch, model.log_sharpness.exp())
    error = (masks * batch.magnitude.unsqueeze(-1) - batch.wanted).abs()
    return affinity + mask_weight * error.sum() / batch.magnitude.sum()


def masks_from_truth(embedding: Tensor, batch: Batch, sharpness: Tensor) -> Tensor:
    """Return soft masks from the true speakers' centres; Chen, Luo and Mesgarani 2017, eq. 3–5.

    Parameters
    ----------
    embedding : Tensor, shape (n_segments, n_bins, n_dims)
    batch : Batch
    sharpness : Tensor, scalar
        Factor of the similarity in the softmax.

    Returns
    -------
    Tensor, shape (n_segments, n_bins, n_speakers)
    """
    member = nn.functional.one_hot(batch.labels, batch.wanted.shape[-1]).to(embedding.dtype)
    centres = (member * batch.magnitude.unsqueeze(-1)).transpose(1, 2) @ embedding
    centres = nn.functional.normalize(centres, dim=-1)
    return (sharpness * embedding @ centres.transpose(1, 2)).softmax(-1)


def set_feature_scale(model: BinEmbedder, batches: list[Batch]) -> None:
    """Set the network's input mean (per frequency) and scale from some batches, in place."""
    features = torch.cat([batch.features.flatten(0, 1) for batch in batches])
    model.feature_mean.copy_(features.mean(0))
    model.feature_scale.copy_((features - features.mean(0)).square().mean().sqrt())


def train_network(
    bank: VoiceBank, held_out: VoiceBank, config: SpeechTrainConfig, folder: Path
) -> Path:
    """Train the network, going on from the folder's checkpoint, and write its weights.

    Parameters
    ----------
    bank, held_out : dict of str to list of ndarray
        Voices to learn from, and voices of other speakers to score on as it learns.
    config : SpeechTrainConfig
    folder : Path
        Gets what the training loop writes, ``recipe.json`` and ``voices.safetensors``, the weights
        of the evaluation with the highest SI-SDR gain.

    Returns
    -------
    Path
        Of the weights.
    """
    batch_at = batch_maker(bank, config)
    torch.manual_seed(config.seed)
    model = BinEmbedder(config.network)
    set_feature_scale(model, [batch_at(step) for step in range(N_SCALE_BATCHES)])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(config.model_dump_json(indent=2), encoding="utf-8")
    train(
        model,
        batch_at,
        lambda network, batch: loss_of(network, batch, config.mask_weight),
        separation_score(held_out, config),
        config.loop,
        folder,
        keep_best=SCORE_NAME,
    )
    load_checkpoint(folder / BEST_NAME).load_into(model)
    rng = np.random.default_rng([config.seed, 1])
    mixtures = _draw_mixtures(bank, config, N_FITTED_MIXTURES, rng)
    path = folder / SHIPPED_NAME
    save_weights(fit_sharpness(trained_network(model, config), mixtures), path)
    return path


def separation_score(
    held_out: VoiceBank, config: SpeechTrainConfig
) -> Callable[[BinEmbedder], dict[str, float]]:
    """Return the evaluation of a network: its SI-SDR gain on mixtures of held-out voices.

    The whole recipe is scored as it runs without PyTorch: global clustering, masks, inversion.
    """
    rng = np.random.default_rng([config.seed, 0])
    mixtures = _draw_mixtures(held_out, config, config.n_held_out, rng)
    separate_config = SeparateConfig(n_speakers=config.mixture.n_speakers)

    def score(model: BinEmbedder) -> dict[str, float]:
        trained = trained_network(model, config)
        gains = []
        for mixture in mixtures:
            separation = separate(
                mixture.signal, trained.network, separate_config, trained.spectrogram
            )
            gains.append(si_sdr_gain_db(mixture.references, separation.estimates, mixture.signal))
        return {SCORE_NAME: float(np.mean(gains))}

    return score


def _draw_mixtures(
    bank: VoiceBank, config: SpeechTrainConfig, n_mixtures: int, rng: np.random.Generator
) -> list[Mixture]:
    """Return mixtures as the network will meet them: longer than a segment, at natural speed."""
    mixture_config = config.mixture.model_copy(
        update={"duration_s": config.held_out_s, "speed_change": 0.0}
    )
    rate_hz = config.spectrogram.sampling_rate_hz
    return [draw_mixture(bank, mixture_config, rate_hz, rng) for _ in range(n_mixtures)]


def trained_network(model: BinEmbedder, config: SpeechTrainConfig) -> TrainedNetwork:
    """Return a PyTorch network as it runs without PyTorch."""
    network = Network(config=config.network, weights=export_weights(model))
    return TrainedNetwork(network=network, spectrogram=config.spectrogram)
