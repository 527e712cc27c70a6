"""A planned job in a process of its own, and what it says of its outcome."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable

from embersort.benchmark.home import HOME_VARIABLE

Said = tuple[str, str]
"""A job's outcome and error, as its process says them."""
POLL_S = 0.5
"""How often a running job asks whether it is to end."""


def never() -> bool:
    """Return that a job is not to end early."""
    return False


def run_command(command: str, home: str, is_over: Callable[[], bool] = never) -> Said:
    """Run one planned command with this interpreter; return what it says of its outcome.

    Top-level and plain, so that any executor on any machine can call it.

    Parameters
    ----------
    command : str
        As ``Request.command`` gives it.
    home : str
        Folder of the benchmark.
    is_over : callable
        Asked now and then; the job is told to end as soon as it returns True.
    """
    call = [sys.executable, "-m", "embersort.cli", *shlex.split(command)[1:]]
    process = subprocess.Popen(
        call,
        env={**os.environ, HOME_VARIABLE: home},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while True:
        try:
            printed, complaint = process.communicate(timeout=POLL_S)
            break
        except subprocess.TimeoutExpired:
            if is_over():
                process.terminate()
    try:
        said = json.loads(printed.strip().rpartition("\n")[2])
        return str(said["outcome"]), str(said["error"])
    except (ValueError, KeyError, TypeError):
        last = complaint.strip().rpartition("\n")[2]
        return "failed", f"the job's process ended with status {process.returncode}: {last}"
