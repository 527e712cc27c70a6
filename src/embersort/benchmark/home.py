"""Where the benchmark keeps environments, recordings and results on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "EMBERSORT_HOME"
"""Environment variable that moves everything elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """The folder that holds everything that the benchmark makes, and its parts.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def environments(self) -> Path:
        """One virtual environment per sorter."""
        return self.folder / "environments"

    @property
    def recordings(self) -> Path:
        """One folder per recording, named by the hash of its content."""
        return self.folder / "recordings"

    @property
    def results(self) -> Path:
        """The store of results."""
        return self.folder / "results"

    @property
    def registry(self) -> Path:
        """Registry entries that the user added."""
        return self.folder / "registry"

    @property
    def suites(self) -> Path:
        """Suites that the user named."""
        return self.folder / "suites"

    @property
    def sorters(self) -> Path:
        """Sorters that the user described."""
        return self.folder / "sorters"

    @property
    def images(self) -> Path:
        """Container images as files, for Apptainer."""
        return self.folder / "images"

    @property
    def downloads(self) -> Path:
        """Fetched files, named by their hash."""
        return self.folder / "downloads"

    @property
    def work(self) -> Path:
        """Working folders of jobs under way; safe to delete when none is."""
        return self.folder / "work"


def find_home(folder: Path | None = None) -> Home:
    """Return the given home, or that of ``EMBERSORT_HOME``, or ``~/.cache/embersort``."""
    if folder is None:
        value = os.environ.get(HOME_VARIABLE)
        folder = Path(value) if value else Path.home() / ".cache" / "embersort"
    return Home(folder=folder.expanduser().absolute())
