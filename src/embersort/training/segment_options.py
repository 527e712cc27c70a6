"""The segment network among the options: where its segments lie in the embedding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import DetectConfig, SortConfig
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import Weights
from embersort.errors import BadWeights
from embersort.signal import make_front
from embersort.simulate.simulation import Simulation
from embersort.training.event_sets import held
from embersort.training.segment_sets import ONE_THREAD
from embersort.types import Events, IntArray
from embersort.unmixing.bins import BinEmbedder
from embersort.unmixing.segments import find_segments


@dataclass(frozen=True, kw_only=True, slots=True)
class Networks:
    """The networks that are compared.

    Attributes
    ----------
    encoder : Weights
        Encoder and context network.
    segment : SegmentNetwork, optional
        Needed where it is among the features.
    neighbours : Weights, optional
        The encoder that finds the segment network's neighbours; by default ``encoder``.
    """

    encoder: Weights
    segment: SegmentNetwork | None = None
    neighbours: Weights | None = None

    def hash_of(self, features: str) -> str:
        """Return the hash of the weights on which a row depends."""
        if features == "segment" and self.segment is not None:
            return f"{(self.neighbours or self.encoder).sha256}+{self.segment.sha256}"
        return self.encoder.sha256


def segment_frame(
    simulation: Simulation,
    events: Events,
    rows: IntArray,
    threshold: float,
    networks: Networks,
) -> NDArray[np.float32]:
    """Return the chosen events as points of the segment network's embedding.

    Parameters
    ----------
    simulation : Simulation
    events : Events
        All events of the scene, as they were detected at ``threshold``.
    rows : ndarray, int64
        The chosen ones.
    threshold : float
    networks : Networks
        The nearest segments are nearest in the embedding of ``neighbours``.

    Returns
    -------
    ndarray, shape (n_chosen, n_dims), float32
        Mean embedding of the bins round each trough; unit norm.
    """
    config = SortConfig(detect=DetectConfig(threshold=threshold), run=ONE_THREAD)
    front = make_front(held(simulation.recording), config)
    network = networks.segment
    if network is None:
        raise BadWeights("no segment network was given, but it is among the features to compare")
    segments = find_segments(front, networks.neighbours or networks.encoder)
    if not np.array_equal(segments.events.sample_index, events.sample_index):
        raise RuntimeError("segments and events of a scene differ: they must be detected alike")
    nearest = segments.nearest(network.config.n_neighbours, network.config.window_s)
    embedder = BinEmbedder(segments, network, nearest)
    return np.stack([embedder.centre(int(row)) for row in rows])
