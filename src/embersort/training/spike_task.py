"""The spike networks as a training task: one model, its loss, its held-out scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from embersort.clustering.neighbourhoods import split
from embersort.config import ClusterConfig, Config
from embersort.embedding.architecture import ContextConfig, EncoderConfig
from embersort.embedding.torch_context import ContextNetwork, EventTable, nearest_in_set
from embersort.embedding.torch_encoder import EncoderNetwork, EncoderOutput
from embersort.embedding.weights import Weights, save_weights
from embersort.evaluation.clustering import score_clustering
from embersort.training.event_sets import EventSet
from embersort.training.losses import affinity_loss, contrastive_loss, prototype_loss
from embersort.training.spike_batches import Batch, bucket_of, gather, local_events

HELD_OUT_RADIUS_UM = 50.0
MOST_HELD_OUT_EVENTS = 1500
"""Radius and events of one held-out neighbourhood."""


class LossConfig(Config):
    """What the spike networks are trained for, and how much each part weighs."""

    affinity: float = Field(1.0, ge=0)
    """Deep-clustering loss."""
    contrastive: float = Field(0.3, ge=0)
    """Supervised contrastive loss."""
    prototype: float = Field(0.0, ge=0)
    """Prototype loss."""
    temperature: float = Field(0.1, gt=0)
    """Of the last two."""
    context: float = Field(1.0, ge=0)
    """Of the same losses in context; 0 leaves the context network as it is."""
    class_balance: float = Field(0.5, ge=0, le=1)
    """1: every unit weighs the same, 0: every event does."""
    spike: float = Field(0.3, ge=0)
    """Cross-entropy of spike against noise."""
    collision: float = Field(0.1, ge=0)
    """Cross-entropy of one spike against several."""
    shift: float = Field(0.05, ge=0)
    """Error of the shift, in tenths of a millisecond."""
    position: float = Field(0.02, ge=0)
    """Error of the position, in tens of micrometres."""


class HandicapConfig(Config):
    """What is withheld from the context network in training, so that it leans on nothing alone."""

    untimed_share: float = Field(0.2, ge=0, le=1)
    """Share of the sets in which times are withheld."""
    dropped_share: float = Field(0.2, ge=0, le=1)
    """Share of the neighbours that are withheld."""
    wrong_share: float = Field(0.1, ge=0, le=1)
    """Share of the neighbours that are replaced by any other event of the set."""


class SpikeNetwork(nn.Module):
    """Encoder and context network, trained together."""

    def __init__(self, encoder: EncoderConfig, context: ContextConfig, seed: int) -> None:
        super().__init__()
        self.encoder = EncoderNetwork(encoder, seed)
        self.context = ContextNetwork(context, encoder.n_dims, seed + 1)

    def encode(self, batch: Batch) -> EncoderOutput:
        """Return what the encoder says of each event of a batch."""
        return self.encoder(batch.snippets, batch.positions_um, batch.channel_mask)

    def set_weights(self, weights: Weights, *, with_context: bool = True) -> None:
        """Take over the parameters of weights of the same sizes."""
        self.encoder.load_state_dict(_tensors(weights.encoder))
        if with_context:
            self.context.load_state_dict(_tensors(weights.context))

    def weights(self) -> Weights:
        """Return the parameters as arrays, for sorting."""
        return Weights(
            encoder_config=self.encoder.config,
            context_config=self.context.config,
            encoder=_arrays(self.encoder),
            context=_arrays(self.context),
        )


def event_table(encoded: EncoderOutput, batch: Batch) -> EventTable:
    """Return the events of a batch as the context network sees them."""
    # Absent events are put out of reach in time.
    time_s = torch.where(batch.event_mask, batch.time_s, torch.full_like(batch.time_s, 1e9))
    return EventTable(
        embedding=encoded.embedding,
        time_s=time_s,
        position_um=encoded.position_um.detach(),
        log_amplitude=encoded.log_amplitude.detach(),
    )


def spike_loss(
    model: nn.Module, batch: Batch, config: LossConfig, handicap: HandicapConfig
) -> Tensor:
    """Return the loss of both networks on a batch."""
    assert isinstance(model, SpikeNetwork)  # noqa: S101  for the type checker
    encoded = model.encode(batch)
    is_spike = batch.event_mask & (batch.label >= 0)
    loss = cluster_loss(encoded.embedding, batch.label, is_spike, config)
    loss = loss + _head_loss(encoded, batch, config)
    if not config.context:
        return loss
    table = event_table(encoded, batch)
    neighbours = handicapped(nearest_in_set(table, model.context.config), handicap)
    timed = (torch.rand(len(batch.label)) >= handicap.untimed_share).to(batch.label.device)
    in_context = model.context(table, neighbours, timed)
    return loss + config.context * cluster_loss(in_context, batch.label, is_spike, config)


def cluster_loss(embedding: Tensor, label: Tensor, mask: Tensor, config: LossConfig) -> Tensor:
    """Return how far the events that ``mask`` tells are from clusters of their labels."""
    loss = embedding.new_zeros(())
    if config.affinity:
        loss = loss + config.affinity * affinity_loss(
            embedding, label, mask=mask, class_balance=config.class_balance
        )
    if config.contrastive:
        loss = loss + config.contrastive * contrastive_loss(
            embedding, label, mask=mask, temperature=config.temperature
        )
    if config.prototype:
        loss = loss + config.prototype * prototype_loss(
            embedding, label, mask=mask, temperature=config.temperature
        )
    return loss


def _head_loss(encoded: EncoderOutput, batch: Batch, config: LossConfig) -> Tensor:
    is_event = batch.event_mask.float()
    is_spike = (batch.event_mask & (batch.label >= 0)).float()
    cross_entropy = nn.functional.binary_cross_entropy_with_logits
    spike = cross_entropy(encoded.spike_logit, is_spike, weight=is_event, reduction="sum")
    collision = cross_entropy(
        encoded.collision_logit, batch.collision.float(), weight=is_spike, reduction="sum"
    )
    distance = nn.functional.smooth_l1_loss
    shift = distance(encoded.shift_ms * 10, batch.shift_ms * 10, reduction="none") * is_spike
    position = distance(encoded.position_um / 10, batch.unit_position_um / 10, reduction="none")
    n_events, n_spikes = is_event.sum().clamp_min(1), is_spike.sum().clamp_min(1)
    return (
        config.spike * spike / n_events
        + config.collision * collision / n_spikes
        + config.shift * shift.sum() / n_spikes
        + config.position * (position.sum(-1) * is_spike).sum() / n_spikes
    )


def handicapped(neighbours: Tensor, config: HandicapConfig) -> Tensor:
    """Return neighbours of which some are withheld and some are other events of the set."""
    # Drawn on the CPU: the same numbers wherever the network is trained.
    wrong = torch.randint(neighbours.shape[1], neighbours.shape).to(neighbours.device)
    is_wrong = (torch.rand(neighbours.shape) < config.wrong_share).to(neighbours.device)
    is_dropped = (torch.rand(neighbours.shape) < config.dropped_share).to(neighbours.device)
    changed = torch.where((neighbours >= 0) & is_wrong, wrong, neighbours)
    return changed.masked_fill(is_dropped, -1)


@torch.no_grad()
def encode_set(
    model: SpikeNetwork, batch: Batch, *, context: ContextConfig | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the embeddings of a one-set batch, by the encoder alone and in context."""
    encoded = model.encode(batch)
    table = event_table(encoded, batch)
    neighbours = nearest_in_set(table, context or model.context.config)
    timed = torch.ones(1, dtype=torch.bool, device=neighbours.device)
    in_context = model.context(table, neighbours, timed)
    return encoded.embedding[0].cpu().numpy(), in_context[0].cpu().numpy()


def neighbourhood_batch(scene: EventSet, channel: int, radius_um: float, most: int) -> Batch:
    """Return the events near one channel, evenly thinned to at most ``most``, as a batch."""
    events = local_events(scene, channel, radius_um)
    if len(events) > most:
        events = events[np.linspace(0, len(events) - 1, most).round().astype(np.int64)]
    kept = np.ones(len(scene.positions_um), bool)
    drawn = gather(scene, events, bucket_of(scene), kept, scene.positions_um)
    return Batch(**{name: torch.from_numpy(value[None]) for name, value in drawn.items()})


def held_out_scores(
    model: nn.Module, batches: Sequence[Batch], cluster: ClusterConfig
) -> dict[str, float]:
    """Return mean scores over neighbourhoods of held-out scenes.

    Returns
    -------
    dict
        ``ari_encoder`` and ``ari_context``: adjusted Rand index after ISO-SPLIT; ``spike_auc``:
        area under the ROC curve of spike against noise.
    """
    assert isinstance(model, SpikeNetwork)  # noqa: S101  for the type checker
    scores: dict[str, list[float]] = {"ari_encoder": [], "ari_context": [], "spike_auc": []}
    for batch in batches:
        label = batch.label[0].cpu().numpy()
        alone, in_context = encode_set(model, batch)
        scores["ari_encoder"].append(adjusted_rand(alone, label, cluster))
        scores["ari_context"].append(adjusted_rand(in_context, label, cluster))
        logit = model.encode(batch).spike_logit[0].cpu().numpy()
        scores["spike_auc"].append(roc_area(logit, label >= 0))
    return {name: _mean_of_known(values) for name, values in scores.items()}


def _mean_of_known(values: list[float]) -> float:
    """Return the mean of the values that are not NaN; NaN where there are none."""
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else float("nan")


def adjusted_rand(
    features: NDArray[np.floating], label: NDArray[np.int64], cluster: ClusterConfig
) -> float:
    """Return the adjusted Rand index of ISO-SPLIT's clusters over the events that are spikes."""
    found = np.full(len(label), -1, np.int64)
    for index, members in enumerate(split([features], cluster)):
        found[members] = index
    return score_clustering(np.maximum(label, -1), found).adjusted_rand


def roc_area(score: NDArray[np.floating], is_positive: NDArray[np.bool_]) -> float:
    """Return the probability that a positive scores higher than a negative; NaN without either."""
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    rank = np.empty(len(score))
    rank[np.argsort(score, kind="stable")] = np.arange(1, len(score) + 1)
    total = rank[is_positive].sum() - n_positive * (n_positive + 1) / 2
    return float(total / (n_positive * n_negative))


def save_network(model: nn.Module, path: Path) -> str:
    """Write the weights of both networks; return the file's sha256."""
    assert isinstance(model, SpikeNetwork)  # noqa: S101  for the type checker
    return save_weights(model.weights(), path)


def _tensors(values: dict[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def _arrays(module: nn.Module) -> dict[str, NDArray[np.float32]]:
    return {
        name: value.detach().cpu().numpy().astype(np.float32)
        for name, value in module.named_parameters()
    }
