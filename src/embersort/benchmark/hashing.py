"""Hashes that name things by what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BLOCK_BYTES = 1 << 20


def hash_json(value: Any) -> str:
    """Return the SHA-256 of a plain value; the order of a mapping's keys does not matter.

    Raises
    ------
    TypeError, ValueError
        If the value is not plain JSON or holds NaN.

    Examples
    --------
    >>> hash_json({"a": 1, "b": 2}) == hash_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path, paths: Iterable[Path]) -> str:
    """Return one hash of files' contents and their paths relative to ``folder``."""
    return hash_json({path.relative_to(folder).as_posix(): hash_file(path) for path in paths})
