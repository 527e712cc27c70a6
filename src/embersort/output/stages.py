"""Finished stages of a long sort on disk, so that one that was cut off goes on from the last.

A stage is a frozen dataclass of arrays and numbers. It is stored as plain arrays, never pickled,
and read back by the types of its fields. With and without a store a stage is handed on in the same
form, so a sort that goes on gives the same bits.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from embersort.errors import BadInput
from embersort.output.staging import beside
from embersort.recording.npy import load_npz

Stage = TypeVar("Stage")

KEEP_FROM_S = 60.0
"""What took less is sooner done again than explained."""
MOST_BYTES = 8_000_000_000
MOST_OF_DISK = 0.1
"""A stage of more bytes, or of a larger share of what the disk has free, is not kept."""
_KEY = "key"

_log = logging.getLogger(__name__)


class StageStore:
    """Stages of one sort in a folder of their own.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; nowhere if not given. Made when the first is kept.
    key : str
        Hash of all that decides them. Stages of another key are removed.
    keep_from_s : float
        Stages that end before this time are not kept.
    """

    def __init__(
        self, folder: Path | None = None, key: str = "", *, keep_from_s: float = KEEP_FROM_S
    ) -> None:
        self.folder, self._key, self._keep_from_s = folder, key, keep_from_s
        self._began_s = time.monotonic()
        if folder is not None and folder.is_dir() and self._key_there() != key:
            shutil.rmtree(folder, ignore_errors=True)

    def find(self, name: str, kind: type[Stage]) -> Stage | None:
        """Return a stage that was kept, or None."""
        path = self._path(name)
        if path is None or not path.is_file():
            return None
        try:
            found = _from_arrays(kind, load_npz(path), "")
        except (BadInput, KeyError, TypeError, ValueError) as error:
            _log.warning("the stage in %s cannot be read (%s); it is done again", path, error)
            return None
        _log.warning("going on from the stage '%s' that an earlier run finished", name)
        return found

    def keep(self, name: str, stage: Stage, *, instead_of: str = "") -> Stage:
        """Keep a stage that took its time, in place of another; return it as it is stored."""
        arrays = _to_arrays(stage, "")
        path = self._path(name)
        if path is not None and time.monotonic() - self._began_s >= self._keep_from_s:
            self._write(path, arrays)
            if instead_of and path.is_file():
                (path.parent / f"{instead_of}.npz").unlink(missing_ok=True)
        return _from_arrays(type(stage), arrays, "")

    def remove(self) -> None:
        """Remove all that was kept."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def holds_any(self) -> bool:
        """Say whether a stage is kept."""
        return self.folder is not None and any(self.folder.glob("*.npz"))

    def _path(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{name}.npz"

    def _key_there(self) -> str:
        try:
            return (self.folder / _KEY).read_text("ascii") if self.folder else ""
        except (OSError, ValueError):
            return ""

    def _write(self, path: Path, arrays: dict[str, Any]) -> None:
        """Write a stage in one step; a sort does not fail for want of what it may not need."""
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            n_bytes = sum(np.asarray(array).nbytes for array in arrays.values())
            room = MOST_OF_DISK * shutil.disk_usage(path.parent).free
            if n_bytes > min(MOST_BYTES, room):
                return
            (path.parent / _KEY).write_text(self._key, "ascii")
            with unfinished.open("wb") as file:
                np.savez(file, **arrays)
            unfinished.replace(path)
        except OSError as error:
            _log.info("the stage in %s could not be kept: %s", path, error)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


def stages_beside(folder: Path, values: dict[str, Any]) -> StageStore:
    """Return the store of a sort to ``folder`` that is decided by ``values``.

    Parameters
    ----------
    folder : Path
        Where the result will be; the stages lie hidden beside it.
    values : dict
        Plain values of all that decides the stages, but for this package itself.
    """
    return StageStore(beside(folder.expanduser(), "stages"), _key_of(values))


def _key_of(values: dict[str, Any]) -> str:
    """Return the hash of values and of every file of this package."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode())
    here = Path(__file__).parent.parent
    for file in sorted(here.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _to_arrays(value: Any, prefix: str) -> dict[str, Any]:
    """Return the arrays of a dataclass by the path of their fields; what is None is left out."""
    arrays: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        part, name = getattr(value, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(part):
            arrays[f"{name}/"] = np.array(True)
            arrays |= _to_arrays(part, f"{name}/")
        elif part is not None:
            arrays[name] = np.ascontiguousarray(part) if np.ndim(part) else np.asarray(part)
    return arrays


def _from_arrays(kind: type[Stage], arrays: dict[str, Any], prefix: str) -> Stage:
    """Make a dataclass of its arrays, by the types that its fields are declared with."""
    hints, values = get_type_hints(kind), {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name, declared = f"{prefix}{field.name}", _one_type(hints[field.name])
        if f"{name}/" in arrays:
            values[field.name] = _from_arrays(declared, arrays, f"{name}/")
        elif name not in arrays:
            if type(None) not in get_args(hints[field.name]):
                raise KeyError(name)
            values[field.name] = None
        else:
            array = arrays[name]
            values[field.name] = array if array.ndim else array.item()
    return kind(**values)


def _one_type(declared: Any) -> Any:
    """Return the type of a field that may be None."""
    if get_origin(declared) in (Union, UnionType):
        return next(one for one in get_args(declared) if one is not type(None))
    return declared
