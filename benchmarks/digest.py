"""Whether a change of the sort's code leaves its results as they were: a hash of each.

    python benchmarks/digest.py [NAME PATTERN ...] [--against FILE] [--write FILE]

Sorts the smoke suite, the demo's recording and three development recordings, or those that are
named, and prints one line for each: spikes, units, and hashes of spikes (sample and unit),
templates, and confidence. Recordings are made from their seeds where they are not stored yet.
``--against`` compares with lines that were written before and fails where any differs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embersort.benchmark.home import find_home
from embersort.benchmark.materialise import materialise
from embersort.benchmark.registry import choose_recordings, read_registry, shipped_entries
from embersort.simulate import demo_scene, simulate
from embersort.sorting import sort
from embersort.types import Recording, SortResult
from stored_input import as_recording

DEMO = "demo"

NAMES = [
    "EMBERSORT_SMOKE/*/*",
    DEMO,
    "EMBERSORT_SCENES/tetrode-drift/001",
    "EMBERSORT_SCENES/columns16-drift20/001",
    "EMBERSORT_SCENES/columns32-bursting/001",
]
"""Tetrode and probe, drift and none, bursts: every part of the sort has something to do."""


def recordings(names: list[str]) -> Iterator[tuple[str, Recording]]:
    """Yield name and recording of each of the names and patterns."""
    registry, home = read_registry([shipped_entries()]), find_home()
    for name in names:
        if name == DEMO:
            yield DEMO, simulate(demo_scene()).recording
            continue
        for registered in choose_recordings(registry, [name]):
            yield registered.name, as_recording(materialise(registered, home))


def digest(result: SortResult) -> str:
    """Return the hashes of a result, and how much it holds."""
    sorting, table = result.sorting, result.unit_table
    confidence = [result.spike_probability, *(table[name] for name in sorted(table))]
    return " ".join(
        [
            f"{sorting.n_spikes} spikes",
            f"{sorting.n_units} units",
            _hash([sorting.sample_index, sorting.unit_index]),
            _hash([result.templates.waveforms_uv]),
            _hash(confidence),
        ]
    )


def _hash(arrays: list[Any]) -> str:
    made = hashlib.sha256()
    for array in arrays:
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()[:12]


def main() -> int:
    """Digest what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    before = arguments.against.read_text("utf-8").splitlines() if arguments.against else []
    lines, n_changed = [], 0
    for name, recording in recordings(arguments.names):
        since = time.perf_counter()
        line = f"{name}: {digest(sort(recording))}"
        changed = bool(before) and line not in before
        n_changed += changed
        lines.append(line)
        took = time.perf_counter() - since
        print(f"{line}  ({took:.0f} s){'  CHANGED' if changed else ''}", flush=True)
    if arguments.write:
        arguments.write.write_text("\n".join(lines) + "\n", "utf-8")
    return 1 if n_changed else 0


if __name__ == "__main__":
    sys.exit(main())
