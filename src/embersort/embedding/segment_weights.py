"""The segment network's weights: read and checked, and written."""

from __future__ import annotations

from pathlib import Path

from embersort.embedding.segment_architecture import SegmentConfig, segment_shapes
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import REINSTALL, SHIPPED_FOLDER, Weights, load_shipped
from embersort.weight_file import WeightFile, WeightKind, write_weight_file

SHIPPED_NAME = "segment"
FORMAT = "embersort-segment-1"
NEIGHBOUR_ENCODER = "first"
"""Shipped weights of the encoder with whose neighbours the segment network was trained."""


def _network_of(file: WeightFile) -> SegmentNetwork:
    config = file.sizes("segment", SegmentConfig)
    weights = file.part("", segment_shapes(config))
    return SegmentNetwork(config=config, weights=weights, sha256=file.sha256)


KIND = WeightKind(file_format=FORMAT, folder=SHIPPED_FOLDER, remedy=REINSTALL, build=_network_of)
load_segment_weights = KIND.load


def load_shipped_segment() -> SegmentNetwork:
    """Read the weights that came with Embersort; see `WeightKind.shipped`."""
    return KIND.shipped(SHIPPED_NAME)


def load_neighbour_encoder() -> Weights:
    """Read the encoder that finds the nearest segments: other encoders find others."""
    return load_shipped(NEIGHBOUR_ENCODER)


def save_segment_weights(network: SegmentNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    metadata = {"format": FORMAT, "segment": network.config.model_dump_json()}
    return write_weight_file(network.weights, metadata, path)
