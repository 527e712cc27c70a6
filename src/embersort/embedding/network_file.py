"""What the weight files of all spike networks share: where they ship, their sizes, their errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from embersort.config import Config
from embersort.errors import BadConfig, BadWeights
from embersort.weight_file import WeightFile, read_weight_file, shipped_hash

SHIPPED_FOLDER = Path(__file__).parent / "weights"
REINSTALL = "install Embersort again, or train anew with 'embersort train'"

Sizes = TypeVar("Sizes", bound=Config)


def read_shipped_network(name: str, file_format: str) -> WeightFile:
    """Read a weight file that came with Embersort.

    Raises
    ------
    BadWeights
        If there is none of that name, or the file is not the one that was shipped.
    """
    sha256 = shipped_hash(SHIPPED_FOLDER, name, REINSTALL)
    return read_network_file(SHIPPED_FOLDER / f"{name}.safetensors", file_format, sha256=sha256)


def read_network_file(path: Path, file_format: str, *, sha256: str | None = None) -> WeightFile:
    """Read a weight file of one kind of network.

    Parameters
    ----------
    path : Path
    file_format : str
        What the file must say that it is.
    sha256 : str, optional
        Refuse any other file than the one with this hash.

    Raises
    ------
    BadWeights
        If the file is missing, truncated, altered, or not of this kind of network.
    """
    return read_weight_file(path, sha256=sha256, file_format=file_format, remedy=REINSTALL)


def sizes_in(file: WeightFile, name: str, kind: type[Sizes]) -> Sizes:
    """Return the sizes of a network that a weight file states under a name.

    Raises
    ------
    BadWeights
        If it states none, or not such sizes.
    """
    try:
        return kind.parse(json.loads(file.metadata[name]), str(file.path))
    except (KeyError, ValueError, BadConfig) as error:
        raise BadWeights(
            f"{file.path} is not a whole weight file: its sizes '{name}' cannot be read "
            f"({error}); {REINSTALL}"
        ) from None
