"""What decides a recording's content, as one hash, known before the recording is made."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import embersort
from embersort.benchmark.hashing import hash_file, hash_files, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.sources import GeneratorSource, LocalSource, SceneSource
from embersort.benchmark.store import Store

FORMAT_VERSION = 1
"""Raised when stored recordings change their form."""
FILE_STAGE = "file"


def source_hash(registered: RegisteredRecording) -> str:
    """Return the hash of an entry's source alone, whoever carries it out."""
    return hash_json(registered.entry.source.model_dump(mode="json"))


def recipe_key(registered: RegisteredRecording, home: Home) -> str:
    """Return the hash of everything that decides a recording's content, as far as one can know."""
    source = registered.entry.source
    recipe: dict[str, Any] = {"format": FORMAT_VERSION, "source": source.model_dump(mode="json")}
    if isinstance(source, SceneSource):
        recipe["simulator"] = simulator_hash()
    elif isinstance(source, GeneratorSource):
        import importlib.metadata

        recipe["simulator"] = importlib.metadata.version("spikeinterface")
    elif isinstance(source, LocalSource):
        folder = (registered.folder / source.folder).resolve()
        recipe["files"] = [
            known_hash(path, home)
            for name in (source.recording, source.truth)
            if name
            for path in _files_of(folder / name)
        ]
        recipe["folder"] = str(folder)
    return hash_json(recipe)


def known_hash(path: Path, home: Home) -> str:
    """Return a file's SHA-256, computed once for each size and time of change that it has."""
    facts = path.stat()
    key = hash_json({"path": str(path), "n_bytes": facts.st_size, "changed_ns": facts.st_mtime_ns})
    store = Store(folder=home.results)
    found = store.find(FILE_STAGE, key)
    if found is None:
        found = store.write(FILE_STAGE, key, {"sha256": hash_file(path)})
    return str(found.record["sha256"])


@cache
def simulator_hash() -> str:
    """Return the hash of the code and cells that our scenes are rendered with."""
    package = Path(embersort.__file__).parent / "simulate"
    paths = sorted(path for path in package.rglob("*") if path.is_file())
    return hash_files(package, [path for path in paths if "__pycache__" not in path.parts])


def _files_of(path: Path) -> list[Path]:
    """Return a file, or all files of a folder, as many as there are."""
    if path.is_dir():
        return sorted(inner for inner in path.rglob("*") if inner.is_file())
    return [path] if path.is_file() else []
