"""Recordings of the benchmark that are stored already, as the sort recipe takes them."""

from __future__ import annotations

from collections.abc import Iterator

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.home import find_home
from embersort.benchmark.materialise import find_alike
from embersort.benchmark.registry import (
    choose_recordings,
    read_registry,
    read_suites,
    shipped_entries,
    shipped_suites,
)
from embersort.recording import ArrayRecording


def stored_recordings(names: list[str]) -> Iterator[tuple[str, StoredRecording]]:
    """Yield name and stored recording, with truth, of suites, names or patterns.

    What is not stored is said and left out: `embersort bench run` makes it.
    """
    suites = read_suites([shipped_suites()])
    patterns = [p for n in names for p in (suites[n].recordings if n in suites else [n])]
    home = find_home()
    for registered in choose_recordings(read_registry([shipped_entries()]), patterns):
        stored = find_alike(registered, home)
        if stored is None or not stored.has_truth:
            print(f"{registered.name}: not stored, left out", flush=True)
            continue
        yield registered.name, stored


def as_recording(stored: StoredRecording) -> ArrayRecording:
    """Return a stored recording, mapped from disk."""
    return ArrayRecording(
        traces=stored.traces(),
        sampling_rate_hz=stored.sampling_rate_hz,
        geometry=stored.geometry,
        gain_uv=stored.uv_per_count,
    )
