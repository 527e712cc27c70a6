"""The registry and the suites as the command line sees them: shipped entries and the user's own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embersort.benchmark.home import Home
from embersort.benchmark.process import Limits
from embersort.benchmark.registry import (
    ORIGIN_SUFFIX,
    RegisteredRecording,
    choose_recordings,
    read_registry,
    read_study_set,
    read_suites,
    recordings_of,
    shipped_entries,
    shipped_suites,
)
from embersort.benchmark.run import Request
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadInput


def load_registry(home: Home) -> dict[str, RegisteredRecording]:
    """Return every recording, shipped or added, by name."""
    return read_registry([shipped_entries(), home.registry])


def find_recordings(home: Home, patterns: Sequence[str]) -> list[RegisteredRecording]:
    """Return the recordings of suites and patterns (``dev``, ``SET/*/001`` …).

    Raises
    ------
    BadInput
        If a name is neither a suite nor a recording.
    """
    suites = read_suites([shipped_suites()])
    expanded: list[str] = []
    for pattern in patterns:
        expanded += suites[pattern].recordings if pattern in suites else [pattern]
    return choose_recordings(load_registry(home), expanded)


def make_requests(
    recordings: Sequence[RegisteredRecording],
    specs: Sequence[SorterSpec],
    limits: Limits,
    overrides: dict[str, Any] | None = None,
    *,
    rerun_failed: bool = False,
) -> list[Request]:
    """Return one request per recording and sorter; all recordings of one sorter in a row."""
    return [
        Request(
            recording=recording,
            spec=spec,
            limits=limits,
            overrides=overrides or {},
            rerun_failed=rerun_failed,
        )
        for spec in specs
        for recording in recordings
    ]


def add_entry(path: Path, home: Home) -> list[str]:
    """Add a study set's file to the user's registry; return the names of its recordings.

    Raises
    ------
    BadInput
        If one of the names is taken.
    """
    taken = load_registry(home)
    names = [recording.name for recording in recordings_of(read_study_set(path), path.parent)]
    for name in names:
        if name in taken:
            raise BadInput(f"there is already a recording named {name}; give yours another name")
    if len(set(names)) != len(names):
        raise BadInput(f"{path} gives two recordings one name")
    home.registry.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, home.registry / path.name)
    # Paths in the entry stay relative to where it came from.
    (home.registry / path.name).with_suffix(ORIGIN_SUFFIX).write_text(
        str(path.resolve().parent), "utf-8"
    )
    return names
