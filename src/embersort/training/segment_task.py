"""The segment network as a training task: its loss and its held-out scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from embersort.config import ClusterConfig, Config
from embersort.training.losses import affinity_loss, contrastive_loss
from embersort.training.segment_batches import SegmentBatch
from embersort.training.segment_network import SegmentNetwork
from embersort.training.spike_task import adjusted_rand
from embersort.types import UNASSIGNED


class SegmentLossConfig(Config):
    """What the segment network is trained for, and how much each part weighs."""

    bins: float = Field(1.0, ge=0)
    """Deep-clustering loss over all bins of a set."""
    whole: float = Field(0.5, ge=0)
    """Deep-clustering loss over the segments of a set."""
    contrastive: float = Field(0.15, ge=0)
    """Supervised contrastive loss over the segments of a set."""
    temperature: float = Field(0.1, gt=0)
    """Of the contrastive loss."""
    class_balance: float = Field(0.5, ge=0, le=1)
    """1: every unit weighs the same, 0: every bin does."""
    most_weight: float = Field(4.0, ge=0)
    """A bin weighs as its height in units of noise, but no more than this; background weighs 1."""
    anchor: float = Field(0.2, gt=0)
    """Weight of the fixed point of the background, as a share of the weight of its bins."""


def segment_loss(model: nn.Module, batch: SegmentBatch, config: SegmentLossConfig) -> Tensor:
    """Return the loss of a batch.

    Notes
    -----
    The background is a class like any other, with one more member that cannot move: the unit vector
    along the last dimension. So its bins gather there, and are known in any recording.
    """
    bins, whole = _embed(model, batch)
    loss = config.bins * _bin_loss(bins, batch, config)
    mask = batch.event_label >= 0
    loss = loss + config.whole * affinity_loss(
        whole, batch.event_label, mask=mask, class_balance=config.class_balance
    )
    return loss + config.contrastive * contrastive_loss(
        whole, batch.event_label, mask=mask, temperature=config.temperature
    )


def _bin_loss(bins: Tensor, batch: SegmentBatch, config: SegmentLossConfig) -> Tensor:
    n_sets, n_dims = len(bins), bins.shape[-1]
    label = batch.bin_label.flatten(1)
    height = batch.bin_height.flatten(1).clamp(1.0, config.most_weight)
    alive = batch.mask.unsqueeze(-1).expand(batch.bin_label.shape).flatten(1)
    is_background = label == UNASSIGNED
    weight = torch.where(is_background, torch.ones_like(height), height) * alive
    anchor = bins.new_zeros(n_sets, 1, n_dims)
    anchor[..., -1] = 1
    anchor_weight = config.anchor * (weight * is_background).sum(-1, keepdim=True)
    return affinity_loss(
        torch.cat([bins.flatten(1, -2), anchor], 1),
        torch.cat([label, torch.full_like(label[:, :1], UNASSIGNED)], 1),
        weights=torch.cat([weight, anchor_weight], 1),
        class_balance=config.class_balance,
    )


def held_out_segment_scores(
    model: nn.Module, batches: Sequence[SegmentBatch], cluster: ClusterConfig
) -> dict[str, float]:
    """Return mean scores over held-out sets.

    Returns
    -------
    dict
        ``bin_accuracy``: share of the bins, each weighing as its height, that lie nearest to the
        mean of their own class, background among the classes; ``ari_whole``: adjusted Rand index of
        the segments after ISO-SPLIT; ``score``: mean of the two.
    """
    accuracy, rand = [], []
    for batch in batches:
        bins, whole = _embed(model, batch)
        accuracy.append(_nearest_class(bins[0], batch))
        rand.append(
            adjusted_rand(whole[0].cpu().numpy(), batch.event_label[0].cpu().numpy(), cluster)
        )
    scores = {
        "bin_accuracy": sum(accuracy) / len(accuracy),
        "ari_whole": sum(rand) / len(rand),
    }
    return scores | {"score": 0.5 * sum(scores.values())}


def _nearest_class(bins: Tensor, batch: SegmentBatch) -> float:
    alive = batch.mask[0].unsqueeze(-1).expand(batch.bin_label[0].shape)
    vectors, label = bins[alive], batch.bin_label[0][alive]
    height = batch.bin_height[0][alive].clamp_min(1.0)
    classes, index = label.unique(return_inverse=True)
    total = vectors.new_zeros(len(classes), vectors.shape[1])
    total.index_add_(0, index, vectors * height.unsqueeze(-1))
    centre = nn.functional.normalize(total, dim=-1)
    right = (vectors @ centre.T).argmax(-1) == index
    return float((right * height).sum() / height.sum())


def _embed(model: nn.Module, batch: SegmentBatch) -> tuple[Tensor, Tensor]:
    assert isinstance(model, SegmentNetwork)  # noqa: S101  for the type checker
    return model(
        batch.own, batch.mean, batch.spread, batch.n_neighbours, batch.positions_um, batch.mask
    )
