"""Batches of segment sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from embersort.config import Config
from embersort.training.segment_sets import SegmentSets
from embersort.training.spike_batches import random_frame

CHANNEL_BUCKETS = (1, 4, 8, 12)
"""Sets of one batch have the same number of local channels, rounded up to one of these."""


class SegmentBatchConfig(Config):
    """How batches are drawn, and how they are varied."""

    n_sets: int = Field(4, ge=1)
    """Sets of a batch."""
    alone_share: float = Field(0.1, ge=0, le=1)
    """Share of the segments whose neighbours are withheld."""
    turned: bool = True
    """Whether probes are turned, mirrored and moved at random."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentBatch:
    """Sets of labelled segments; see `SegmentSets` for the meaning of each.

    Attributes
    ----------
    own, mean, spread, bin_height : Tensor, (n_sets, n_events, n_local, SEGMENT_SAMPLES), float32
    bin_label : Tensor, same shape, int64
    n_neighbours, event_label : Tensor, shape (n_sets, n_events), int64
    positions_um : Tensor, shape (n_sets, n_events, n_local, 2), float32
    mask : Tensor, shape (n_sets, n_events, n_local), bool
    """

    own: Tensor
    mean: Tensor
    spread: Tensor
    bin_height: Tensor
    bin_label: Tensor
    n_neighbours: Tensor
    event_label: Tensor
    positions_um: Tensor
    mask: Tensor


def draw_segment_batch(
    scenes: Sequence[SegmentSets], config: SegmentBatchConfig, seed: int, step: int
) -> SegmentBatch:
    """Draw the batch of a step; the same for the same scenes, config, seed and step."""
    rng = np.random.default_rng([seed, step])
    usable = [scene for scene in scenes if scene.n_sets]
    first = usable[int(rng.integers(len(usable)))]
    alike = [scene for scene in usable if _bucket(scene) == _bucket(first)]
    sets = []
    for _ in range(config.n_sets):
        scene = alike[int(rng.integers(len(alike)))]
        drawn = set_arrays(scene, int(rng.integers(scene.n_sets)), _bucket(first))
        sets.append(_varied(drawn, config, rng))
    return SegmentBatch(
        **{name: torch.from_numpy(np.stack([s[name] for s in sets])) for name in sets[0]}
    )


def one_set(scene: SegmentSets, index: int) -> SegmentBatch:
    """Return one set as it is, as a batch."""
    arrays = set_arrays(scene, index, scene.own.shape[2])
    return SegmentBatch(**{name: torch.from_numpy(v[None]) for name, v in arrays.items()})


def set_arrays(scene: SegmentSets, index: int, n_local: int) -> dict[str, NDArray]:
    """Return one set as arrays named as in `SegmentBatch`, padded to ``n_local`` channels."""
    channels = scene.channels[index]
    extra = n_local - channels.shape[1]
    positions = scene.positions_um[np.maximum(channels, 0)].astype(np.float32)

    def padded(values: NDArray, dtype: type) -> NDArray:
        widths = [(0, 0), (0, extra)] + [(0, 0)] * (values.ndim - 2)
        return np.pad(values.astype(dtype), widths)

    return {
        "own": padded(scene.own[index], np.float32),
        "mean": padded(scene.mean[index], np.float32),
        "spread": padded(scene.spread[index], np.float32),
        "bin_height": padded(scene.bin_height[index], np.float32),
        "bin_label": padded(scene.bin_label[index], np.int64),
        "n_neighbours": scene.n_neighbours[index],
        "event_label": scene.event_label[index],
        "positions_um": padded(positions, np.float32),
        "mask": padded(channels >= 0, np.bool_),
    }


def _varied(
    drawn: dict[str, NDArray], config: SegmentBatchConfig, rng: np.random.Generator
) -> dict[str, NDArray]:
    alone = rng.random(len(drawn["own"])) < config.alone_share
    with_neighbours = ~alone[:, None, None]
    varied = {
        **drawn,
        "mean": drawn["mean"] * with_neighbours,
        "spread": drawn["spread"] * with_neighbours,
        "n_neighbours": np.where(alone, 0, drawn["n_neighbours"]),
    }
    if config.turned:
        turn, move = random_frame(rng)
        varied["positions_um"] = (drawn["positions_um"] @ turn + move).astype(np.float32)
    return varied


def _bucket(scene: SegmentSets) -> int:
    return next(size for size in CHANNEL_BUCKETS if size >= scene.own.shape[2])
