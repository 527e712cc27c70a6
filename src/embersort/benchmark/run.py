"""A suite: every recording with every sorter, cached, in a pool or on Dask."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.home import HOME_VARIABLE, Home
from embersort.benchmark.jobs import Job, find_result, job_command, run_job
from embersort.benchmark.materialise import find_made, materialise
from embersort.benchmark.process import Limits
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.scores import measure_result, score_result, truth_table
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.benchmark.store import Entry
from embersort.errors import EmbersortError

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One sorter on one recording, with its outcome and scores.

    Attributes
    ----------
    recording, sorter : str
    outcome : str
        ``ok``, or why there is no sorting: ``failed``, ``time_out``, ``out_of_memory``,
        ``disk_full``, ``no_recording``, ``not_installed``.
    error : str
    result : dict
        The record of the sort; empty where it was not run.
    scores : dict
        By rule; empty where there are none.
    truth : dict
        Columns of the true units; empty where there are none.
    units : dict
        Columns of the found units; empty where there is no sorting.
    """

    recording: str
    sorter: str
    outcome: str
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)
    units: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A recording by name, a sorter, and the limits: a job before the recording exists.

    Attributes
    ----------
    recording : RegisteredRecording
    spec : SorterSpec
    limits : Limits
    overrides : dict
    rerun_failed : bool
    """

    recording: RegisteredRecording
    spec: SorterSpec
    limits: Limits
    overrides: dict[str, Any] = field(default_factory=dict)
    rerun_failed: bool = False

    def command(self) -> str:
        """Return the command line that carries out this request alone."""
        line = job_command(self.recording.name, self.spec.name, self.limits, self.overrides)
        return f"{line} --rerun-failed" if self.rerun_failed else line


def carry_out(request: Request, home: Home) -> Row:
    """Make the recording, sort it, score it: whatever of that is not there already.

    Never raises for what a recording or a sorter does: that is the row's outcome.
    """
    recording, sorter = request.recording.name, request.spec.name
    try:
        stored = materialise(request.recording, home)
    except EmbersortError as error:
        return Row(recording=recording, sorter=sorter, outcome="no_recording", error=str(error))
    if stored.n_channels < request.spec.min_channels:
        needed = f"{request.spec.title} needs at least {request.spec.min_channels} channels"
        return Row(recording=recording, sorter=sorter, outcome="failed", error=needed)
    try:
        job = _job(request, stored)
        result = run_job(job, home, rerun_failed=request.rerun_failed)
    except EmbersortError as error:
        return Row(recording=recording, sorter=sorter, outcome="not_installed", error=str(error))
    return result_row(request.recording.name, stored, result, home)


def find_row(request: Request, home: Home) -> Row | None:
    """Return the row of a request whose recording and sort are there already, else None."""
    try:
        stored = find_made(request.recording, home)
        if stored is None or stored.n_channels < request.spec.min_channels:
            return None
        result = find_result(_job(request, stored), home)
    except EmbersortError:
        return None
    if result is None or (request.rerun_failed and result.record["outcome"] != "ok"):
        return None
    return result_row(request.recording.name, stored, result, home)


def run_requests(
    requests: Sequence[Request],
    home: Home,
    *,
    executor: Executor | None = None,
    n_jobs: int = 1,
    say: Say = lambda _: None,
) -> list[Row]:
    """Carry out requests, each in a process of its own, and return their rows in order.

    Parameters
    ----------
    requests : sequence of Request
    home : Home
    executor : concurrent.futures.Executor, optional
        Where jobs run, for example Dask's; by default ``n_jobs`` local processes.
    n_jobs : int
        Jobs at a time by default.
    say : callable
        Takes one line per job done: how many are done, run and failed, and the time left.
    """
    rows: dict[int, Row] = {}
    waiting = []
    for index, request in enumerate(requests):
        row = find_row(request, home)
        if row is None:
            waiting.append(index)
        else:
            rows[index] = row
    say(f"{len(requests)} jobs, {len(rows)} done before, {len(waiting)} to do")
    pool = executor or ThreadPoolExecutor(max_workers=n_jobs)
    start = time.perf_counter()
    try:
        futures: dict[Future[int], int] = {
            pool.submit(run_command, requests[index].command(), str(home.folder)): index
            for index in waiting
        }
        pending = set(futures)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                index = futures[future]
                rows[index] = _collect(requests[index], future, home)
                n_failed = sum(row.outcome != "ok" for row in rows.values())
                each_s = (time.perf_counter() - start) / (len(waiting) - len(pending))
                left_s = each_s * len(pending)
                say(_progress(rows[index], len(rows), n_failed, len(requests), left_s))
    finally:
        if executor is None:
            pool.shutdown(cancel_futures=True)
    return [rows[index] for index in range(len(requests))]


def run_command(command: str, home: str) -> int:
    """Run one planned command with this interpreter; return its exit status.

    Top-level and plain, so that any executor on any machine can call it.
    """
    import shlex

    arguments = shlex.split(command)[1:]
    environment = {**os.environ, HOME_VARIABLE: home}
    call = [sys.executable, "-m", "embersort.cli", *arguments]
    return subprocess.run(
        call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode


def result_row(name: str, stored: StoredRecording, result: Entry, home: Home) -> Row:
    """Return the row of a sort's result, scoring it unless that was done before."""
    return Row(
        recording=name,
        sorter=result.record["sorter"],
        outcome=result.record["outcome"],
        error=result.record["error"],
        result=result.record,
        scores=score_result(stored, result, home),
        truth=truth_table(stored, home) if stored.has_truth else {},
        units=measure_result(stored, result, home),
    )


def plan(requests: Iterable[Request]) -> list[str]:
    """Return one idempotent command per request, for any other scheduler."""
    return [request.command() for request in requests]


def _job(request: Request, stored: StoredRecording) -> Job:
    return Job(
        recording=stored, spec=request.spec, limits=request.limits, overrides=request.overrides
    )


def _collect(request: Request, future: Future[int], home: Home) -> Row:
    """Return the row of a job that ended, whatever became of its process."""
    # What the job was to run again it has run: a failure is its result now.
    request = replace(request, rerun_failed=False)
    row = find_row(request, home)
    if row is not None:
        return row
    # The job left no result: it says why when asked again, without sorting if it cannot.
    recording, sorter = request.recording.name, request.spec.name
    lost = future.exception()
    if lost is None and future.result() == 0:
        return carry_out(request, home)
    reason = f"the job's process was lost: {lost}" if lost else f"exit status {future.result()}"
    return Row(recording=recording, sorter=sorter, outcome="failed", error=reason)


def _progress(row: Row, n_done: int, n_failed: int, n_all: int, left_s: float) -> str:
    """Say what ended, how far it is, and how long the rest may take."""
    score = row.scores.get("one_to_one", {}).get("summary", {}).get("accuracy")
    shown = row.outcome if score is None else f"accuracy {score:.3f}"
    return (
        f"[{n_done}/{n_all} done, {n_failed} failed, {left_s / 60:.0f} min left] "
        f"{row.recording} {row.sorter}: {shown}, {row.result.get('wall_s', 0.0):.0f} s"
    )
