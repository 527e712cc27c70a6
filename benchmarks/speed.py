"""What sorters and revisions cost on the same recordings, in turn, so that load is shared fairly.

    python benchmarks/speed.py 'EMBERSORT_SCENES/columns32-*' [--repeats 3] [--threads 2]
        [--contestants floor embersort @v0.2.0 spikesift] [--rows speed.jsonl]

A contestant is a sorter by name, a revision of Embersort as ``@REVISION`` (a tag, branch or commit
of this repository, on the packages that are installed here), or ``floor``: every sample read,
filtered and whitened once, and nothing else, which no sorter that whitens goes below.

The same process as in `embersort bench run`, packages and output included, but nothing is taken
from earlier runs or kept. Each repeat runs every contestant once; what is shown is the least of the
repeats, so that kernels compiled in the first do not count. Processor time is that of user and
system together. Ratios are to the last contestant.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.home import Home, find_home
from embersort.benchmark.process import Limits, ProcessResult, run_limited
from embersort.benchmark.sorters.catalogue import find_sorter
from embersort.benchmark.sorters.commands import worker_command
from embersort.benchmark.sorters.environments import find_installation
from stored_input import stored_recordings

TOP = Path(__file__).resolve().parents[1]
FLOOR = "floor"
RUN_REVISION = """
import runpy, sys
source, worker, job = sys.argv[1:]
sys.path[:0] = [source, worker.rpartition("/")[0]]
sys.argv = [worker, job]
runpy.run_path(worker, run_name="__main__")
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """The least that a contestant needed on a recording.

    Attributes
    ----------
    cpu_s, wall_s : float
    peak_memory_mib : float
    """

    cpu_s: float
    wall_s: float
    peak_memory_mib: float


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Give the source of a revision, in a place that goes again."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "tree"
        archive = Path(name) / "tree.tar"
        git = ["git", "-C", str(TOP), "archive", "--output", str(archive), revision, "src"]
        subprocess.run(git, check=True)
        place.mkdir()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(place)], check=True)
        yield place / "src"


def command_of(
    contestant: str, sources: dict[str, Path], job: dict, folder: Path, limits: Limits, home: Home
) -> list[str]:
    """Return what runs a contestant on a job, whose file is written."""
    if contestant == FLOOR:
        return [
            sys.executable,
            str(Path(__file__).resolve()),
            "--run-floor",
            job["recording_folder"],
        ]
    spec = find_sorter("embersort" if contestant in sources else contestant, home)
    command = worker_command(spec, find_installation(spec, home), job, folder, limits, home)
    if contestant not in sources:
        return command
    source = sources[contestant]
    worker = source / "embersort/benchmark/sorters/workers/run_embersort.py"
    return [sys.executable, "-c", RUN_REVISION, str(source), str(worker), command[-1]]


def run_once(
    stored: StoredRecording, contestant: str, sources: dict[str, Path], limits: Limits
) -> ProcessResult:
    """Sort once, in a folder that goes again."""
    home = find_home()
    spec = None if contestant in (FLOOR, *sources) else find_sorter(contestant, home)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for below in ("output", "work"):
            (folder / below).mkdir()
        job = {
            "recording_folder": str(stored.folder),
            "output_folder": str(folder / "output"),
            "work_folder": str(folder / "work"),
            "worker_sorter": spec.worker_sorter if spec else "",
            "parameters": {**spec.parameters, **spec.adapt(stored)} if spec else {},
            "n_threads": limits.n_threads,
            "seed": 0,
        }
        command = command_of(contestant, sources, job, folder, limits, home)
        result = run_limited(command, folder, folder / "log.txt", limits, {"TMPDIR": name})
        if result.outcome != "ok":
            log = (folder / "log.txt").read_text("utf-8")
            raise SystemExit(f"{contestant}, {stored.folder.name}: {result.outcome}\n{log}")
    return result


def run_floor(folder: Path) -> None:
    """Read, filter and whiten every sample of a stored recording once."""
    from embersort.config import SortConfig
    from embersort.machine import collect_rarely, keep_freed_memory, one_thread_of_linear_algebra

    collect_rarely()
    keep_freed_memory()
    one_thread_of_linear_algebra()

    from embersort.recording import open_recording
    from embersort.signal.front import make_front

    facts = json.loads((folder / "recording.json").read_text("utf-8"))
    recording = open_recording(
        folder / "traces.raw",
        format="binary",
        sampling_rate_hz=facts["sampling_rate_hz"],
        n_channels=facts["n_channels"],
        dtype="int16",
        probe=folder / "probe.json",
    )
    front = make_front(recording, SortConfig())
    for tile in front.tiles():
        front.white_tile(tile)


def least(results: list[ProcessResult]) -> Cost:
    """Return the least of each cost over the repeats."""
    return Cost(
        cpu_s=min(result.cpu_s for result in results),
        wall_s=min(result.wall_s for result in results),
        peak_memory_mib=min(result.peak_memory_mib for result in results),
    )


def revision() -> str:
    """Return the commit of this repository, with a plus where files were changed since."""
    asked = ["git", "-C", str(TOP), "describe", "--always", "--dirty=+", "--abbrev=7"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Print a row per recording, and write one per recording and contestant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="*")
    parser.add_argument("--contestants", nargs="+", default=[FLOOR, "embersort", "spikesift"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=Path, help="JSON lines to append to, for the results page.")
    parser.add_argument("--run-floor", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_floor:
        run_floor(options.run_floor)
        return
    limits = Limits(n_threads=options.threads)
    names = options.contestants
    head = [f"{name} CPU s (MiB)" for name in names]
    print(f"| recording | {' | '.join(head)} | ratios |\n|{'---|' * (len(head) + 2)}")
    common = {
        "revision": revision(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()} {platform.system()}",
        "repeats": options.repeats,
        "n_threads": options.threads,
    }
    with ExitStack() as stack:
        sources = {n: stack.enter_context(checked_out(n[1:])) for n in names if n[0] == "@"}
        for recording, stored in stored_recordings(options.recordings):
            results: dict[str, list[ProcessResult]] = {name: [] for name in names}
            for _ in range(options.repeats):
                for name in names:
                    results[name].append(run_once(stored, name, sources, limits))
            costs = {name: least(results[name]) for name in names}
            cells = [f"{costs[n].cpu_s:.2f} ({costs[n].peak_memory_mib:.0f})" for n in names]
            ratios = [f"{costs[n].cpu_s / costs[names[-1]].cpu_s:.2f}" for n in names[:-1]]
            print(f"| {recording} | {' | '.join(cells)} | {', '.join(ratios)} |", flush=True)
            if options.rows:
                with options.rows.open("a", encoding="utf-8") as file:
                    for name, cost in costs.items():
                        row = {
                            **common,
                            "recording": recording,
                            "contestant": name,
                            "cpu_s": round(cost.cpu_s, 3),
                            "wall_s": round(cost.wall_s, 3),
                            "peak_memory_mib": round(cost.peak_memory_mib, 1),
                        }
                        file.write(json.dumps(row, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
