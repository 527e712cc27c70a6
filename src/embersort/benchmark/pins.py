"""What an entry leaves open and the first fetch found: hashes and identifiers, kept."""

from __future__ import annotations

import json
from pathlib import Path

from embersort.benchmark.home import Home
from embersort.benchmark.sources import DandiSource, FilesSource

PINS = "fetched"
ASSET = "asset_id"
"""Under this name the identifier of an archive's asset is kept, its hash under its path."""


def read_pins(name: str, home: Home) -> dict[str, str]:
    """Return what the first fetch of a recording found; empty before it."""
    path = _path(name, home)
    pins: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return pins


def write_pins(name: str, pins: dict[str, str], home: Home) -> None:
    """Keep what a fetch found."""
    path = _path(name, home)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(pins, indent=1, sort_keys=True), "utf-8")
    part.replace(path)


def pin_files(source: FilesSource, pins: dict[str, str]) -> FilesSource:
    """Return the source with open hashes filled in."""
    files = [
        remote.model_copy(update={"sha256": remote.sha256 or pins.get(remote.path, "")})
        for remote in source.files
    ]
    return source.model_copy(update={"files": files})


def pin_asset(source: DandiSource, pins: dict[str, str]) -> DandiSource:
    """Return the source with its open identifier and hash filled in."""
    known = {
        "asset_id": source.asset_id or pins.get(ASSET, ""),
        "sha256": source.sha256 or pins.get(source.asset_path, ""),
    }
    return source.model_copy(update=known)


def _path(name: str, home: Home) -> Path:
    return home.registry / PINS / f"{name.replace('/', '--')}.json"
