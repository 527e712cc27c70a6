"""What each part of the sort is worth: one part switched off at a time.

    OPENBLAS_NUM_THREADS=1 python benchmarks/sort_ablation.py [NAME PATTERN ...] [--parts NAME ...]

Sorts stored recordings of the benchmark (`embersort bench run dev --sorters embersort` makes them)
and prints mean accuracy over units, by the one-to-one rule, and processor seconds.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from unittest import mock

import numpy as np

from embersort.benchmark.exchange import StoredRecording
from embersort.config import SortConfig, with_overrides
from embersort.evaluation.comparison import compare
from embersort.sorting import sort
from stored_input import as_recording, stored_recordings


@dataclass(frozen=True, kw_only=True)
class Part:
    """How a part of the sort is switched off: by settings, or by constants of its modules."""

    settings: tuple[str, ...] = ()
    constants: dict[str, float] = field(default_factory=dict)


PARTS = {
    "everything": Part(),
    "attenuated spikes": Part(constants={"matching.single_fit.ATTENUATED_THRESHOLD": 1e6}),
    "shape of each spike": Part(
        constants={
            "curation.spikes.MIN_EXPLAINED": 0,
            "curation.spikes.MIN_EXPLAINED_ATTENUATED": 0,
        }
    ),
    "clusters of collisions": Part(constants={"curation.collisions.MIN_RATE_RATIO": np.inf}),
    "multi-unit test": Part(constants={"curation.multi_unit.MIN_PAIRS": 1e6}),
    "deep gaps": Part(constants={"curation.merge.DEEP_DIP": 1e6}),
    "tracked templates": Part(constants={"templates.tracking.N_SPIKES": 10**6}),
    "slow time": Part(
        constants={"clustering.neighbourhoods.N_SLOW": 0, "clustering.time_merge.N_SLOW": 0}
    ),
    "motion": Part(settings=("motion.max_displacement_um=0",)),
    "second pass": Part(settings=("match.n_refinements=0",)),
    "networks": Part(settings=("feature.method=pca",)),
    "context": Part(settings=("feature.context=false",)),
    "noise of each match": Part(settings=("match.min_snr=0",)),
    "turn-taking links": Part(constants={"curation.links.MAX_TURN": 0.001}),
    "two troughs": Part(constants={"curation.merge.MIN_DOUBLE_TROUGH_COSINE": 1}),
    "drift-split merge": Part(constants={"curation.drift_merge.MIN_SWING": 1e6}),
    "low-amplitude contamination": Part(constants={"curation.amplitude_mixture.MIN_EVIDENCE": 1e6}),
    "recovering spikes": Part(
        constants={"curation.merge.MIN_RECOVERING_COSINE": 1, "curation.merge.MIN_BURST_COSINE": 1}
    ),
    "epochs": Part(constants={"motion.epochs.MIN_JUMP_UM": 1e6}),
    "rare clusters": Part(constants={"clustering.rare.MIN_EVENTS": 10**9}),
    "few beside many": Part(constants={"curation.merge.MOST_FEW": -1}),
    "reassignment": Part(constants={"curation.reassignment.MOST_FEW": 0}),
    "bursts beyond chance": Part(constants={"curation.links.MAX_BURST_CHANCE": 2}),
}
"""What is switched off in each run; the first has everything."""

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


@contextmanager
def changed(constants: dict[str, float]) -> Iterator[None]:
    """Give constants, by module and name, other values within the block."""
    with ExitStack() as stack:
        for path, value in constants.items():
            module, _, name = path.rpartition(".")
            owner = importlib.import_module(f"embersort.{module}")
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def measure(stored: StoredRecording, part: str) -> tuple[float, float]:
    """Return the mean accuracy over the true units, and the processor seconds, without a part."""
    off = PARTS[part]
    config = SortConfig.parse(with_overrides({"run": {"n_workers": 1}}, off.settings))
    started = time.process_time()
    with changed(off.constants):
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
