"""A suite: every recording with every sorter, cached, in a pool or on Dask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import Job, find_result, job_command, run_job
from embersort.benchmark.launch import Said, run_command
from embersort.benchmark.materialise import find_made, materialise
from embersort.benchmark.process import Limits
from embersort.benchmark.progress import Timing, say_duration, time_left_s
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
    refused = _too_few_channels(request, stored)
    if refused is not None:
        return refused
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
        if stored is None:
            return None
        refused = _too_few_channels(request, stored)
        result = None if refused else find_result(_job(request, stored), home)
    except EmbersortError:
        return None
    if refused is not None:
        return refused
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
    rows = {i: row for i, request in enumerate(requests) if (row := find_row(request, home))}
    waiting = [index for index in range(len(requests)) if index not in rows]
    pool, over = executor or ThreadPoolExecutor(max_workers=n_jobs), threading.Event()
    # Only what runs in this process can be asked to end with it.
    watch = (over.is_set,) if executor is None else ()
    left = _left(requests, waiting, rows, n_jobs)
    say(f"{len(requests)} jobs, {len(rows)} done before, {len(waiting)} to do{left}")
    try:
        futures: dict[Future[Said], int] = {
            pool.submit(run_command, requests[index].command(), str(home.folder), *watch): index
            for index in waiting
        }
        pending = set(futures)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                index = futures[future]
                rows[index] = _collect(requests[index], future, home)
                n_failed = sum(row.outcome != "ok" for row in rows.values())
                left = _left(requests, [futures[other] for other in pending], rows, n_jobs)
                say(
                    f"[{len(rows)}/{len(requests)} done, {_under_way(pending, executor)}, "
                    f"{n_failed} failed{left}] {_outcome_of(rows[index])}"
                )
    finally:
        over.set()
        if executor is None:
            pool.shutdown(cancel_futures=True)
    return [rows[index] for index in range(len(requests))]


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


def _too_few_channels(request: Request, stored: StoredRecording) -> Row | None:
    """Return the row of a sorter that cannot take so few channels, else None."""
    spec = request.spec
    if stored.n_channels >= spec.min_channels:
        return None
    return Row(
        recording=request.recording.name,
        sorter=spec.name,
        outcome="failed",
        error=f"{spec.title} needs at least {spec.min_channels} channels",
    )


def _job(request: Request, stored: StoredRecording) -> Job:
    return Job(
        recording=stored, spec=request.spec, limits=request.limits, overrides=request.overrides
    )


def _collect(request: Request, future: Future[Said], home: Home) -> Row:
    """Return the row of a job that ended, whatever became of its process."""
    # What the job was to run again it has run: a failure is its result now.
    row = find_row(replace(request, rerun_failed=False), home)
    if row is not None:
        return row
    lost = future.exception()
    outcome, error = ("failed", f"the job's process was lost: {lost}") if lost else future.result()
    if outcome == "ok":
        outcome, error = "failed", f"the job's result is not in {home.folder}; do workers share it?"
    return Row(
        recording=request.recording.name, sorter=request.spec.name, outcome=outcome, error=error
    )


def _under_way(pending: Collection[Future[Said]], executor: Executor | None) -> str:
    """Say how many jobs run; Dask's futures do not tell those from the ones that wait."""
    if executor is not None:
        return f"{len(pending)} running or waiting"
    return f"{sum(future.running() for future in pending)} running"


def _left(
    requests: Sequence[Request], waiting: Sequence[int], rows: Mapping[int, Row], n_jobs: int
) -> str:
    """Say how long the waiting jobs may take; nothing where it is not known."""
    known = [
        Timing(sorter=row.sorter, wall_s=float(row.result["wall_s"]))
        for row in rows.values()
        if row.result
    ]
    left_s = time_left_s([requests[index].spec.name for index in waiting], known, n_jobs)
    return f", about {say_duration(left_s)} left" if waiting and left_s is not None else ""


def _outcome_of(row: Row) -> str:
    """Say how a job ended."""
    score = row.scores.get("one_to_one", {}).get("summary", {}).get("accuracy")
    shown = row.outcome.replace("_", " ") if score is None else f"accuracy {score:.3f}"
    took = f", {say_duration(row.result['wall_s'])}" if row.result else ""
    return f"{row.recording} {row.sorter}: {shown}{took}"
