"""Results by the hash of what decides them: whole or absent, never half.

An entry is a folder ``STAGE/ab/abcdef…`` with ``record.json`` and any further
files. It is written elsewhere on the same file system, flushed, and renamed
into place, so a process killed at any instant leaves either the whole entry or
none.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embersort.benchmark.hashing import hash_file
from embersort.benchmark.scratch import fresh_folder

RECORD = "record.json"
UNFINISHED = "unfinished"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One result.

    Attributes
    ----------
    key : str
        Hash of everything that decides it.
    folder : Path
        Where its files lie.
    record : dict
        Its plain values.
    """

    key: str
    folder: Path
    record: dict[str, Any]

    def written_s(self) -> float:
        """Return when it was written, in seconds since 1970."""
        return (self.folder / RECORD).stat().st_mtime


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A folder of results, addressed by stage and key.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def find(self, stage: str, key: str) -> Entry | None:
        """Return an entry, or None if there is none or one of its files was altered."""
        folder = self._place(stage, key)
        try:
            content = json.loads((folder / RECORD).read_text("utf-8"))
            whole = all(
                hash_file(folder / name) == expected for name, expected in content["files"].items()
            )
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError):
            return None
        return Entry(key=key, folder=folder, record=content["record"]) if whole else None

    def write(
        self,
        stage: str,
        key: str,
        record: Mapping[str, Any],
        files: Mapping[str, Path] | None = None,
    ) -> Entry:
        """Write an entry in one step, in place of an older one.

        Parameters
        ----------
        stage, key : str
        record : mapping
            Plain JSON values.
        files : mapping of str to Path, optional
            Files to copy into the entry, by their new names.
        """
        place = self._place(stage, key)
        scratch = self.folder / UNFINISHED
        scratch.mkdir(parents=True, exist_ok=True)
        made = fresh_folder(scratch, f"{key[:8]}-")
        try:
            hashes = {}
            for name, source in (files or {}).items():
                shutil.copyfile(source, made / name)
                _flush(made / name)
                hashes[name] = hash_file(made / name)
            content = {"key": key, "files": hashes, "record": dict(record)}
            (made / RECORD).write_text(json.dumps(content, indent=1, sort_keys=True), "utf-8")
            _flush(made / RECORD)
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace_folder(made, place, scratch)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return Entry(key=key, folder=place, record=dict(record))

    def remove(self, stage: str, key: str) -> None:
        """Remove an entry in one step, if there is one."""
        self.folder.joinpath(UNFINISHED).mkdir(parents=True, exist_ok=True)
        _discard(self._place(stage, key), self.folder / UNFINISHED)

    def entries(self, stage: str) -> Iterator[Entry]:
        """Yield every whole entry of a stage, in order of key."""
        for path in sorted((self.folder / stage).glob(f"??/*/{RECORD}")):
            entry = self.find(stage, path.parent.name)
            if entry is not None:
                yield entry

    def _place(self, stage: str, key: str) -> Path:
        return self.folder / stage / key[:2] / key


def _replace_folder(made: Path, place: Path, scratch: Path) -> None:
    """Put a folder in place; whoever comes second among writers of one key wins or yields."""
    for _ in range(100):
        try:
            made.rename(place)
        except OSError:
            # A folder that is not empty cannot be renamed over: move the old one away first.
            _discard(place, scratch)
        else:
            return
    made.rename(place)


def _discard(place: Path, scratch: Path) -> None:
    """Move a folder out of sight, then delete it."""
    grave = fresh_folder(scratch, "old-")
    try:
        place.rename(grave / "entry")
    except FileNotFoundError:
        pass
    finally:
        shutil.rmtree(grave, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until a file's bytes are on the disk, so that the rename never precedes them."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
