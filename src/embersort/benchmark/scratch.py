"""Folders to work in, open to others as the user's umask says."""

from __future__ import annotations

import secrets
from pathlib import Path


def fresh_folder(parent: Path, prefix: str) -> Path:
    """Make a folder of a new name; unlike one of `tempfile`, it is not closed to all others."""
    while True:
        folder = parent / f"{prefix}{secrets.token_hex(8)}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
