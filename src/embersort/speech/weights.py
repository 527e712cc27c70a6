"""The network's weights as data: written in one move, read against their hash, never guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from embersort.errors import BadConfig, BadWeights
from embersort.speech.network import Network, NetworkConfig, weight_shapes
from embersort.speech.spectrogram import SpectrogramConfig
from embersort.weight_file import read_weight_file, shipped_hash, write_weight_file

SHIPPED_FOLDER = Path(__file__).parent / "weights"
SHIPPED_NAME = "voices.safetensors"
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
    sha256 = shipped_hash(SHIPPED_FOLDER, SHIPPED_NAME, REINSTALL)
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
    file = read_weight_file(path, sha256=sha256, file_format=FORMAT, remedy=REINSTALL)
    try:
        network_config = NetworkConfig.parse(json.loads(file.metadata["network"]), str(path))
        spectrogram = SpectrogramConfig.parse(json.loads(file.metadata["spectrogram"]), str(path))
    except (KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{path} is not a whole weight file of the speech network ({error}); {REINSTALL}"
        ) from None
    weights = file.part("", weight_shapes(network_config))
    network = Network(config=network_config, weights=weights)
    return TrainedNetwork(network=network, spectrogram=spectrogram)


def save_weights(trained: TrainedNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    metadata = {
        "format": FORMAT,
        "network": trained.network.config.model_dump_json(),
        "spectrogram": trained.spectrogram.model_dump_json(),
    }
    return write_weight_file(trained.network.weights, metadata, path)
