"""A sorter in a process of its own, within limits of time, memory, disk and threads."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from embersort.config import Config

Outcome = Literal["ok", "failed", "time_out", "out_of_memory", "disk_full"]

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""What the libraries under the sorters obey."""

POLL_S = (0.02, 0.5)
"""Shortest and longest wait between looks at memory and time; a look costs some milliseconds."""
POLL_SHARE = 0.05
"""In between, the wait is this share of the time that has passed."""
DISK_POLL_S = 2.0
"""How often the working folder is measured; it costs a walk through it."""
PR_SET_PDEATHSIG = 1
"""Linux, <sys/prctl.h>: the signal that a process gets when its parent dies."""


class Limits(Config):
    """What one job may use."""

    time_s: float = Field(3600.0, gt=0)
    """Wall time."""
    memory_gib: float = Field(16.0, gt=0)
    """Resident memory of the process and all its children."""
    disk_gib: float = Field(50.0, gt=0)
    """Size of the working folder."""
    n_threads: int = Field(2, ge=1)
    """Threads of each numerical library, and processors the process may use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessResult:
    """How a process ended and what it cost.

    Attributes
    ----------
    outcome : {"ok", "failed", "time_out", "out_of_memory", "disk_full"}
    exit_code : int
        Negative: the signal that ended it.
    wall_s, cpu_s : float
        Whole process with its children, from start to end.
    peak_memory_mib : float
        Largest resident memory of the process and its children together.
    """

    outcome: Outcome
    exit_code: int
    wall_s: float
    cpu_s: float
    peak_memory_mib: float


def run_limited(
    command: Sequence[str],
    folder: Path,
    log: Path,
    limits: Limits,
    environment: Mapping[str, str] | None = None,
) -> ProcessResult:
    """Run a command within limits and wait for its end.

    The command gets a session of its own; when a limit is passed, or this
    process dies, the session is killed.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Working folder, measured against the disk limit.
    log : Path
        File that takes what the command prints.
    limits : Limits
    environment : mapping, optional
        Variables on top of this process's own.

    Returns
    -------
    ProcessResult
        A command that cannot be started counts as failed; the log says why.
    """
    variables = dict(os.environ) | {name: str(limits.n_threads) for name in THREAD_VARIABLES}
    variables |= {"PYTHONUNBUFFERED": "1", **(environment or {})}
    # A sorter's interpreter must not see this one's packages.
    variables.pop("PYTHONPATH", None)
    variables.pop("PYTHONHOME", None)
    start = time.perf_counter()
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_prepare(limits.n_threads),
            )
        except OSError as error:
            output.write(f"cannot start {command[0]}: {error}\n".encode())
            return ProcessResult(
                outcome="failed", exit_code=127, wall_s=0.0, cpu_s=0.0, peak_memory_mib=0.0
            )
    return _watch(process, folder, limits, start)


def _watch(
    process: subprocess.Popen[bytes], folder: Path, limits: Limits, start: float
) -> ProcessResult:
    """Poll a process until it ends or passes a limit; kill what it leaves behind."""
    outcome: Outcome = "ok"
    peak_bytes, cpu_s, next_disk_s = 0, 0.0, 0.0
    try:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            wall_s = time.perf_counter() - start
            if pid:
                break
            memory_bytes, live_cpu_s = session_usage(process.pid)
            peak_bytes, cpu_s = max(peak_bytes, memory_bytes), max(cpu_s, live_cpu_s)
            if wall_s > limits.time_s:
                outcome = "time_out"
            elif memory_bytes > limits.memory_gib * 2**30:
                outcome = "out_of_memory"
            elif wall_s >= next_disk_s:
                next_disk_s = wall_s + DISK_POLL_S
                if folder_bytes(folder) > limits.disk_gib * 2**30:
                    outcome = "disk_full"
            if outcome != "ok":
                kill_session(process.pid)
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(min(POLL_S[1], max(POLL_S[0], POLL_SHARE * wall_s)))
    finally:
        kill_session(process.pid)
    exit_code = os.waitstatus_to_exitcode(status)
    process.returncode = exit_code
    if outcome == "ok" and exit_code != 0:
        outcome = "failed"
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak_bytes = max(peak_bytes, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
    return ProcessResult(
        outcome=outcome,
        exit_code=exit_code,
        wall_s=time.perf_counter() - start,
        cpu_s=max(cpu_s, usage.ru_utime + usage.ru_stime),
        peak_memory_mib=peak_bytes / 2**20,
    )


def session_usage(session: int) -> tuple[int, float]:
    """Return resident bytes and CPU seconds of all live processes of a session (Linux).

    CPU seconds include those of children that have ended. Elsewhere than on
    Linux both are 0, and only the totals at the end are known.
    """
    page_bytes, tick_s = os.sysconf("SC_PAGE_SIZE"), 1 / os.sysconf("SC_CLK_TCK")
    memory_bytes, cpu_s = 0, 0.0
    for fields in _session_processes(session).values():
        cpu_s += sum(int(value) for value in fields[11:15]) * tick_s
        memory_bytes += int(fields[21]) * page_bytes
    return memory_bytes, cpu_s


def kill_session(session: int) -> None:
    """Kill every process of a session at once."""
    for pid in {session, *_session_processes(session)}:
        try:
            if pid == session:
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def folder_bytes(folder: Path) -> int:
    """Return the size of all files under a folder, as far as they last."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # noqa: PTH118
            except OSError:
                continue
    return total


def _session_processes(session: int) -> dict[int, list[str]]:
    """Return the fields after the name in ``/proc/PID/stat`` of each process of a session."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may itself hold spaces and parentheses.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found[int(path.parent.name)] = fields
    return found


def _prepare(n_threads: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Return what the child does before it becomes the command: die with us, use few processors."""
    linux = sys.platform.startswith("linux")
    library = ctypes.CDLL(None) if linux else None
    allowed = sorted(os.sched_getaffinity(0)) if linux else []
    # Jobs that run side by side have different parents: spread them over the processors.
    offset = os.getpid() % max(1, len(allowed) // n_threads) * n_threads
    processors = allowed[offset : offset + n_threads]

    def prepare() -> None:
        if library is not None:
            library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, processors)

    return prepare
