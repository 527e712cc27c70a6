"""Weights as data: read, checked against their hash and their sizes, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embersort.embedding.architecture import (
    ContextConfig,
    EncoderConfig,
    context_shapes,
    encoder_shapes,
)
from embersort.embedding.kernels import Float32
from embersort.weight_file import WeightFile, WeightKind, write_weight_file

FORMAT = "embersort-1"
SHIPPED_FOLDER = Path(__file__).parent / "weights"
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


def _weights_of(file: WeightFile) -> Weights:
    encoder_config = file.sizes("encoder", EncoderConfig)
    context_config = file.sizes("context", ContextConfig)
    return Weights(
        encoder_config=encoder_config,
        context_config=context_config,
        encoder=file.part("encoder.", encoder_shapes(encoder_config)),
        context=file.part("context.", context_shapes(context_config, encoder_config.n_dims)),
        sha256=file.sha256,
    )


KIND = WeightKind(file_format=FORMAT, folder=SHIPPED_FOLDER, remedy=REINSTALL, build=_weights_of)
load_weights = KIND.load


def load_shipped(name: str = "default") -> Weights:
    """Read weights that came with Embersort; see `WeightKind.shipped`."""
    return KIND.shipped(name)


def load_named(name: str) -> Weights:
    """Read shipped weights by name, or a file given as a path ending in ``.safetensors``.

    Raises
    ------
    BadWeights
        If there are none, or the file is not whole.
    """
    if name.endswith(".safetensors"):
        return load_weights(Path(name))
    return load_shipped(name)


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
