"""Weight files of all networks: written in one move, read against their hash, never guessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadConfig, BadWeights, nearest_name

MANIFEST_NAME = "manifest.json"

Sizes = TypeVar("Sizes", covariant=True)
Loaded = TypeVar("Loaded")

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightFile:
    """What a weight file holds.

    Attributes
    ----------
    path : Path
        For error messages.
    tensors : dict of str to ndarray
    metadata : dict of str to str
    sha256 : str
    """

    path: Path
    tensors: dict[str, NDArray[Any]]
    metadata: dict[str, str]
    sha256: str

    def sizes(self, name: str, kind: Parsed[Sizes]) -> Sizes:
        """Return the settings that the file states under a name.

        Raises
        ------
        KeyError, ValueError, BadConfig
            If it states none, or not such ones: `WeightKind.load` says which file it was.
        """
        return kind.parse(json.loads(self.metadata[name]), str(self.path))

    def part(self, prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> Tensors:
        """Return the tensors whose names begin with a prefix, by the rest of their names.

        Raises
        ------
        BadWeights
            If one is missing, has another shape than ``shapes`` asks for, or is not finite.
        """
        part = {}
        for name, shape in shapes.items():
            value = self.tensors.get(prefix + name)
            if value is None or value.shape != shape or not np.isfinite(value).all():
                arrived = "missing" if value is None else f"of shape {value.shape}"
                raise BadWeights(
                    f"{self.path}: parameter {prefix}{name} is {arrived} or not finite, "
                    f"expected {shape}"
                )
            part[name] = np.array(value, np.float32)
        return part


class Parsed(Protocol[Sizes]):
    """A kind of settings that are read from plain values."""

    def parse(self, values: dict[str, Any], where: str) -> Sizes:
        """Return the settings; refuse what does not fit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightKind(Generic[Loaded]):
    """A kind of weight file: where those that ship are, and what is made of one.

    Attributes
    ----------
    file_format : str
        What a file must say that it is.
    folder : Path
        Holds those that came with Embersort, and their hashes.
    remedy : str
        What to do about a bad file; ends every message.
    build : callable
        From what a file holds to the network.
    what : str
        What a file of this kind is called.
    """

    file_format: str
    folder: Path
    remedy: str
    build: Callable[[WeightFile], Loaded]
    what: str = "weight file"

    def load(self, path: Path, *, sha256: str | None = None) -> Loaded:
        """Read a file.

        Parameters
        ----------
        path : Path
        sha256 : str, optional
            Refuse any other file than the one with this hash.

        Raises
        ------
        BadWeights
            If the file is missing, truncated, altered, or of another kind.
        """
        file = read_weight_file(
            path,
            sha256=sha256,
            file_format=self.file_format,
            remedy=self.remedy,
            what=self.what,
        )
        try:
            return self.build(file)
        except (KeyError, ValueError, BadConfig) as error:
            raise BadWeights(
                f"{path} is not a whole {self.what} ({error}); {self.remedy}"
            ) from None

    def shipped(self, name: str) -> Loaded:
        """Read a file that came with Embersort.

        Raises
        ------
        BadWeights
            If there is none of that name, or it is not the one that was shipped.
        """
        sha256 = shipped_hash(self.folder, name, self.remedy)
        file = name if name.endswith(".safetensors") else f"{name}.safetensors"
        return self.load(self.folder / file, sha256=sha256)


def shipped_hash(folder: Path, name: str, remedy: str) -> str:
    """Return the hash that the manifest of shipped weights gives for a name.

    Raises
    ------
    BadWeights
        If the manifest is missing or broken, or has no such name.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        raise BadWeights(f"{path} is missing or broken; {remedy}") from None
    if name not in manifest:
        raise BadWeights(f"no weights '{name}' came with Embersort{nearest_name(name, manifest)}")
    return manifest[name]


def read_weight_file(
    path: Path,
    *,
    sha256: str | None,
    file_format: str,
    remedy: str,
    what: str = "weight file",
) -> WeightFile:
    """Read a weight file.

    Parameters
    ----------
    path : Path
    sha256 : str or None
        Refuse any other file than the one with this hash.
    file_format : str
        What the file must say that it is.
    remedy : str
        What to do about a bad file; ends every message.
    what : str
        What a file of this format is called.

    Raises
    ------
    BadWeights
        If the file is missing, truncated, altered, or of another kind.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadWeights(f"weights {path} cannot be read ({error.strerror}); {remedy}") from None
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise BadWeights(
            f"weights {path} are not the file that was shipped "
            f"(sha256 {found[:12]}…, expected {sha256[:12]}…); {remedy}"
        )
    try:
        tensors, metadata = load(content), _metadata(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadWeights(f"{path} is not a whole {what} ({error}); {remedy}") from None
    if metadata.get("format") != file_format:
        raise BadWeights(
            f"{path} is not a whole weight file of this network: it has format "
            f"{metadata.get('format')}, expected {file_format}; {remedy}"
        )
    return WeightFile(path=Path(path), tensors=tensors, metadata=metadata, sha256=found)


def write_weight_file(
    tensors: Mapping[str, NDArray[Any]], metadata: dict[str, str], path: Path
) -> str:
    """Write a weight file in one move, and return its sha256."""
    from safetensors.numpy import save

    content = _ordered(save(dict(tensors), metadata=metadata))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return hashlib.sha256(content).hexdigest()


def _ordered(content: bytes) -> bytes:
    """Return a safetensors file with the names of its header in order.

    The library writes metadata in random order; equal weights are to have equal hashes.
    """
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + n_header :]


def _metadata(content: bytes) -> dict[str, str]:
    """Return the text that a safetensors file holds beside its tensors."""
    n_header = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + n_header])["__metadata__"]
