"""Weights as data: read, checked against their hash and their sizes, never guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from embersort.embedding.architecture import (
    ContextConfig,
    EncoderConfig,
    context_shapes,
    encoder_shapes,
)
from embersort.embedding.kernels import Float32
from embersort.errors import BadConfig, BadWeights
from embersort.weight_file import read_weight_file, shipped_hash, write_weight_file

SHIPPED_FOLDER = Path(__file__).parent / "weights"
FORMAT = "embersort-1"
REINSTALL = "install Embersort again, or train anew with 'embersort train'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """A trained encoder and context network.

    Attributes
    ----------
    encoder_config : EncoderConfig
    context_config : ContextConfig
    encoder, context : dict of str to ndarray, float32
        Parameters by name.
    sha256 : str
        Hash of the file they came from; empty where they came from none.
    """

    encoder_config: EncoderConfig
    context_config: ContextConfig
    encoder: dict[str, Float32]
    context: dict[str, Float32]
    sha256: str = ""


def load_shipped(name: str = "default") -> Weights:
    """Read weights that came with Embersort.

    Raises
    ------
    BadWeights
        If there are none of that name, or the file is not the one that was shipped.
    """
    sha256 = shipped_hash(SHIPPED_FOLDER, name, REINSTALL)
    return load_weights(SHIPPED_FOLDER / f"{name}.safetensors", sha256=sha256)


def load_weights(path: Path, *, sha256: str | None = None) -> Weights:
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
        encoder_config = EncoderConfig.parse(json.loads(file.metadata["encoder"]), str(path))
        context_config = ContextConfig.parse(json.loads(file.metadata["context"]), str(path))
    except (KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{path} is not a whole weight file of Embersort ({error}); {REINSTALL}"
        ) from None
    return Weights(
        encoder_config=encoder_config,
        context_config=context_config,
        encoder=file.part("encoder.", encoder_shapes(encoder_config)),
        context=file.part("context.", context_shapes(context_config, encoder_config.n_dims)),
        sha256=file.sha256,
    )


def save_weights(weights: Weights, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    tensors = {f"encoder.{name}": value for name, value in weights.encoder.items()}
    tensors |= {f"context.{name}": value for name, value in weights.context.items()}
    metadata = {
        "format": FORMAT,
        "encoder": weights.encoder_config.model_dump_json(),
        "context": weights.context_config.model_dump_json(),
    }
    return write_weight_file(tensors, metadata, path)
