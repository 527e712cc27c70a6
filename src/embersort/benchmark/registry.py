"""Study sets → studies → recordings: what each recording is and how to get it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from embersort.benchmark.sources import DandiSource, FilesSource, Source
from embersort.config import Config, read_toml
from embersort.errors import BadConfig, BadInput, nearest_name

ORIGIN_SUFFIX = ".origin"
"""A file beside an added entry that says in which folder the entry lay."""
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _checked_name(name: str) -> str:
    """Refuse a name that could not be part of a recording's full name, or of a file's."""
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(f"'{name}' is no valid name; use letters, digits, '.', '_' and '-'")
    return name


Name = Annotated[str, AfterValidator(_checked_name)]


class RecordingEntry(Config):
    """One recording of a study."""

    name: Name
    """Short name within its study."""
    source: Source
    """How to get it."""


class Study(Config):
    """Recordings of one kind."""

    name: Name
    """Short name within its set."""
    description: str = ""
    """What sets it apart."""
    recordings: list[RecordingEntry]
    """Its recordings; may be empty where only the archive knows them."""


class StudySet(Config):
    """Studies of one origin."""

    name: Name
    """Name, unique in the registry."""
    title: str
    """One line."""
    kind: Literal["simulated", "hybrid", "paired", "manual", "real"]
    """What its truth is: simulated, injected, intracellular, curated by hand, or absent."""
    description: str
    """What it holds and where it comes from."""
    species: str = ""
    """Empty where unknown or simulated."""
    region: str = ""
    """Part of the nervous system; empty where unknown or simulated."""
    probe: str = ""
    """The probe in words."""
    licence: str = ""
    """Of the data."""
    doi: str = ""
    """Of the paper or data set to cite."""
    studies: list[Study]
    """Its studies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredRecording:
    """A recording with its place in the registry.

    Attributes
    ----------
    name : str
        ``SET/STUDY/RECORDING``.
    study_set : StudySet
    study : Study
    entry : RecordingEntry
    folder : Path
        Folder of the entry's file, to which local paths are relative.
    """

    name: str
    study_set: StudySet
    study: Study
    entry: RecordingEntry
    folder: Path


class Suite(Config):
    """A named choice of recordings."""

    name: str
    """Name on the command line."""
    description: str
    """What it is for."""
    recordings: list[str]
    """Names or patterns of recordings (``SET/STUDY/RECORDING``, ``*`` allowed)."""


def shipped_entries() -> Path:
    """Return the folder of the entries that come with the package."""
    return Path(str(files("embersort.benchmark"))) / "entries"


def shipped_suites() -> Path:
    """Return the folder of the suites that come with the package."""
    return Path(str(files("embersort.benchmark"))) / "suites"


def read_study_set(path: Path) -> StudySet:
    """Read the TOML file of a study set.

    A study may give a ``source`` that its recordings complete or override,
    and in place of recordings that differ only by seed or by name
    ``seeds = [...]`` or ``names = [...]``.

    Raises
    ------
    BadConfig
        If the file is missing or wrong; names file and field.
    """
    values = read_toml(path)
    for study in values.get("studies", []):
        if isinstance(study, dict):
            try:
                _complete_study(study, path)
            except (TypeError, ValueError, AttributeError) as error:
                raise BadConfig(f"{path}: study '{study.get('name')}': {error}") from None
    return StudySet.parse(values, where=str(path))


def read_registry(
    folders: Iterable[Path], on_error: Callable[[BadConfig], None] | None = None
) -> dict[str, RegisteredRecording]:
    """Read every entry of some folders, as ``read_entries`` does its files."""
    paths = [path for folder in folders for path in sorted(Path(folder).glob("*.toml"))]
    return read_entries(paths, on_error)


def read_entries(
    paths: Iterable[Path], on_error: Callable[[BadConfig], None] | None = None
) -> dict[str, RegisteredRecording]:
    """Read files of study sets.

    Parameters
    ----------
    paths : iterable of Path
    on_error : callable, optional
        Takes the error of a file that is wrong, or of a recording whose name is taken; either is
        left out, the others are read. By default the first error is raised. An entry that is open
        gives way to a later one of its name.

    Returns
    -------
    dict
        Recordings by name, in order of file and place in it.

    Raises
    ------
    BadConfig
        If a file is wrong or two recordings have one name, and ``on_error`` is not given.
    """
    found: dict[str, RegisteredRecording] = {}
    report = on_error or _raise
    for path in paths:
        try:
            recordings = recordings_of_file(path)
        except BadConfig as error:
            report(error)
            continue
        for recording in recordings:
            if recording.name in found and not is_open(found[recording.name].entry.source):
                taken = f"{path}: there is already a recording named {recording.name}"
                report(BadConfig(taken))
            else:
                found[recording.name] = recording
    return found


def recordings_of_file(path: Path) -> list[RegisteredRecording]:
    """Return the recordings of an entry's file, with the folder that it came from."""
    origin = path.with_suffix(ORIGIN_SUFFIX)
    parent = Path(origin.read_text("utf-8")) if origin.exists() else path.parent
    return recordings_of(read_study_set(path), parent)


def is_open(source: Source) -> bool:
    """Return whether an entry names nothing to fetch yet, so that another may complete it."""
    if isinstance(source, FilesSource):
        return not source.files
    return isinstance(source, DandiSource) and not (source.asset_path or source.asset_id)


def _raise(error: BadConfig) -> None:
    raise error


def recordings_of(study_set: StudySet, folder: Path) -> list[RegisteredRecording]:
    """Return the recordings of a study set with their full names."""
    result = []
    for study in study_set.studies:
        for entry in study.recordings:
            full = f"{study_set.name}/{study.name}/{entry.name}"
            result.append(
                RegisteredRecording(
                    name=full, study_set=study_set, study=study, entry=entry, folder=folder
                )
            )
    return result


def read_suites(folders: Iterable[Path]) -> dict[str, Suite]:
    """Read every suite of some folders, by name."""
    suites = [
        Suite.from_toml(path) for folder in folders for path in sorted(Path(folder).glob("*.toml"))
    ]
    return {suite.name: suite for suite in suites}


def choose_recordings(
    registry: Mapping[str, RegisteredRecording], patterns: Iterable[str]
) -> list[RegisteredRecording]:
    """Return the recordings that any pattern names, each once, in order of the patterns.

    A study set's name, or ``SET/STUDY``, stands for all recordings in it.

    Raises
    ------
    BadInput
        If a pattern names none.
    """
    from fnmatch import fnmatchcase

    chosen: dict[str, RegisteredRecording] = {}
    for pattern in patterns:
        hits = [name for name in registry if fnmatchcase(name, pattern)]
        hits = hits or [name for name in registry if name.startswith(f"{pattern}/")]
        if not hits:
            hint = nearest_name(pattern, registry) or "; 'embersort bench registry list' has them"
            raise BadInput(f"no recording is named '{pattern}'{hint}")
        chosen |= {name: registry[name] for name in hits}
    return list(chosen.values())


def inside(folder: Path, name: str) -> Path:
    """Return a path inside a folder.

    Raises
    ------
    BadInput
        If the path would leave the folder, by ``..``, by being absolute, or by a link.
    """
    folder = folder.resolve()
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder) or path == folder:
        raise BadInput(f"the path '{name}' leads out of its folder; give one inside it")
    return path


def _complete_study(study: dict[str, Any], path: Path) -> None:
    """Merge a study's shared source into its recordings."""
    shared = study.pop("source", {})
    if len({"seeds", "names", "recordings"} & study.keys()) > 1:
        raise BadConfig(f"{path}: a study has either seeds or names or recordings, not both")
    seeds, names = study.pop("seeds", []), study.pop("names", [])
    alike = [{"name": f"{seed:03d}", "source": {"seed": seed}} for seed in seeds]
    study.setdefault("recordings", alike + [{"name": name} for name in names])
    for recording in study["recordings"]:
        if isinstance(recording, dict):
            recording["source"] = {**shared, **recording.get("source", {})}
