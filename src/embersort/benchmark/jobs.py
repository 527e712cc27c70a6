"""One job: a sorter on a recording. Named by the hash of everything that decides its result."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from embersort.benchmark.exchange import SORTING, StoredRecording, read_output, write_sorting
from embersort.benchmark.hashing import hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.materialise import empty_folder, locked
from embersort.benchmark.process import Limits, ProcessResult, run_limited
from embersort.benchmark.sorters.commands import worker_command
from embersort.benchmark.sorters.engines import container_result
from embersort.benchmark.sorters.environments import (
    Installation,
    find_installation,
    worker_hash,
)
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.benchmark.store import Entry, Store
from embersort.errors import BadInput

SORT_STAGE = "sort"
JOB_VERSION = 1
"""Raised when the meaning of a job's record changes."""
LOG = "log.txt"
LOG_TAIL_BYTES = 20_000
"""How much of a sorter's output is kept."""
LIMIT_OF = {"time_out": "time_s", "out_of_memory": "memory_gib", "disk_full": "disk_gib"}
"""Which limit ends a job with which outcome."""
LIMIT_TEXT = {
    "time_out": "ended at the time limit of {time_s:g} s",
    "out_of_memory": "ended at the memory limit of {memory_gib:g} GiB",
    "disk_full": "ended when its working folder held more than {disk_gib:g} GiB",
}
ERROR_LINES = 5
"""How much of it the record quotes when a job fails."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A sorter on a stored recording.

    Attributes
    ----------
    recording : StoredRecording
    spec : SorterSpec
    overrides : dict
        Settings in place of the recommended ones.
    limits : Limits
    seed : int
    """

    recording: StoredRecording
    spec: SorterSpec
    limits: Limits
    overrides: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """Every setting that the sorter is given."""
        return self.spec.parameters_for(self.recording, self.overrides)


def job_key(job: Job, installation: Installation) -> str:
    """Return the hash that names a job's result.

    Time, memory and disk limits are left out: a result that was reached does
    not depend on them. A result that one of them ended is not taken for that
    of a higher one (``_settled``).
    """
    return hash_json(
        {
            "version": JOB_VERSION,
            "recording": job.recording.content,
            "sorter": job.spec.name,
            "sorter_version": installation.version,
            "sorter_digest": installation.digest,
            "worker": worker_hash(job.spec),
            "parameters": job.parameters,
            "n_threads": job.limits.n_threads,
            "seed": job.seed,
        }
    )


def find_result(job: Job, home: Home) -> Entry | None:
    """Return a job's result if it was computed before, within limits that were as high.

    Raises
    ------
    MissingDependency
        If the sorter is not installed, so that its version is not known.
    """
    installation = find_installation(job.spec, home)
    found = Store(folder=home.results).find(SORT_STAGE, job_key(job, installation))
    return found if found is not None and _settled(found.record, job.limits) else None


def _settled(record: Mapping[str, Any], limits: Limits) -> bool:
    """Return whether a result holds under these limits: not if a lower limit ended the job."""
    name = LIMIT_OF.get(record["outcome"])
    return name is None or record["limits"][name] >= getattr(limits, name)


def run_job(job: Job, home: Home, *, rerun_failed: bool = False) -> Entry:
    """Run a job unless its result is there; a failure is a result too.

    Two processes with one job run it once.

    Raises
    ------
    MissingDependency
        If the sorter is not installed.
    """
    installation = find_installation(job.spec, home)
    key = job_key(job, installation)
    store = Store(folder=home.results)
    with locked(home.work / f"{key}.lock"):
        found = store.find(SORT_STAGE, key)
        again = rerun_failed and found is not None and found.record["outcome"] != "ok"
        if found is not None and not again and _settled(found.record, job.limits):
            return found
        folder = empty_folder(home.work / f"{job.spec.name}-{key[:16]}")
        try:
            result = _execute(job, installation, folder, home)
            record, files = _record(job, installation, result, folder)
            return store.write(SORT_STAGE, key, record, files)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _execute(job: Job, installation: Installation, folder: Path, home: Home) -> ProcessResult:
    """Hand the job to the sorter's own interpreter and wait."""
    output, work = folder / "output", folder / "work"
    output.mkdir()
    work.mkdir()
    values = {
        "recording_folder": str(job.recording.folder),
        "output_folder": str(output),
        "work_folder": str(work),
        "worker_sorter": job.spec.worker_sorter,
        "parameters": job.parameters,
        "n_threads": job.limits.n_threads,
        "seed": job.seed,
    }
    command = worker_command(job.spec, installation, values, folder, job.limits, home)
    variables = {"TMPDIR": str(work)}
    result = run_limited(command, folder, folder / LOG, job.limits, variables)
    return container_result(result, folder) if job.spec.image else result


def _record(
    job: Job, installation: Installation, result: ProcessResult, folder: Path
) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return what is kept of a job: its record and files."""
    record: dict[str, Any] = {
        "sorter": job.spec.name,
        "sorter_version": installation.version,
        "sorter_digest": installation.digest,
        "recording": job.recording.content,
        "parameters": job.parameters,
        "seed": job.seed,
        "limits": job.limits.model_dump(),
        "error": "",
        "n_units": 0,
        "n_spikes": 0,
        **asdict(result),
        **_machine(),
    }
    log = _tail(folder / LOG)
    files = {LOG: log}
    if result.outcome == "ok":
        try:
            sorting = read_output(
                folder / "output", job.recording.sampling_rate_hz, job.recording.n_samples
            )
        except BadInput as error:
            record |= {"outcome": "failed", "error": f"{job.spec.name}: {error}"}
        else:
            record |= {"n_units": sorting.n_units, "n_spikes": sorting.n_spikes}
            write_sorting(sorting, folder / SORTING)
            files[SORTING] = folder / SORTING
    else:
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()[-ERROR_LINES:]
        limit = LIMIT_TEXT.get(result.outcome, "").format(**job.limits.model_dump())
        record["error"] = "\n".join([limit, *lines] if limit else lines)
    return record, files


def _machine() -> dict[str, Any]:
    """Return what the timing was measured on, and how busy that was."""
    return {
        "machine": f"{platform.machine()} {platform.system()}, {os.cpu_count()} processors",
        "load_average": round(psutil.getloadavg()[0], 2),
    }


def _tail(log: Path) -> Path:
    """Cut a log down to its end; a sorter may print without bound."""
    size = log.stat().st_size
    if size > LOG_TAIL_BYTES:
        with log.open("rb") as file:
            file.seek(size - LOG_TAIL_BYTES)
            rest = file.read()
        log.write_bytes(b"(beginning left out)\n" + rest)
    return log


def job_command(name: str, sorter: str, limits: Limits, overrides: Mapping[str, Any]) -> str:
    """Return the command line that runs one job and nothing else, whoever starts it."""
    parts = ["embersort", "bench", "run-job", name, sorter]
    defaults = Limits()
    for field_name, option in (
        ("time_s", "--time-limit-s"),
        ("memory_gib", "--memory-limit-gib"),
        ("disk_gib", "--disk-limit-gib"),
        ("n_threads", "--threads"),
    ):
        value = getattr(limits, field_name)
        if value != getattr(defaults, field_name):
            parts += [option, str(value)]
    for key, value in overrides.items():
        parts += ["--set", f"{key}={json.dumps(value)}"]
    return shlex.join(parts)
