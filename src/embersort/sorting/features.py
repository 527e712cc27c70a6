"""Which features the events are first clustered in: principal components, or the networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.neighbourhoods import FeatureView
from embersort.config import FeatureConfig
from embersort.signal.event_features import EventFeatures, encode_events
from embersort.signal.features import FeatureExtractor
from embersort.signal.front import Front
from embersort.signal.pca import TemporalPca
from embersort.signal.tiles import n_workers
from embersort.types import IntArray

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventViews:
    """Events, and how they look to the clustering.

    Attributes
    ----------
    encoded : EventFeatures
        With the components' codes, from which templates are made.
    views : tuple of callable
        Each from indices of events to features in comparable columns.
    extractor : FeatureExtractor
        What made the codes, for spikes found later.
    """

    encoded: EventFeatures
    views: tuple[FeatureView, ...]
    extractor: FeatureExtractor


def make_extractor(front: Front, pca: TemporalPca, config: FeatureConfig) -> FeatureExtractor:
    """Return what snippets are reduced to: principal components, and the networks if asked for."""
    if config.method == "pca":
        return FeatureExtractor(pca=pca)
    # Compiled kernels and weights: loaded only where they are used.
    from embersort.embedding.stage import make_encoder_stage
    from embersort.embedding.weights import load_shipped

    recording, window = front.recording, front.window
    encoder = make_encoder_stage(
        load_shipped(),
        recording.geometry,
        window.neighbours,
        n_window=window.n_window,
        n_before=window.n_before,
        sampling_rate_hz=recording.sampling_rate_hz,
        device=config.device,
    )
    return FeatureExtractor(pca=pca, encoder=encoder)


def encode_and_frame(
    front: Front, extractor: FeatureExtractor, config: FeatureConfig, progress: Progress = None
) -> EventViews:
    """Detect and encode the events of the whole recording, in the features that were asked for.

    Parameters
    ----------
    front : Front
    extractor : FeatureExtractor
        As `make_extractor` gives it.
    config : FeatureConfig
    progress : callable, optional
        Called with the number of tiles done since the last call.

    Notes
    -----
    Events are looked at in principal components, which keep every difference in units of the noise,
    and in the networks' embedding, which has learned what to overlook (overlaps, drift, bursts).
    Cleaned spikes are compared in principal components.
    """
    encoded = encode_events(front, extractor, progress)
    components = _components_frame(encoded, extractor.pca)
    encoder = extractor.encoder
    if encoder is None:
        return EventViews(encoded=encoded, views=(components,), extractor=extractor)
    seen = encoded.encoder_output
    if config.context:
        seen = encoder.in_context(seen, encoded.events, n_threads=n_workers(front.run))
    channels = encoded.events.channel_index

    def embedding(rows: IntArray) -> NDArray[np.float32]:
        return encoder.on_shared_channels(seen[rows], channels[rows])

    return EventViews(encoded=encoded, views=(components, embedding), extractor=extractor)


def _components_frame(encoded: EventFeatures, pca: TemporalPca) -> FeatureView:
    pca_features, channels = encoded.pca_features, encoded.events.channel_index
    return lambda rows: pca.on_shared_channels(pca_features[rows], channels[rows])
