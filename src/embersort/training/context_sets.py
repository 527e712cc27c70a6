"""Scenes as the context network meets them in sorting: encoded once, with their true neighbours.

The encoder stands still here. In sets of a few hundred events the nearest neighbours would reach
through a whole unit; among the thousands that sorting searches they are a small clump of it. So
neighbours are found as in sorting, among all events of a scene, and only then are sets drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from embersort.config import Config
from embersort.embedding.architecture import ContextConfig
from embersort.embedding.torch_context import EventTable
from embersort.embedding.weights import Weights
from embersort.training.event_codes import encode_event_set
from embersort.training.event_sets import EventSet
from embersort.types import FloatArray, IntArray


class ContextBatchConfig(Config):
    """How sets of events are drawn from encoded scenes."""

    n_sets: int = Field(2, ge=1)
    """Sets of a batch."""
    n_events: int = Field(512, ge=16)
    """Events of a set, spread over the scene; fewer where a neighbourhood has fewer."""
    radius_um: float = Field(75.0, gt=0)
    """Events of a set peak this near to one channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedScene:
    """A scene after the encoder.

    Attributes
    ----------
    embedding : ndarray, shape (n_events, n_dims), float32
    position_um : ndarray, shape (n_events, 2), float32
    log_amplitude : ndarray, shape (n_events,), float32
    time_s : ndarray, shape (n_events,), float64
    neighbours : ndarray, shape (n_events, n_neighbours), int64
        As sorting finds them; -1 where there is none.
    label : ndarray, shape (n_events,), int64
        As in `EventSet`.
    channel_index : ndarray, shape (n_events,), int64
    positions_um : ndarray, shape (n_channels, 2), float64
    """

    embedding: NDArray[np.float32]
    position_um: NDArray[np.float32]
    log_amplitude: NDArray[np.float32]
    time_s: FloatArray
    neighbours: IntArray
    label: IntArray
    channel_index: IntArray
    positions_um: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextBatch:
    """Sets of events, each set followed by the neighbours of its events.

    Attributes
    ----------
    embedding, time_s, position_um, log_amplitude : Tensor
        As in `EventTable`; the first rows of a set are the events that are changed.
    neighbours : Tensor, shape (n_sets, n_events, n_neighbours), int64
        Rows; -1 where there is none.
    label : Tensor, shape (n_sets, n_events), int64
    is_spike : Tensor, shape (n_sets, n_events), bool
        False for noise, and where a set has fewer events.
    """

    embedding: Tensor
    time_s: Tensor
    position_um: Tensor
    log_amplitude: Tensor
    neighbours: Tensor
    label: Tensor
    is_spike: Tensor

    @property
    def table(self) -> EventTable:
        """The rows as the context network takes them."""
        return EventTable(
            embedding=self.embedding,
            time_s=self.time_s,
            position_um=self.position_um,
            log_amplitude=self.log_amplitude,
        )


def encode_scene(scene: EventSet, weights: Weights, context: ContextConfig) -> EncodedScene:
    """Encode a scene's events, and find the neighbours of each among all of them."""
    stage, events, codes = encode_event_set(scene, weights)
    encoded = stage.read(codes)
    return EncodedScene(
        embedding=np.ascontiguousarray(encoded.embedding),
        position_um=np.ascontiguousarray(encoded.position_um),
        log_amplitude=np.ascontiguousarray(encoded.log_amplitude),
        time_s=scene.time_s,
        neighbours=stage.neighbours_of(codes, events, context),
        label=scene.label,
        channel_index=scene.channel_index,
        positions_um=scene.positions_um,
    )


def draw_context_batch(
    scenes: Sequence[EncodedScene], config: ContextBatchConfig, seed: int, step: int
) -> ContextBatch:
    """Draw the batch of a step; the same for the same scenes, config, seed and step.

    Parameters
    ----------
    scenes : sequence of EncodedScene
        Each with at least one spike.
    """
    rng = np.random.default_rng([seed, step])
    sets = []
    for _ in range(config.n_sets):
        scene = scenes[int(rng.integers(len(scenes)))]
        spikes = np.flatnonzero(scene.label >= 0)
        anchor = int(scene.channel_index[rng.choice(spikes)])
        rows = spikes[_is_near(scene, anchor, config.radius_um)[spikes]]
        if len(rows) > config.n_events:
            rows = np.sort(rng.choice(rows, config.n_events, replace=False))
        sets.append(_set_of(scene, rows, config.n_events))
    return ContextBatch(
        **{name: torch.from_numpy(np.stack([s[name] for s in sets])) for name in sets[0]}
    )


def neighbourhood(scene: EncodedScene, radius_um: float, most: int) -> ContextBatch:
    """Return the events near the busiest channel, evenly thinned to at most ``most``."""
    busiest = int(np.bincount(scene.channel_index).argmax())
    rows = np.flatnonzero(_is_near(scene, busiest, radius_um))
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
    one = _set_of(scene, rows, len(rows))
    return ContextBatch(**{name: torch.from_numpy(value[None]) for name, value in one.items()})


def _is_near(scene: EncodedScene, channel: int, radius_um: float) -> NDArray[np.bool_]:
    """Return which events peak within a radius of a channel."""
    offset = scene.positions_um - scene.positions_um[channel]
    return ((offset**2).sum(axis=1) <= radius_um**2)[scene.channel_index]


def _set_of(scene: EncodedScene, events: IntArray, n_rows: int) -> dict[str, NDArray]:
    """Return events and, after them, their neighbours, as arrays named as in `ContextBatch`."""
    n_events, n_neighbours = len(events), scene.neighbours.shape[1]
    # What is missing of a set is its first event over again, without neighbours and not a spike.
    events = np.concatenate([events, np.repeat(events[:1], n_rows - n_events)])
    near = scene.neighbours[events]
    near[n_events:] = -1
    rows = np.concatenate([events, np.maximum(near, 0).ravel()])
    place = n_rows + np.arange(near.size).reshape(n_rows, n_neighbours)
    return {
        "embedding": scene.embedding[rows],
        "time_s": scene.time_s[rows],
        "position_um": scene.position_um[rows],
        "log_amplitude": scene.log_amplitude[rows],
        "neighbours": np.where(near >= 0, place, -1),
        "label": scene.label[events],
        "is_spike": (scene.label[events] >= 0) & (np.arange(n_rows) < n_events),
    }
