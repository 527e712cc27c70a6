"""The segment network's weights: read and checked, and written."""

from __future__ import annotations

import json
from pathlib import Path

from embersort.embedding.segment_architecture import SegmentConfig, segment_shapes
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import REINSTALL, SHIPPED_FOLDER
from embersort.errors import BadConfig, BadWeights
from embersort.weight_file import read_weight_file, shipped_hash, write_weight_file

SHIPPED_NAME = "segment"
FORMAT = "embersort-segment-1"


def load_shipped_segment() -> SegmentNetwork:
    """Read the weights that came with Embersort.

    Raises
    ------
    BadWeights
        If the file is missing or is not the one that was shipped.
    """
    sha256 = shipped_hash(SHIPPED_FOLDER, SHIPPED_NAME, REINSTALL)
    return load_segment_weights(SHIPPED_FOLDER / f"{SHIPPED_NAME}.safetensors", sha256=sha256)


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
    file = read_weight_file(path, sha256=sha256, file_format=FORMAT, remedy=REINSTALL)
    try:
        config = SegmentConfig.parse(json.loads(file.metadata["segment"]), str(path))
    except (KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{path} is not a whole weight file of the segment network ({error}); {REINSTALL}"
        ) from None
    weights = file.part("", segment_shapes(config))
    return SegmentNetwork(config=config, weights=weights, sha256=file.sha256)


def save_segment_weights(network: SegmentNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    metadata = {"format": FORMAT, "segment": network.config.model_dump_json()}
    return write_weight_file(network.weights, metadata, path)
