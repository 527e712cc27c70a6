"""The command line that starts a sorter: its interpreter, or a container around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embersort.benchmark.home import Home
from embersort.benchmark.process import Limits
from embersort.benchmark.sorters.engines import WORKERS, container_command
from embersort.benchmark.sorters.environments import Installation
from embersort.benchmark.sorters.spec import SorterSpec

JOB_FILE = "job.json"
IN_CONTAINER = {
    "recording_folder": "/job/recording",
    "output_folder": "/job/files/output",
    "work_folder": "/job/files/work",
}


def worker_command(
    spec: SorterSpec,
    installation: Installation,
    job: Mapping[str, Any],
    folder: Path,
    limits: Limits,
    home: Home,
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
        Handed on to a container's engine.
    home : Home
    """
    file = folder / JOB_FILE
    if spec.image:
        file.write_text(json.dumps({**job, **IN_CONTAINER}), "utf-8")
        return container_command(spec, installation.command[0], job, folder, limits, home)
    file.write_text(json.dumps(job), "utf-8")
    if spec.command:
        values = {**job, "job_file": str(file)}
        return [*installation.command, *(part.format(**values) for part in spec.command[1:])]
    return [*installation.command, str(WORKERS / spec.worker), str(file)]
