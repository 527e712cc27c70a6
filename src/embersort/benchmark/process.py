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

import psutil
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
LINUX = sys.platform.startswith("linux")
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

    The command gets a session of its own; when a limit is passed, it and all that it started are
    killed; on Linux also when this process dies.

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
                preexec_fn=_prepare(limits.n_threads) if LINUX else None,
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
    family = Family(process.pid)
    peak_bytes, cpu_s, next_disk_s = 0, 0.0, 0.0
    try:
        while True:
            ended = _reap(process, wait=False)
            wall_s = time.perf_counter() - start
            if ended is not None:
                break
            memory_bytes, live_cpu_s = family.usage()
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
                family.kill()
                ended = _reap(process, wait=True)
                break
            time.sleep(min(POLL_S[1], max(POLL_S[0], POLL_SHARE * wall_s)))
    finally:
        family.kill()
    exit_code, total_cpu_s, total_peak_bytes = ended or (1, 0.0, 0)
    process.returncode = exit_code
    if outcome == "ok" and exit_code != 0:
        outcome = "failed"
    return ProcessResult(
        outcome=outcome,
        exit_code=exit_code,
        wall_s=time.perf_counter() - start,
        cpu_s=max(cpu_s, total_cpu_s),
        peak_memory_mib=max(peak_bytes, total_peak_bytes) / 2**20,
    )


class Family:
    """A process with all that it started, also what has lost its parent meanwhile.

    Parameters
    ----------
    pid : int
        Of a child that leads a session of its own where the system has sessions.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: set[psutil.Process] = set()

    def usage(self) -> tuple[int, float]:
        """Return resident bytes and CPU seconds of all that live.

        CPU seconds include those of ended children where the system tells them (Linux).
        """
        memory_bytes, cpu_s = 0, 0.0
        for member in self._look():
            try:
                memory_bytes += member.memory_info().rss
                cpu_s += sum(member.cpu_times()[:4])
            except psutil.Error:
                continue
        return memory_bytes, cpu_s

    def kill(self) -> None:
        """Kill all that live. What has ended is never mistaken for another of its number."""
        for member in self._look():
            try:
                member.kill()
            except psutil.Error:
                continue

    def _look(self) -> set[psutil.Process]:
        """Return the members that live: descendants, those of the session, and those seen before.

        A child whose parent ended belongs to another tree; the session, and having been seen, give
        it away.
        """
        found = set(self._seen)
        try:
            leader = psutil.Process(self._pid)
            found |= {leader, *leader.children(recursive=True)}
        except psutil.Error:
            pass
        for pid in psutil.pids() if hasattr(os, "getsid") else ():
            try:
                if os.getsid(pid) == self._pid:
                    found.add(psutil.Process(pid))
            except (OSError, psutil.Error):
                continue
        self._seen = {member for member in found if _lives(member)}
        return self._seen


def _lives(member: psutil.Process) -> bool:
    try:
        return member.is_running() and member.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _reap(process: subprocess.Popen[bytes], *, wait: bool) -> tuple[int, float, int] | None:
    """Return a child's exit code, CPU seconds and peak bytes; None while it runs.

    Where the system does not count for its parent (Windows), the last two are 0 and what was seen
    while it ran stands.
    """
    if not hasattr(os, "wait4"):
        code = process.wait() if wait else process.poll()
        return None if code is None else (code, 0.0, 0)
    pid, status, used = os.wait4(process.pid, 0 if wait else os.WNOHANG)
    if not pid:
        return None
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, peak_bytes


def folder_bytes(folder: Path) -> int:
    """Return the size of all files under a folder, as far as they last."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                facts = os.lstat(os.path.join(root, name))  # noqa: PTH118
            except OSError:
                continue
            # Windows does not count blocks.
            total += facts.st_blocks * 512 if hasattr(facts, "st_blocks") else facts.st_size
    return total


def _prepare(n_threads: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Return what a child does before it becomes the command: die with us, use few processors.

    For Linux.
    """
    library = ctypes.CDLL(None)
    allowed = sorted(os.sched_getaffinity(0))
    # Jobs that run side by side have different parents: spread them over the processors.
    offset = os.getpid() % max(1, len(allowed) // n_threads) * n_threads
    processors = allowed[offset : offset + n_threads]

    def prepare() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, processors)

    return prepare
