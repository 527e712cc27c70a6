"""What each part of the sort is worth: one part switched off at a time.

    OPENBLAS_NUM_THREADS=1 python benchmarks/sort_ablation.py [NAME PATTERN ...] [--parts NAME ...]

Sorts stored recordings of the benchmark (`embersort bench run dev --sorters embersort` makes them)
and prints mean accuracy over units, by the one-to-one rule, and processor seconds.
"""

from __future__ import annotations

import argparse
import time
from unittest import mock

import numpy as np

from embersort.benchmark.exchange import StoredRecording
from embersort.config import SortConfig, with_overrides
from embersort.curation import collisions
from embersort.evaluation.comparison import compare
from embersort.sorting import sort
from stored_input import as_recording, stored_recordings

COLLISIONS = "clusters of collisions"
"""No setting switches these off: they are taken to be rarer than anything."""

PARTS = {
    "everything": [],
    "small spikes": ["match.small_threshold=1000000"],
    "shape of each spike": ["match.min_explained=0", "match.min_explained_usual=0"],
    COLLISIONS: [],
    "sets of several": ["cluster.several.min_pairs=1000000"],
    "deep gaps": ["merge.deep_dip=1000000"],
    "moving templates": ["moving.n_spikes=1000000"],
    "slow time": ["cluster.n_slow=0"],
    "motion": ["motion.min_span_um=100000"],
    "second pass": ["match.n_refinements=0"],
    "networks": ["feature.method=pca"],
    "context": ["feature.context=false"],
    "noise of each match": ["match.min_snr=0"],
    "turn-taking links": ["merge.max_turn=0.001"],
    "two troughs": ["merge.min_half_cosine=1"],
    "parts by their rates": ["merge.min_swing=1000000"],
    "strangers": ["match.min_crowd=1000000"],
    "recovering spikes": ["merge.min_recovering_cosine=1", "merge.min_burst_cosine=1"],
}
"""Name and settings of each run; the first has nothing switched off."""

NAMES = [
    f"{studies}/001"
    for studies in (
        "EMBERSORT_SCENES/tetrode-drift",
        "EMBERSORT_SCENES/columns16-drift20",
        "EMBERSORT_SCENES/columns32-drift40",
        "EMBERSORT_SCENES/columns32-bursting",
        "EMBERSORT_SCENES/columns32-static",
        "EMBERSORT_SCENES/columns32-dense",
        "EMBERSORT_SCENES/columns32-noise",
        "SPIKEINTERFACE_GENERATOR/columns64-drift",
        "EMBERSORT_SCENES/tetrode-static",
    )
]
"""Recordings of the development suite, one of each kind that a part was made for."""


def measure(stored: StoredRecording, part: str) -> tuple[float, float]:
    """Return the mean accuracy over the true units, and the processor seconds, without a part."""
    config = SortConfig.parse(with_overrides({"run": {"n_workers": 1}}, PARTS[part]))
    rarer = np.inf if part == COLLISIONS else collisions.MIN_RATE_RATIO
    started = time.process_time()
    with mock.patch.object(collisions, "RARER", rarer):
        found = sort(as_recording(stored), config).sorting
    seconds = time.process_time() - started
    return float(compare(stored.truth(), found).accuracy.mean()), seconds


def main() -> None:
    """Print a row per recording and, below, the mean; a column per part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, help="suites, names or patterns")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args()
    print(f"| recording | {' | '.join(options.parts)} |\n|{'---|' * (1 + len(options.parts))}")
    figures = []
    for name, stored in stored_recordings(options.names):
        if not figures:
            # Compiling and loading are not any part's.
            measure(stored, next(iter(PARTS)))
        figures.append([measure(stored, part) for part in options.parts])
        print(f"| {name} | {' | '.join(f'{a:.3f}' for a, _ in figures[-1])} |", flush=True)
    if figures:
        accuracy, seconds = np.moveaxis(np.array(figures), 2, 0)
        print(f"| mean | {' | '.join(f'{a:.3f}' for a in accuracy.mean(axis=0))} |")
        print(f"| CPU s, total | {' | '.join(f'{s:.0f}' for s in seconds.sum(axis=0))} |")


if __name__ == "__main__":
    main()
