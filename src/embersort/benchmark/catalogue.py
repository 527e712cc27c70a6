"""The registry and the suites as the command line sees them: shipped entries and the user's own."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embersort.benchmark.home import Home
from embersort.benchmark.materialise import find_alike
from embersort.benchmark.pins import read_pins
from embersort.benchmark.process import Limits
from embersort.benchmark.registry import (
    ORIGIN_SUFFIX,
    RegisteredRecording,
    StudySet,
    Suite,
    choose_recordings,
    is_open,
    read_entries,
    read_registry,
    read_study_set,
    read_suites,
    recordings_of,
    shipped_entries,
    shipped_suites,
)
from embersort.benchmark.run import Request
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadConfig, BadInput

_log = logging.getLogger(__name__)


def load_registry(home: Home) -> dict[str, RegisteredRecording]:
    """Return every recording, shipped or added, by name.

    An added file that is wrong, and a recording whose name is taken, are left
    out with a warning: one bad entry must not stop the others.
    """
    return read_registry([shipped_entries(), home.registry], on_error=_warn)


def load_suites(home: Home) -> dict[str, Suite]:
    """Return every suite, shipped or the user's own, by name."""
    return read_suites([shipped_suites(), home.suites])


def find_recordings(home: Home, patterns: Sequence[str]) -> list[RegisteredRecording]:
    """Return the recordings of suites and patterns (``dev``, ``SET/*/001`` …).

    Raises
    ------
    BadInput
        If a name is neither a suite nor a recording.
    """
    suites = load_suites(home)
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


def describe_recording(recording: RegisteredRecording, home: Home) -> dict[str, Any]:
    """Return what the registry, the first fetch, and the stored recording say of a recording."""
    stored = find_alike(recording, home)
    made = asdict(stored) if stored is not None else {}
    facts = ("folder", "content", "n_channels", "n_samples", "sampling_rate_hz", "drift_um")
    return {
        "recording": recording.name,
        "study_set": recording.study_set.model_dump(mode="json", exclude={"studies"}),
        "study": recording.study.model_dump(mode="json", exclude={"recordings"}),
        "source": recording.entry.source.model_dump(mode="json"),
        "fetched": read_pins(recording.name, home),
        "made": {name: made[name] for name in facts} | {"folder": str(made["folder"])}
        if made
        else None,
    }


def describe_set(study_set: StudySet) -> dict[str, Any]:
    """Return what the registry says of a study set, with the names of its studies' recordings."""
    studies = [
        {
            "name": study.name,
            "description": study.description,
            "sources": sorted({entry.source.kind for entry in study.recordings}),
            "recordings": [entry.name for entry in study.recordings],
        }
        for study in study_set.studies
    ]
    return study_set.model_dump(mode="json") | {"studies": studies}


def add_entry(path: Path, home: Home, *, replace: bool = False) -> list[str]:
    """Add a study set's file to the user's registry; return the names of its recordings.

    Parameters
    ----------
    path : Path
    home : Home
    replace : bool
        Whether a file of that name which was added before gives way.

    Raises
    ------
    BadInput
        If one of the names is taken, or a file of that name was added before.
    """
    place = home.registry / path.name
    names = [r.name for r in recordings_of(read_study_set(path), path.parent)]
    if place.exists() and not replace:
        raise BadInput(
            f"an entry named {path.name} was added before ({place}); "
            "rename yours, or give --replace"
        )
    if len(set(names)) != len(names):
        raise BadInput(f"{path} gives two recordings one name")
    others = [*shipped_entries().glob("*.toml"), *home.registry.glob("*.toml")]
    taken = read_entries([other for other in others if other != place], on_error=_warn)
    for name in names:
        if name in taken and not is_open(taken[name].entry.source):
            raise BadInput(f"there is already a recording named {name}; give yours another name")
    home.registry.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, place)
    # Paths in the entry stay relative to where it came from.
    place.with_suffix(ORIGIN_SUFFIX).write_text(str(path.resolve().parent), "utf-8")
    return names


def _warn(error: BadConfig) -> None:
    _log.warning("%s; left out", error)
