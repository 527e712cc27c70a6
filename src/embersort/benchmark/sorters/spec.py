"""What the benchmark has to know of a sorter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embersort.benchmark.exchange import StoredRecording

Adapt = Callable[[StoredRecording], dict[str, Any]]


def no_adaptation(_: StoredRecording) -> dict[str, Any]:
    """Return no settings: the sorter's documentation names none that depend on the recording."""
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class SorterSpec:
    """A sorter: how to install it, how to run it, with which settings.

    Attributes
    ----------
    name : str
        Name on the command line.
    title : str
        Name for people.
    licence : str
        SPDX name; ``unknown`` where its authors name none.
    homepage : str
    environment : str
        Virtual environment that holds it; several sorters may share one. Empty: this
        interpreter's own.
    requirements : tuple of str
        pip arguments, one call each, in order.
    package : str
        Distribution whose version is the sorter's.
    worker : str
        Script in ``workers/``.
    worker_sorter : str
        Name that the script knows it by, where one script runs several.
    parameters : dict
        Settings that differ from the sorter's own defaults.
    adapt : callable
        Settings that its documentation makes depend on the recording.
    settings_source : str
        Where these settings come from.
    needs : str
        What it needs of the recording or machine, for people.
    min_channels : int
    command : tuple of str
        What starts a sorter that the user described, with ``{recording_folder}``,
        ``{output_folder}``, ``{work_folder}``, ``{n_threads}`` and ``{job_file}`` filled in.
    image : str
        Container image; runs in a container instead of an environment where given.
    gets_truth : bool
        Whether the script may read the truth: the reference, not a sorter.
    """

    name: str
    title: str
    licence: str
    homepage: str
    settings_source: str
    worker: str = ""
    worker_sorter: str = ""
    environment: str = ""
    requirements: tuple[str, ...] = ()
    package: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    adapt: Adapt = no_adaptation
    needs: str = ""
    min_channels: int = 1
    command: tuple[str, ...] = ()
    image: str = ""
    gets_truth: bool = False

    def parameters_for(self, stored: StoredRecording, overrides: dict[str, Any]) -> dict[str, Any]:
        """Return the settings for a recording; the overrides win."""
        return {**self.parameters, **self.adapt(stored), **overrides}
