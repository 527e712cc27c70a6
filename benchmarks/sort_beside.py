"""What sorters cost on the same recordings, in turn, so that the machine's load is shared fairly.

    python benchmarks/sort_beside.py 'EMBERSORT_SCENES/columns32-*' [--sorters embersort spikesift]
        [--repeats 3] [--threads 2]

The same process as in `embersort bench run`, packages and output included, but nothing is taken
from earlier runs or kept. Processor time is that of user and system together; the least of the
repeats.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.home import find_home
from embersort.benchmark.process import Limits, run_limited
from embersort.benchmark.sorters.catalogue import find_sorter
from embersort.benchmark.sorters.commands import worker_command
from embersort.benchmark.sorters.environments import find_installation
from stored_input import stored_recordings


def cost(stored: StoredRecording, sorter: str, limits: Limits) -> tuple[float, float]:
    """Sort once; return processor time (s) and peak memory (MiB)."""
    home = find_home()
    spec = find_sorter(sorter, home)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for below in ("output", "work"):
            (folder / below).mkdir()
        job = {
            "recording_folder": str(stored.folder),
            "output_folder": str(folder / "output"),
            "work_folder": str(folder / "work"),
            "worker_sorter": spec.worker_sorter,
            "parameters": {**spec.parameters, **spec.adapt(stored)},
            "n_threads": limits.n_threads,
            "seed": 0,
        }
        command = worker_command(spec, find_installation(spec, home), job, folder, limits, home)
        result = run_limited(command, folder, folder / "log.txt", limits, {"TMPDIR": name})
        if result.outcome != "ok":
            log = (folder / "log.txt").read_text("utf-8")
            raise SystemExit(f"{sorter}, {stored.folder.name}: {result.outcome}\n{log}")
    return result.cpu_s, result.peak_memory_mib


def main() -> None:
    """Print a row per recording; ratios are to the last sorter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+")
    parser.add_argument("--sorters", nargs="+", default=["embersort", "spikesift"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    limits = Limits(n_threads=options.threads)
    head = [f"{sorter} CPU s (MiB)" for sorter in options.sorters]
    print(f"| recording | {' | '.join(head)} | ratio |\n|{'---|' * (len(head) + 2)}")
    for name, stored in stored_recordings(options.recordings):
        costs = [
            [cost(stored, sorter, limits) for sorter in options.sorters]
            for _ in range(options.repeats)
        ]
        least = [min(column) for column in zip(*costs, strict=True)]
        cells = [f"{cpu_s:.2f} ({peak:.0f})" for cpu_s, peak in least]
        ratio = least[0][0] / least[-1][0]
        print(f"| {name} | {' | '.join(cells)} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
