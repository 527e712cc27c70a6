"""kill -9 at random instants: nothing finished is lost, nothing half-written is read as whole.

``python benchmarks/bench_kill.py [N]`` times a suite of stand-in sorters once, then starts it N
times (20), kills it with all its children at a random instant of that time, and runs it to the
end. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "benchmark"))

from tiny_home import make_home

from embersort.benchmark.catalogue import find_recordings, make_requests
from embersort.benchmark.home import HOME_VARIABLE, Home
from embersort.benchmark.process import Limits
from embersort.benchmark.run import find_row, run_requests
from embersort.benchmark.sorters.catalogue import find_sorter

SORTERS = ("good", "slow")
LIMITS = Limits(time_s=60, memory_gib=2, disk_gib=1, n_threads=1)


def start_suite(home: Home) -> subprocess.Popen[bytes]:
    """Start the suite in a session of its own."""
    names = ["bench", "run", "TINY/*/*", "--sorters", ",".join(SORTERS), "--threads", "1"]
    limits = ["--time-limit-s", "60", "--memory-limit-gib", "2", "--disk-limit-gib", "1"]
    call = [sys.executable, "-m", "embersort.cli", *names, *limits]
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    return subprocess.Popen(
        call, stdout=subprocess.DEVNULL, start_new_session=True, env=environment
    )


def undisturbed_s() -> float:
    """Return how long the suite takes when nobody kills it."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        start_suite(make_home(Path(folder) / "home")).wait()
        return time.perf_counter() - start


def one_kill(seed: int, longest_s: float) -> dict[str, int]:
    """Start a suite, kill it, finish it; count what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder) / "home")
        specs = [find_sorter(name, home) for name in SORTERS]
        requests = make_requests(find_recordings(home, ["TINY/*/*"]), specs, LIMITS)
        process = start_suite(home)
        time.sleep(random.Random(seed).uniform(0.0, longest_s))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        before = [find_row(request, home) for request in requests]
        os.environ[HOME_VARIABLE] = str(home.folder)
        after = run_requests(requests, home)
        kept = [row for row in before if row is not None]
        return {
            "finished_before": len(kept),
            "lost_or_changed": sum(row not in after for row in kept),
            "half_read": sum(row.outcome == "ok" and not row.scores for row in kept),
            "wrong_at_end": sum(
                row.scores["one_to_one"]["summary"]["accuracy"] != 1.0 for row in after
            ),
        }


def main() -> None:
    """Kill as often as asked and print the sums."""
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    longest_s = undisturbed_s()
    totals: dict[str, int] = {"kills": n_kills}
    for seed in range(n_kills):
        for name, value in one_kill(seed, longest_s).items():
            totals[name] = totals.get(name, 0) + value
    print(json.dumps(totals))


if __name__ == "__main__":
    main()
