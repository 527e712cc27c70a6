"""Events of the whole recording, with the features of their snippets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.signal.accumulate import RowAccumulator
from embersort.signal.features import FeatureExtractor
from embersort.signal.front import Front
from embersort.signal.snippets import cut_snippets
from embersort.signal.tiles import Tile
from embersort.types import Events

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFeatures:
    """Events with what is kept of their snippets.

    Attributes
    ----------
    events : Events
    pca_features : ndarray, shape (n_events, n_features), float32
        Of the components.
    encoder_output : ndarray, shape (n_events, n_outputs), float32
        What the networks say; without columns where there are none.
    """

    events: Events
    pca_features: NDArray[np.float32]
    encoder_output: NDArray[np.float32]


def encode_events(
    front: Front, extractor: FeatureExtractor, progress: Progress = None
) -> EventFeatures:
    """Detect the events of the whole recording and encode their snippets.

    Memory for what is kept of events is taken from that for tiles: where there are many of them,
    a recording is long, and few of its tiles could be kept anyway.
    """

    def process_tile(tile: Tile) -> tuple[NDArray, ...]:
        white, events = front.white_tile_and_events(tile)
        snippets = cut_snippets(white, events.sample_index, events.channel_index, front.window)
        return (
            front.in_recording(events, tile).sample_index,
            events.channel_index,
            events.amplitude,
            *extractor.encode(snippets, events.channel_index),
        )

    tiles = front.tiles()
    rows = RowAccumulator(len(tiles))
    for parts in front.mapper(process_tile, tiles, front.run, progress):
        rows.add(parts)
        front.kept.share_with(rows.n_bytes)
    sample, channel, amplitude, pca_features, encoder_output = rows.columns()
    events = Events(sample_index=sample, channel_index=channel, amplitude=amplitude)
    return EventFeatures(events=events, pca_features=pca_features, encoder_output=encoder_output)
