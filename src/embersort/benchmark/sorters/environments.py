"""Where a sorter is installed: making its virtual environment, and saying what is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import embersort
from embersort.benchmark.hashing import hash_file, hash_files, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.sorters.engines import (
    WORKERS,
    build_image,
    find_engine,
    image_digest,
)
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadInput, MissingDependency

MARKER = "environment.json"
OURS_NOT_SORTING = ("benchmark", "cli", "evaluation", "report", "simulate", "speech", "training")
"""Packages of ours that a sort does not run through."""
PROBE_VERSIONS = """
import json, sys
from importlib.metadata import distributions
found = {d.metadata["Name"].lower(): d.version for d in distributions() if d.metadata["Name"]}
print(json.dumps({"python": sys.version.split()[0], "packages": found}))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """A sorter that can be run.

    Attributes
    ----------
    command : tuple of str
        What starts its interpreter; the worker script and the job file follow.
    version : str
    digest : str
        Hash of all that is installed with it, or of the container image.
    """

    command: tuple[str, ...]
    version: str
    digest: str


def install(spec: SorterSpec, home: Home, say: Callable[[str], None]) -> Installation:
    """Make the environment of a sorter, or complete it.

    Raises
    ------
    BadInput
        If a step fails; names it.
    """
    if spec.image:
        say(f"building {spec.image}")
        build_image(spec, home)
        return find_installation(spec, home)
    if spec.environment:
        make_environment(spec.environment, spec.requirements, home, say)
    return find_installation(spec, home)


def make_environment(
    name: str, requirements: tuple[str, ...], home: Home, say: Callable[[str], None]
) -> None:
    """Make a virtual environment and install into it, one pip call per requirement line."""
    folder = home.environments / name
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        say(f"making {folder}")
        _run([sys.executable, "-m", "venv", str(folder)])
    for line in requirements:
        say(f"installing {line}")
        _run([str(python), "-m", "pip", "install", "--quiet", *line.split()])
    (folder / MARKER).unlink(missing_ok=True)
    environment_versions(name, home)


def find_installation(spec: SorterSpec, home: Home) -> Installation:
    """Return how to run a sorter.

    Raises
    ------
    MissingDependency
        If it is not installed; the message says what is missing and how to get it.
    """
    if spec.image:
        engine = find_engine()
        tag = spec.image.rpartition(":")[2]
        digest = image_digest(spec, engine, home)
        return Installation(command=(engine,), version=tag, digest=digest)
    if spec.command:
        return _find_command(spec)
    if not spec.environment:
        return Installation(
            command=(sys.executable,), version=embersort.__version__, digest=own_code_hash()
        )
    versions = environment_versions(spec.environment, home, spec.name)
    if spec.package not in versions["packages"]:
        raise MissingDependency(
            f"{spec.title} is not complete: its environment lacks the package {spec.package}; "
            f"run 'embersort bench install {spec.name}'"
        )
    python = home.environments / spec.environment / "bin" / "python"
    return Installation(
        command=(str(python),),
        version=str(versions["packages"][spec.package]),
        digest=hash_json(versions),
    )


def environment_versions(name: str, home: Home, asked_for: str = "") -> dict[str, dict[str, str]]:
    """Return Python's and every package's version in an environment, asked once after installing.

    Parameters
    ----------
    name : str
    home : Home
    asked_for : str
        The sorter that needs it, to be named where it is missing.

    Raises
    ------
    MissingDependency
        If there is no such environment, or it does not start.
    """
    folder = home.environments / name
    marker, python = folder / MARKER, folder / "bin" / "python"
    if not python.exists():
        raise MissingDependency(
            f"the environment '{name}' is not in {home.environments}; "
            f"run 'embersort bench install {asked_for or name}'"
        )
    if not marker.exists():
        try:
            found = subprocess.run(
                [str(python), "-c", PROBE_VERSIONS], capture_output=True, check=True, text=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise MissingDependency(
                f"the environment '{name}' does not start ({error}); delete {folder} and install it"
            ) from None
        part = marker.with_suffix(".part")
        part.write_text(found.stdout, "utf-8")
        part.replace(marker)
    versions: dict[str, dict[str, str]] = json.loads(marker.read_text("utf-8"))
    return versions


@cache
def own_code_hash() -> str:
    """Return the hash of our code and weights that a sort runs through."""
    package = Path(embersort.__file__).parent
    paths = [
        path
        for path in sorted(package.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.relative_to(package).parts[0] not in OURS_NOT_SORTING
    ]
    return hash_files(package, paths)


def worker_hash(spec: SorterSpec) -> str:
    """Return the hash of the scripts that run a sorter; its command line where there are none."""
    if spec.command:
        return hash_json(list(spec.command))
    text = (WORKERS / spec.worker).read_text("utf-8")
    shared = [
        path.name for path in sorted(WORKERS.glob("*.py")) if f"from {path.stem} import" in text
    ]
    return hash_json([hash_file(WORKERS / name) for name in (spec.worker, *shared)])


def _find_command(spec: SorterSpec) -> Installation:
    """Find the user's program; it and every file that the command names decide the key."""
    program = shutil.which(spec.command[0])
    if program is None:
        raise MissingDependency(f"the program {spec.command[0]} of {spec.title} was not found")
    named = [Path(program).resolve(), *(Path(part) for part in spec.command[1:])]
    digest = hash_json([hash_file(path) for path in named if path.is_file()])
    return Installation(command=(program,), version=spec.package, digest=digest)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise BadInput(f"'{' '.join(command[:6])} …' failed: {' | '.join(tail)}")
