"""The command line that starts a sorter: its interpreter, or a container around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embersort.benchmark.process import THREAD_VARIABLES, Limits
from embersort.benchmark.sorters.environments import WORKERS, Installation
from embersort.benchmark.sorters.spec import SorterSpec

JOB_FILE = "job.json"
GRACE_S = 30.0
"""A container that outlives its time limit by this ends itself: killing the engine's client, which
is our child, does not end what it started."""


def worker_command(
    spec: SorterSpec,
    installation: Installation,
    job: Mapping[str, Any],
    folder: Path,
    limits: Limits,
) -> list[str]:
    """Write the job file and return the command that carries it out.

    Parameters
    ----------
    spec : SorterSpec
    installation : Installation
    job : mapping
        Plain values; keys that end in ``_folder`` are folders.
    folder : Path
        Working folder of the job, which takes the job file.
    limits : Limits
        Handed on to a container's engine, since it is not our child that uses up the memory.
    """
    if spec.image:
        return _container_command(spec, installation, job, folder, limits)
    (folder / JOB_FILE).write_text(json.dumps(job), "utf-8")
    if spec.command:
        values = {**job, "job_file": str(folder / JOB_FILE)}
        return [*installation.command, *(part.format(**values) for part in spec.command[1:])]
    return [*installation.command, str(WORKERS / spec.worker), str(folder / JOB_FILE)]


def _container_command(
    spec: SorterSpec,
    installation: Installation,
    job: Mapping[str, Any],
    folder: Path,
    limits: Limits,
) -> list[str]:
    """Return the call of the container engine: no network, the recording read-only."""
    inside = {
        "recording_folder": "/job/recording",
        "output_folder": "/job/files/output",
        "work_folder": "/job/files/work",
    }
    (folder / JOB_FILE).write_text(json.dumps({**job, **inside}), "utf-8")
    binds = [
        (str(job["recording_folder"]), "/job/recording", "ro"),
        (str(folder), "/job/files", "rw"),
        (str(WORKERS), "/job/workers", "ro"),
    ]
    call = ["python3", f"/job/workers/{spec.worker}", f"/job/files/{JOB_FILE}"]
    # Neither kind of engine hands the surroundings on.
    threads = tuple(
        part for name in THREAD_VARIABLES for part in ("--env", f"{name}={limits.n_threads}")
    )
    engine = installation.command[0]
    if Path(engine).name in ("apptainer", "singularity"):
        image = spec.image.replace("/", "_").replace(":", "_") + ".sif"
        return [
            *(engine, "exec", "--containall", "--net", "--network", "none"),
            *(part for at, to, mode in binds for part in ("--bind", f"{at}:{to}:{mode}")),
            *(*threads, "--nv", image, *call),
        ]
    return [
        *(engine, "run", "--rm", "--init", "--network", "none"),
        *("--memory", f"{limits.memory_gib:g}g", "--cpus", str(limits.n_threads), *threads),
        *(part for at, to, mode in binds for part in ("--volume", f"{at}:{to}:{mode}")),
        *_gpu(spec.needs),
        *(spec.image, "timeout", f"{limits.time_s + GRACE_S:.0f}", *call),
    ]


def _gpu(needs: str) -> Sequence[str]:
    return ("--gpus", "all") if "GPU" in needs else ()
