"""Files that must not change while they are read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from embersort.errors import BadInput

MOST_FILES = 2000
"""Of a folder with more, such as a large Zarr, so many are watched."""
FEW_FILES = 8
"""So many are looked at with every read, which costs a millionth of a second each."""
INTERVAL_S = 1.0
"""More than these are looked at this often."""


class Watch:
    """Lengths and times of change of files, as they were when this was made.

    Parameters
    ----------
    files : iterable of Path
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [(file, _state(file)) for file in files]
        self._lock = threading.Lock()
        self._looked_s = 0.0

    @classmethod
    def of(cls, path: Path) -> Watch:
        """Return a watch of a file, or of the files in a folder."""
        if path.is_file():
            return cls([path])
        found: list[Path] = []
        for place, _, names in os.walk(path):
            found += [Path(place) / name for name in sorted(names)]
            if len(found) > MOST_FILES:
                break
        return cls(found[:MOST_FILES])

    def states(self) -> list[tuple[str, tuple[int, int] | None]]:
        """Return the name, length and time of change of each file."""
        return [(file.name, state) for file, state in self._files]

    def check(self, start_sample: int, stop_sample: int) -> None:
        """Refuse what was read of files that have changed since.

        Raises
        ------
        BadInput
            Naming the file and the samples at which it was noticed.
        """
        if len(self._files) > FEW_FILES:
            with self._lock:
                now_s = time.monotonic()
                if now_s - self._looked_s < INTERVAL_S:
                    return
                self._looked_s = now_s
        for file, before in self._files:
            if _state(file) != before:
                raise changed(file, start_sample, stop_sample)


def changed(file: Path, start_sample: int, stop_sample: int) -> BadInput:
    """Return the error for a file that changed while it was read."""
    return BadInput(
        f"{file} was changed or cut short while it was read, noticed at samples {start_sample} to "
        f"{stop_sample}; let nothing write to it, and start again"
    )


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
