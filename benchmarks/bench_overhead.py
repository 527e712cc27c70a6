"""What the benchmark itself costs: scoring, a cached job, a suite with nothing to do.

``python benchmarks/bench_overhead.py`` prints one JSON line per figure, with the load of the
machine: figures measured beside other load are upper bounds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "benchmark"))

from tiny_home import make_home

from embersort.benchmark.catalogue import find_recordings, make_requests
from embersort.benchmark.process import Limits
from embersort.benchmark.run import find_row, run_requests
from embersort.benchmark.sorters.catalogue import find_sorter
from embersort.evaluation.comparison import compare
from embersort.types import Sorting

N_UNITS, N_SPIKES, RATE_HZ, DURATION_S = 100, 1_000_000, 30_000.0, 1000.0
N_CACHED = 20


def say(**facts: object) -> None:
    """Print one figure."""
    print(json.dumps({**facts, "load_average": round(os.getloadavg()[0], 1)}), flush=True)


def random_sorting(rng: np.random.Generator, sample: np.ndarray, unit: np.ndarray) -> Sorting:
    """Return nine tenths of the spikes, each moved by up to 5 samples."""
    kept = np.flatnonzero(rng.random(len(sample)) < 0.9)
    moved = sample[kept] + rng.integers(-5, 6, len(kept))
    order = np.argsort(moved, kind="stable")
    return Sorting(
        sample_index=moved[order],
        unit_index=unit[kept][order],
        unit_ids=np.arange(N_UNITS),
        sampling_rate_hz=RATE_HZ,
        n_samples=int(DURATION_S * RATE_HZ) + 10,
    )


def scoring() -> None:
    """Time a comparison of two large sortings."""
    rng = np.random.default_rng(0)
    sample = np.sort(rng.integers(10, int(DURATION_S * RATE_HZ), N_SPIKES))
    unit = rng.integers(0, N_UNITS, N_SPIKES)
    truth, found = random_sorting(rng, sample, unit), random_sorting(rng, sample, unit)
    compare(truth, found)
    start = time.perf_counter()
    compare(truth, found)
    say(
        what=f"compare {N_UNITS} x {N_UNITS} units",
        n_spikes=truth.n_spikes + found.n_spikes,
        wall_s=round(time.perf_counter() - start, 3),
    )


def cached() -> None:
    """Time finding a job that was done before."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        os.environ["EMBERSORT_HOME"] = str(home.folder)
        specs = [find_sorter("good", home)]
        requests = make_requests(find_recordings(home, ["TINY/*/*"]), specs, Limits())
        run_requests(requests, home)
        start = time.perf_counter()
        for _ in range(N_CACHED):
            for request in requests:
                find_row(request, home)
        each_s = (time.perf_counter() - start) / (N_CACHED * len(requests))
        say(what="cached job", wall_ms=round(1e3 * each_s, 2))


if __name__ == "__main__":
    scoring()
    cached()
