"""Labelled events of a scene, encoded by the code that sorting uses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embersort.embedding.architecture import (
    CANONICAL_BEFORE_SAMPLES,
    CANONICAL_RATE_HZ,
    CANONICAL_SAMPLES,
)
from embersort.embedding.stage import EncoderStage, make_encoder_stage
from embersort.embedding.weights import Weights
from embersort.training.event_sets import EventSet
from embersort.types import Events, Geometry


class EventCodes(NamedTuple):
    """Events as sorting has them, the stage that encodes them, and what it says of each."""

    stage: EncoderStage
    events: Events
    codes: NDArray[np.float32]


def encode_event_set(scene: EventSet, weights: Weights) -> EventCodes:
    """Encode a scene's events at the canonical rate."""
    stage = make_encoder_stage(
        weights,
        Geometry(positions_um=scene.positions_um),
        scene.neighbours,
        n_window=CANONICAL_SAMPLES,
        n_before=CANONICAL_BEFORE_SAMPLES,
        sampling_rate_hz=CANONICAL_RATE_HZ,
    )
    snippets = snippets_as_sorted(scene)
    events = Events(
        sample_index=np.round(scene.time_s * CANONICAL_RATE_HZ).astype(np.int64),
        channel_index=scene.channel_index,
        amplitude=snippets[:, CANONICAL_BEFORE_SAMPLES, 0],
    )
    return EventCodes(stage, events, stage.encode(snippets, scene.channel_index))


def snippets_as_sorted(scene: EventSet) -> NDArray[np.float32]:
    """Return the snippets as sorting has them, shape (n_events, CANONICAL_SAMPLES, n_local)."""
    return np.ascontiguousarray(scene.snippets.astype(np.float32).transpose(0, 2, 1))
