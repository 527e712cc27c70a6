"""A sorter that the user describes: a command that reads a folder and writes a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from embersort.benchmark.sorters.spec import SorterSpec
from embersort.config import Config
from embersort.errors import BadConfig

PLACEHOLDERS = ("recording_folder", "output_folder", "work_folder", "n_threads", "job_file")


class UserSorter(Config):
    """What a file ``NAME.toml`` in the home's ``sorters`` folder says."""

    title: str
    """Name for people."""
    version: str
    """Part of each result's key: raise it when the sorter changes."""
    command: list[str] = Field(min_length=1)
    """Program and arguments; may hold {recording_folder}, {output_folder}, {work_folder},
    {n_threads} and {job_file}. It leaves sorting.npz, or Phy's spike_times.npy and
    spike_clusters.npy, in the output folder."""
    licence: str = "unknown"
    """SPDX name."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Settings, as the job file hands them on."""
    min_channels: int = Field(1, ge=1)
    """Recordings with fewer channels are left out."""


def read_user_sorter(path: Path) -> SorterSpec:
    """Read a user's sorter; its name is the file's.

    Raises
    ------
    BadConfig
        If the file is wrong or the command has an unknown placeholder.
    """
    user = UserSorter.from_toml(path)
    try:
        for part in user.command:
            part.format(**dict.fromkeys(PLACEHOLDERS, ""))
    except (KeyError, IndexError, ValueError) as error:
        raise BadConfig(
            f"{path}: the command has the unknown placeholder {error}; "
            f"there are {', '.join(PLACEHOLDERS)}"
        ) from None
    return SorterSpec(
        name=path.stem,
        title=user.title,
        licence=user.licence,
        homepage="",
        settings_source=str(path),
        package=user.version,
        command=tuple(user.command),
        parameters=user.parameters,
        min_channels=user.min_channels,
    )
