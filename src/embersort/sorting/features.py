"""Which features the events are first clustered in: principal components, or the networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import FeatureConfig
from embersort.signal.features import TemporalPca
from embersort.signal.tiles import n_workers
from embersort.sorting.looks import Looks
from embersort.sorting.passes import EncodedEvents, Front, encode_events
from embersort.types import IntArray

Frame = Callable[[IntArray], NDArray[np.float32]]

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FramedEvents:
    """Events, and how they look to the clustering.

    Attributes
    ----------
    encoded : EncodedEvents
        With the components' codes, from which templates are made.
    frames : tuple of callable
        Each from indices of events to features in comparable columns.
    looks : Looks
        What made the codes, for spikes found later.
    """

    encoded: EncodedEvents
    frames: tuple[Frame, ...]
    looks: Looks


def encode_and_frame(
    front: Front, stage: TemporalPca, config: FeatureConfig, progress: Progress = None
) -> FramedEvents:
    """Detect and encode the events of the whole recording, in the features that were asked for.

    Parameters
    ----------
    front : Front
    stage : TemporalPca
    config : FeatureConfig
    progress : callable, optional
        Called with the number of tiles done since the last call.

    Notes
    -----
    Events are looked at in principal components, which keep every difference in units of the noise,
    and in the networks' embedding, which has learned what to overlook (overlaps, drift, bursts).
    Cleaned spikes are compared in principal components.
    """
    if config.method == "pca":
        encoded = encode_events(front, stage, progress)
        channels = encoded.events.channel_index
        return FramedEvents(
            encoded=encoded,
            frames=(lambda rows: stage.common_frame(encoded.codes[rows], channels[rows]),),
            looks=Looks(components=stage),
        )
    return _encode_learned(front, stage, config, progress)


def _encode_learned(
    front: Front, stage: TemporalPca, config: FeatureConfig, progress: Progress
) -> FramedEvents:
    # Compiled kernels and weights: loaded only where they are used.
    from embersort.embedding.stage import JoinedStage, make_encoder_stage
    from embersort.embedding.weights import load_shipped

    recording, window = front.recording, front.window
    learned = make_encoder_stage(
        load_shipped(),
        recording.geometry,
        window.neighbours,
        n_window=window.n_window,
        n_before=window.n_before,
        sampling_rate_hz=recording.sampling_rate_hz,
        device=config.device,
    )
    n_codes = window.neighbours.shape[1] * stage.basis.shape[1]
    joined = JoinedStage(components=stage, n_component_codes=n_codes, learned=learned)
    both = encode_events(front, joined, progress)
    channels = both.events.channel_index
    codes = both.codes
    if config.context:
        codes = joined.in_context(codes, both.events, n_threads=n_workers(front.run))
    own = np.ascontiguousarray(codes[:, :n_codes])

    def components(rows: IntArray) -> NDArray[np.float32]:
        return stage.common_frame(own[rows], channels[rows])

    def embedding(rows: IntArray) -> NDArray[np.float32]:
        return learned.common_frame(codes[rows, n_codes:], channels[rows])

    return FramedEvents(
        encoded=EncodedEvents(events=both.events, codes=own),
        frames=(components, embedding),
        looks=Looks(components=stage, learned=learned),
    )
