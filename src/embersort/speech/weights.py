"""The network's weights as data: written in one move, read against their hash, never guessed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from embersort.errors import BadConfig, BadWeights
from embersort.speech.network import Network, NetworkConfig, weight_shapes
from embersort.speech.spectrogram import SpectrogramConfig

SHIPPED_FOLDER = Path(__file__).parent / "weights"
SHIPPED_NAME = "voices.safetensors"
MANIFEST_NAME = "manifest.json"
FORMAT = "embersort-speech-1"
REINSTALL = "install Embersort again, or train anew with 'embersort speech train'"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedNetwork:
    """A network and the spectrogram that it was trained on.

    Attributes
    ----------
    network : Network
    spectrogram : SpectrogramConfig
    """

    network: Network
    spectrogram: SpectrogramConfig


def load_shipped() -> TrainedNetwork:
    """Read the weights that came with Embersort.

    Raises
    ------
    BadWeights
        If the file is missing or is not the one that was shipped.
    """
    manifest = SHIPPED_FOLDER / MANIFEST_NAME
    try:
        sha256 = json.loads(manifest.read_text(encoding="utf-8"))[SHIPPED_NAME]
    except (OSError, KeyError, json.JSONDecodeError):
        raise BadWeights(f"{manifest} is missing or broken; {REINSTALL}") from None
    return load_weights(SHIPPED_FOLDER / SHIPPED_NAME, sha256=sha256)


def load_weights(path: Path, *, sha256: str | None = None) -> TrainedNetwork:
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
        weights = load(content)
        metadata = _metadata(content)
        if metadata["format"] != FORMAT:
            raise ValueError(f"its format is {metadata['format']}, expected {FORMAT}")
        network_config = NetworkConfig.parse(json.loads(metadata["network"]), str(path))
        spectrogram = SpectrogramConfig.parse(json.loads(metadata["spectrogram"]), str(path))
    except (SafetensorError, KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{path} is not a whole weight file of the speech network ({error}); {REINSTALL}"
        ) from None
    for name, shape in weight_shapes(network_config).items():
        value = weights.get(name)
        if value is None or value.shape != shape or not np.isfinite(value).all():
            arrived = "missing" if value is None else f"of shape {value.shape}"
            raise BadWeights(f"{path}: {name} is {arrived} or not finite, expected {shape}")
    network = Network(config=network_config, weights=weights)
    return TrainedNetwork(network=network, spectrogram=spectrogram)


def save_weights(trained: TrainedNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    content = save(
        dict(trained.network.weights),
        metadata={
            "format": FORMAT,
            "network": trained.network.config.model_dump_json(),
            "spectrogram": trained.spectrogram.model_dump_json(),
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
