"""A planned job in a process of its own, and what it says of its outcome."""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable

from embersort.benchmark.home import HOME_VARIABLE
from embersort.benchmark.process import PR_SET_PDEATHSIG

PARENT_VARIABLE = "EMBERSORT_PARENT"
"""Environment variable with the process that a job is not to outlive."""
Said = tuple[str, str]
"""A job's outcome and error, as its process says them."""
POLL_S = 0.5
"""How often a running job asks whether it is to end."""


def never() -> bool:
    """Return that a job is not to end early."""
    return False


def end_with_parent() -> None:
    """Let this job be told to end when the process that started it dies, however it dies (Linux).

    A parent that is killed cannot tell its jobs anything; the system does.
    """
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if not parent or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        # It died before it could be watched.
        os.kill(os.getpid(), signal.SIGTERM)


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
        env={**os.environ, HOME_VARIABLE: home, PARENT_VARIABLE: str(os.getpid())},
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
