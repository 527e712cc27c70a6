"""Sorters in containers: engines, images, the call, and what a run in one cost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from embersort.benchmark.hashing import hash_file
from embersort.benchmark.home import Home
from embersort.benchmark.process import THREAD_VARIABLES, Limits, ProcessResult
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadInput, MissingDependency

ENGINES = ("docker", "podman", "apptainer", "singularity")
WITH_FILES = ("apptainer", "singularity")
"""Engines whose images are files."""
RECIPES = Path(__file__).parent / "containers"
WORKERS = Path(__file__).parent / "workers"
MEASURE = "measured.py"
COST = "cost.json"
KILLED = 137
"""Exit code of a script that was killed: in a container by the engine, for want of memory."""
GRACE_S = 30.0
"""A container that outlives its time limit by this ends itself: killing the engine's client, which
is our child, does not end what it started."""


def find_engine() -> str:
    """Return the path of a container engine.

    Raises
    ------
    MissingDependency
        If there is none.
    """
    for name in ENGINES:
        path = shutil.which(name)
        if path:
            return path
    raise MissingDependency(
        f"no container engine found; install one of {', '.join(ENGINES)} and try again"
    )


def image_digest(spec: SorterSpec, engine: str, home: Home) -> str:
    """Return what identifies a sorter's image.

    Raises
    ------
    MissingDependency
        If the engine does not answer, or has no such image; says which, and what to do.
    """
    install = f"'embersort bench install {spec.name}'"
    if Path(engine).name in WITH_FILES:
        image = image_file(spec, home)
        if not image.exists():
            raise MissingDependency(f"{spec.title} needs the image {image}; see {install}")
        return hash_file(image)
    asked = [engine, "image", "inspect", "--format", "{{.Id}}", spec.image]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode == 0 and found.stdout.strip():
        return found.stdout.strip()
    _check_answers(spec, engine)
    raise MissingDependency(
        f"{spec.title} needs the container image {spec.image}, which {engine} does not "
        f"have; run {install}. It needs {spec.needs}"
    )


def _check_answers(spec: SorterSpec, engine: str) -> None:
    """Refuse an engine whose service does not run: its client alone can do nothing."""
    if subprocess.run([engine, "info"], capture_output=True, check=False).returncode != 0:
        raise MissingDependency(
            f"{spec.title} runs in a container, but {engine} does not answer; "
            f"start its service and try again"
        )


def image_file(spec: SorterSpec, home: Home) -> Path:
    """Return where an engine that keeps images as files finds a sorter's."""
    return home.images / (spec.image.replace("/", "_").replace(":", "_") + ".sif")


def recipe_file(spec: SorterSpec) -> Path:
    """Return the recipe that a sorter's image is built from."""
    return RECIPES / f"{spec.name}.Dockerfile"


def build_image(spec: SorterSpec, home: Home) -> None:
    """Build a sorter's image from its recipe.

    Raises
    ------
    MissingDependency
        If there is no engine, or it does not answer.
    BadInput
        If that fails, or the engine cannot read such recipes; says what to do.
    """
    engine, recipe = find_engine(), recipe_file(spec)
    build = ["build", "--tag", spec.image, "--file", str(recipe), str(RECIPES)]
    if Path(engine).name in WITH_FILES:
        image = image_file(spec, home)
        raise BadInput(
            f"{Path(engine).name} does not read Dockerfiles. Where there is Docker: 'docker "
            f"{' '.join(build)} && docker save {spec.image} -o image.tar'; then here: 'mkdir -p "
            f"{image.parent} && {Path(engine).name} build {image} docker-archive:image.tar'"
        )
    _check_answers(spec, engine)
    done = subprocess.run([engine, *build], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise BadInput(f"'{engine} {' '.join(build)}' failed: {' | '.join(tail)}")


def container_command(
    spec: SorterSpec, engine: str, job: Mapping[str, Any], folder: Path, limits: Limits, home: Home
) -> list[str]:
    """Return the call of the container engine: no network, the recording read-only.

    Parameters
    ----------
    spec : SorterSpec
    engine : str
        Path of the engine.
    job : mapping
        With the folders as they are outside.
    folder : Path
        Working folder of the job, which holds the job file.
    limits : Limits
        Handed on to the engine, since it is not our child that uses up the memory.
    home : Home
    """
    binds = [
        (str(job["recording_folder"]), "/job/recording", "ro"),
        (str(folder), "/job/files", "rw"),
        (str(WORKERS), "/job/workers", "ro"),
    ]
    script = [f"/job/workers/{spec.worker}", "/job/files/job.json"]
    # Neither kind of engine hands the surroundings on.
    surroundings = {name: str(limits.n_threads) for name in THREAD_VARIABLES}
    if Path(engine).name in WITH_FILES:
        return [
            *(engine, "exec", "--containall", "--net", "--network", "none"),
            *(part for at, to, mode in binds for part in ("--bind", f"{at}:{to}:{mode}")),
            *_variables(surroundings),
            *("--nv", str(image_file(spec, home)), "python3", *script),
        ]
    # What the container writes must be ours to read and to delete.
    own = ["--user", f"{os.getuid()}:{os.getgid()}"]
    if Path(engine).name == "podman":
        own = ["--userns", "keep-id"]
    surroundings |= {"HOME": "/job/files/work", "TMPDIR": "/job/files/work"}
    return [
        *(engine, "run", "--rm", "--init", "--network", "none", *own),
        *("--memory", f"{limits.memory_gib:g}g", "--cpus", str(limits.n_threads)),
        *_variables(surroundings),
        *(part for at, to, mode in binds for part in ("--volume", f"{at}:{to}:{mode}")),
        *(("--gpus", "all") if "GPU" in spec.needs else ()),
        *(spec.image, "timeout", f"{limits.time_s + GRACE_S:.0f}"),
        *("python3", f"/job/workers/{MEASURE}", f"/job/files/{COST}", *script),
    ]


def container_result(result: ProcessResult, folder: Path) -> ProcessResult:
    """Return a result with the cost that the container left, in place of the client's.

    Parameters
    ----------
    result : ProcessResult
        Of the engine's client.
    folder : Path
        Working folder of the job.
    """
    if result.outcome == "failed" and result.exit_code == KILLED:
        result = replace(result, outcome="out_of_memory")
    try:
        cost = json.loads((folder / COST).read_text("utf-8"))
        cpu_s, peak_mib = float(cost["cpu_s"]), float(cost["peak_memory_mib"])
    except (OSError, ValueError, KeyError, TypeError):
        return result
    return replace(result, cpu_s=cpu_s, peak_memory_mib=peak_mib)


def _variables(values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in ("--env", f"{name}={value}")]
