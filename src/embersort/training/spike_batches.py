"""Batches of local event sets: what the spike networks are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from embersort.config import Config
from embersort.embedding.architecture import LOCATION_PERIOD_UM
from embersort.training.event_sets import EventSet

CHANNEL_BUCKETS = (1, 4, 8, 16)
"""Sets of one batch have the same number of local channels, rounded up to one of these."""
COLOUR = np.array([0.3, 1.0, 0.3], np.float32) / np.sqrt(np.float32(1.18))
"""Filter that gives added noise about the colour of the pass band."""


class BatchConfig(Config):
    """How local sets are drawn, and how they are varied."""

    n_sets: int = Field(4, ge=1)
    """Sets of a batch."""
    n_events: int = Field(256, ge=16)
    """Events of a set; fewer where a neighbourhood has fewer."""
    radius_um: float = Field(75.0, gt=0)
    """Events of a set peak this near to one channel."""
    stretch_share: float = Field(0.5, ge=0, le=1)
    """Share of the sets that are consecutive events; the others are spread over the scene."""
    sparse_share: float = Field(0.3, ge=0, le=1)
    """Share of the sets in which channels are left out, as if the probe were sparser."""
    sparse_kept: float = Field(0.6, gt=0, le=1)
    """Share of the channels that are kept there."""
    noisy_share: float = Field(0.3, ge=0, le=1)
    """Share of the sets to which noise is added."""
    most_noise: float = Field(0.6, ge=0)
    """Largest standard deviation of added noise, in units of the noise that is there."""
    turned: bool = True
    """Whether probes are turned, mirrored and moved at random."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Local sets of labelled events; see `EventSet` for the meaning of each.

    Attributes
    ----------
    snippets : Tensor, shape (n_sets, n_events, n_local, CANONICAL_SAMPLES), float32
    positions_um : Tensor, shape (n_sets, n_events, n_local, 2), float32
    channel_mask : Tensor, shape (n_sets, n_events, n_local), bool
    event_mask : Tensor, shape (n_sets, n_events), bool
        False where a set has fewer events.
    time_s : Tensor, shape (n_sets, n_events), float64
    label : Tensor, shape (n_sets, n_events), int64
    collision : Tensor, shape (n_sets, n_events), bool
    shift_ms : Tensor, shape (n_sets, n_events), float32
    unit_position_um : Tensor, shape (n_sets, n_events, 2), float32
        Of the event's unit; zero where it has none.
    """

    snippets: Tensor
    positions_um: Tensor
    channel_mask: Tensor
    event_mask: Tensor
    time_s: Tensor
    label: Tensor
    collision: Tensor
    shift_ms: Tensor
    unit_position_um: Tensor


def bucket_of(events: EventSet) -> int:
    """Return the number of local channels of an event set, rounded up to a bucket."""
    return next(size for size in CHANNEL_BUCKETS if size >= events.neighbours.shape[1])


def draw_batch(scenes: Sequence[EventSet], config: BatchConfig, seed: int, step: int) -> Batch:
    """Draw the batch of a step; the same for the same scenes, config, seed and step.

    Parameters
    ----------
    scenes : sequence of EventSet
        Those without events are never drawn.
    """
    rng = np.random.default_rng([seed, step])
    usable = [scene for scene in scenes if scene.n_events >= config.n_events // 4]
    first = usable[int(rng.integers(len(usable)))]
    alike = [scene for scene in usable if bucket_of(scene) == bucket_of(first)]
    chosen = [alike[int(rng.integers(len(alike)))] for _ in range(config.n_sets)]
    sets = [_draw_set(scene, bucket_of(first), config, rng) for scene in chosen]
    return Batch(**{name: torch.from_numpy(np.stack([s[name] for s in sets])) for name in sets[0]})


def local_events(scene: EventSet, channel: int, radius_um: float) -> NDArray[np.int64]:
    """Return the events that peak within a radius of a channel, in order of time."""
    offset = scene.positions_um - scene.positions_um[channel]
    near = (offset**2).sum(axis=1) <= radius_um**2
    return np.flatnonzero(near[scene.channel_index])


def _draw_set(
    scene: EventSet, n_local: int, config: BatchConfig, rng: np.random.Generator
) -> dict[str, NDArray]:
    anchor = int(scene.channel_index[rng.integers(scene.n_events)])
    kept = np.ones(len(scene.positions_um), bool)
    if rng.random() < config.sparse_share:
        kept = rng.random(len(kept)) < config.sparse_kept
        kept[anchor] = True
    events = local_events(scene, anchor, config.radius_um)
    events = events[kept[scene.channel_index[events]]]
    if len(events) > config.n_events:
        if rng.random() < config.stretch_share:
            start = int(rng.integers(len(events) - config.n_events + 1))
            events = events[start : start + config.n_events]
        else:
            events = np.sort(rng.choice(events, config.n_events, replace=False))
    turn, move = random_frame(rng) if config.turned else (np.eye(2), np.zeros(2))
    drawn = gather(scene, events, n_local, kept, (scene.positions_um @ turn + move))
    if rng.random() < config.noisy_share:
        drawn["snippets"] = _with_noise(drawn["snippets"], config.most_noise, rng)
    drawn["unit_position_um"] = (drawn["unit_position_um"].astype(np.float64) @ turn + move).astype(
        np.float32
    )
    return _padded(drawn, config.n_events)


def gather(
    scene: EventSet,
    events: NDArray[np.int64],
    n_local: int,
    kept: NDArray[np.bool_],
    positions_um: NDArray[np.floating],
) -> dict[str, NDArray]:
    """Return chosen events of a scene as arrays named as in `Batch`, without its set axis."""
    channels = scene.neighbours[scene.channel_index[events]]
    mask = (channels >= 0) & kept[channels]
    # Kept channels first and in order, so that the peak channel stays the first.
    order = np.argsort(~mask, axis=1, kind="stable")
    mask = np.take_along_axis(mask, order, axis=1)
    channels = np.where(mask, np.take_along_axis(channels, order, axis=1), 0)
    stored = np.take_along_axis(scene.snippets[events], order[:, :, None], axis=1)
    snippets = stored.astype(np.float32) * mask[:, :, None]
    label = scene.label[events]
    extra = n_local - channels.shape[1]
    somata = scene.unit_position_um[np.maximum(label, 0)] if len(scene.unit_position_um) else 0
    return {
        "snippets": np.pad(snippets, ((0, 0), (0, extra), (0, 0))),
        "positions_um": np.pad(
            positions_um[channels].astype(np.float32), ((0, 0), (0, extra), (0, 0))
        ),
        "channel_mask": np.pad(mask, ((0, 0), (0, extra))),
        "event_mask": np.ones(len(events), bool),
        "time_s": scene.time_s[events],
        "label": label,
        "collision": scene.collision[events],
        "shift_ms": scene.shift_ms[events].astype(np.float32),
        "unit_position_um": np.broadcast_to(somata, (len(events), 2)).astype(np.float32),
    }


def random_frame(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a random rotation, mirrored half of the time, and a random place."""
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    return turn, rng.uniform(0, LOCATION_PERIOD_UM, 2)


def _with_noise(
    snippets: NDArray[np.float32], most: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Add noise of the pass band and bring the whole back to units of noise."""
    level = np.float32(rng.uniform(0, most))
    white = rng.standard_normal(snippets.shape, np.float32)
    noise = COLOUR[1] * white
    noise[..., 1:] += COLOUR[0] * white[..., :-1]
    noise[..., :-1] += COLOUR[2] * white[..., 1:]
    return (snippets + level * noise) / np.sqrt(1 + level**2)


def _padded(drawn: dict[str, NDArray], n_events: int) -> dict[str, NDArray]:
    missing = n_events - len(drawn["time_s"])
    return {
        name: np.pad(value, ((0, missing),) + ((0, 0),) * (value.ndim - 1))
        for name, value in drawn.items()
    }
