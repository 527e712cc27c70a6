"""Weights as data: read, checked against their hash and their sizes, never guessed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from embersort.embedding.architecture import (
    ContextConfig,
    EncoderConfig,
    Shapes,
    context_shapes,
    encoder_shapes,
)
from embersort.embedding.kernels import Float32
from embersort.errors import BadConfig, BadWeights, nearest_name

SHIPPED_FOLDER = Path(__file__).parent / "weights"
MANIFEST_NAME = "manifest.json"
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
    manifest_path = SHIPPED_FOLDER / MANIFEST_NAME
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        raise BadWeights(f"{manifest_path} is missing or broken; {REINSTALL}") from None
    if name not in manifest:
        raise BadWeights(f"no weights '{name}' came with Embersort{nearest_name(name, manifest)}")
    return load_weights(SHIPPED_FOLDER / f"{name}.safetensors", sha256=manifest[name])


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
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadWeights(f"weights {path} cannot be read ({error.strerror}); {REINSTALL}") from None
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise BadWeights(
            f"weights {path} are not the file that was shipped "
            f"(sha256 {found[:12]}…, expected {sha256[:12]}…); {REINSTALL}"
        )
    try:
        tensors = load(content)
        metadata = _metadata(content)
        encoder_config = EncoderConfig.parse(json.loads(metadata["encoder"]), str(path))
        context_config = ContextConfig.parse(json.loads(metadata["context"]), str(path))
    except (SafetensorError, KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{path} is not a whole weight file of Embersort ({error}); {REINSTALL}"
        ) from None
    if metadata.get("format") != FORMAT:
        raise BadWeights(f"{path} has format {metadata.get('format')}, expected {FORMAT}")
    return Weights(
        encoder_config=encoder_config,
        context_config=context_config,
        encoder=_part(tensors, "encoder.", encoder_shapes(encoder_config), path),
        context=_part(
            tensors, "context.", context_shapes(context_config, encoder_config.n_dims), path
        ),
        sha256=found,
    )


def save_weights(weights: Weights, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    tensors = {f"encoder.{name}": value for name, value in weights.encoder.items()}
    tensors |= {f"context.{name}": value for name, value in weights.context.items()}
    content = save(
        tensors,
        metadata={
            "format": FORMAT,
            "encoder": weights.encoder_config.model_dump_json(),
            "context": weights.context_config.model_dump_json(),
        },
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return hashlib.sha256(content).hexdigest()


def _metadata(content: bytes) -> dict[str, str]:
    """Return the text that a safetensors file holds beside its tensors."""
    n_header = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + n_header])["__metadata__"]


def _part(
    tensors: dict[str, Float32], prefix: str, shapes: Shapes, path: Path
) -> dict[str, Float32]:
    """Return the parameters of one network, checked against the sizes that its config asks for."""
    part = {}
    for name, shape in shapes.items():
        value = tensors.get(prefix + name)
        if value is None or value.shape != shape or not np.isfinite(value).all():
            arrived = "missing" if value is None else f"of shape {value.shape}"
            raise BadWeights(
                f"{path}: parameter {prefix}{name} is {arrived} or not finite, expected {shape}"
            )
        part[name] = np.array(value, np.float32)
    return part
