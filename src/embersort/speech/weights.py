"""The network's weights as data: written in one move, read against their hash, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embersort.speech.network import Network, NetworkConfig, weight_shapes
from embersort.speech.spectrogram import SpectrogramConfig
from embersort.weight_file import WeightFile, WeightKind, write_weight_file

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


def _trained(file: WeightFile) -> TrainedNetwork:
    config = file.sizes("network", NetworkConfig)
    network = Network(config=config, weights=file.part("", weight_shapes(config)))
    return TrainedNetwork(network=network, spectrogram=file.sizes("spectrogram", SpectrogramConfig))


KIND = WeightKind(
    file_format=FORMAT,
    folder=SHIPPED_FOLDER,
    remedy=REINSTALL,
    build=_trained,
    what="weight file of the speech network",
)
load_weights = KIND.load


def load_shipped() -> TrainedNetwork:
    """Read the weights that came with Embersort; see `WeightKind.shipped`."""
    return KIND.shipped(SHIPPED_NAME)


def save_weights(trained: TrainedNetwork, path: Path) -> str:
    """Write a weight file in one move, and return its sha256."""
    metadata = {
        "format": FORMAT,
        "network": trained.network.config.model_dump_json(),
        "spectrogram": trained.spectrogram.model_dump_json(),
    }
    return write_weight_file(trained.network.weights, metadata, path)
