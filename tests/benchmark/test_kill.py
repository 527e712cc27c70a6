"""kill -9 at random instants: no finished job is lost, no half result is read as whole.

Few instants here; 50 by ``make torture``.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_run import requests

from embersort.benchmark.run import find_row, run_requests

N_KILLS = int(os.environ.get("EMBERSORT_TORTURE", "2"))


@pytest.mark.parametrize("seed", range(N_KILLS))
def test_killed_at_any_instant_it_continues(home, calls, seed):
    todo = requests(home, "good", "slow")
    names = ["bench", "run", "TINY/*/*", "--sorters", "good,slow", "--threads", "1"]
    limits = ["--time-limit-s", "20", "--memory-limit-gib", "2", "--disk-limit-gib", "1"]
    call = [sys.executable, "-m", "embersort.cli", *names, *limits]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, start_new_session=True)
    time.sleep(random.Random(seed).uniform(0.5, 5.0))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = [find_row(request, home) for request in todo]
    n_calls = len(calls())
    rows = run_requests(todo, home)
    assert [row.scores["one_to_one"]["summary"]["accuracy"] for row in rows] == [1.0] * 4
    for before, after in zip(finished, rows, strict=True):
        if before is not None:
            assert before == after
    n_finished = sum(row is not None for row in finished)
    assert len(calls()) - n_calls == 4 - n_finished


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system tells of no death")
@pytest.mark.parametrize("told", [signal.SIGKILL, signal.SIGTERM])
def test_no_job_outlives_its_parent(home, calls, told):
    names = ["bench", "run", "TINY/pair/a", "--sorters", "hang", "--threads", "1"]
    call = [sys.executable, "-m", "embersort.cli", *names]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not calls() and time.monotonic() < until:
        time.sleep(0.05)
    assert calls() == ["hang"]
    process.send_signal(told)
    process.wait(timeout=30)
    until = time.monotonic() + 20
    while _of_home(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert _of_home(home) == []


def _of_home(home):
    """Return the processes that belong to a test's own home, by their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(home.folder) in command and int(entry.name) != os.getpid():
            found.append(command)
    return found
