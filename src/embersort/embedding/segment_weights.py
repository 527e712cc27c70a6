"""The segment network's weights: read and checked, and written."""

from __future__ import annotations

from pathlib import Path

from embersort.embedding.network_file import (
    read_network_file,
    read_shipped_network,
    sizes_in,
)
from embersort.embedding.segment_architecture import SegmentConfig, segment_shapes
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import Weights, load_shipped
from embersort.weight_file import WeightFile, write_weight_file

SHIPPED_NAME = "segment"
FORMAT = "embersort-segment-1"
NEIGHBOUR_ENCODER = "first"
"""Shipped weights of the encoder with whose neighbours the segment network was trained."""


def load_shipped_segment() -> SegmentNetwork:
    """Read the weights that came with Embersort.

    Raises
    ------
    BadWeights
        If the file is missing or is not the one that was shipped.
    """
    return _network_of(read_shipped_network(SHIPPED_NAME, FORMAT))


def load_neighbour_encoder() -> Weights:
    """Read the encoder that finds the nearest segments: other encoders find others."""
    return load_shipped(NEIGHBOUR_ENCODER)


def load_segment_weights(path: Path, *, sha256: str | None = None) -> SegmentNetwork:
    """Read a weight file.

    Parameters
    ----------
    path : Path
    sha256 : str, optional
        Refuse any other file than the one with this hash.

    Raises
    ------
    BadWeights
        If the file is missing, truncated, altered, or not of this kind of network.
    """
    return _network_of(read_network_file(path, FORMAT, sha256=sha256))


def save_segment_weights(network: SegmentNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    metadata = {"format": FORMAT, "segment": network.config.model_dump_json()}
    return write_weight_file(network.weights, metadata, path)


def _network_of(file: WeightFile) -> SegmentNetwork:
    config = sizes_in(file, "segment", SegmentConfig)
    weights = file.part("", segment_shapes(config))
    return SegmentNetwork(config=config, weights=weights, sha256=file.sha256)
