"""The recording that a result was sorted from, found again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from embersort.errors import BadInput
from embersort.recording import open_recording
from embersort.types import Recording, SortResult

_OPTIONS: dict[str, Any] = {
    "sampling_rate_hz": int | float,
    "probe": str,
    "channels_first": bool,
    "dtype": str,
    "n_channels": int,
    "skip_bytes": int,
    "gain_uv": int | float,
    "format": str,
    "stream": str,
    "segment": int,
    "start_s": int | float,
    "duration_s": int | float,
}
"""What a result may say of how its recording was opened."""


def relative_source(path: str | Path, folder: str | Path) -> str | None:
    """Return the path of a recording as seen from a result; None across drives."""
    try:
        return Path(os.path.relpath(path, Path(folder).expanduser().absolute())).as_posix()
    except ValueError:
        return None


def source_path(result: SortResult, folder: str | Path) -> Path | None:
    """Return where the recording of a result lies now; None where it is not found.

    It is sought where it was sorted, then at the same place relative to the result, so that both
    may be moved together.
    """
    source = result.provenance.get("recording")
    if not isinstance(source, dict):
        return None
    path, beside = source.get("path"), source.get("relative_path")
    if isinstance(path, list):
        return None
    places = [Path(path)] if isinstance(path, str) else []
    if isinstance(beside, str):
        places.append(Path(folder).expanduser().absolute() / beside)
    return next((Path(os.path.normpath(place)) for place in places if place.exists()), None)


def opened_with(source: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which a result says that its recording was opened.

    A result may come from anybody: what it does not need to say, such as that it is to be
    trusted, it does not get to say.
    """
    said = source.get("opened_with", {})
    kinds = _OPTIONS if isinstance(said, dict) else {}
    return {name: said[name] for name, kind in kinds.items() if isinstance(said.get(name), kind)}


def open_source(
    result: SortResult, folder: str | Path, path: str | None = None, **options: Any
) -> Recording | None:
    """Open the recording of a result.

    Parameters
    ----------
    result : SortResult
    folder : str or Path
        Where the result lies.
    path : str, optional
        The recording, where it is no longer where the result says.
    **options
        Of `embersort.open_recording`; those that are None are taken from the result.

    Returns
    -------
    Recording or None
        None where ``path`` is not given and the recording is not found.

    Raises
    ------
    BadInput
        If it cannot be opened, or is not what was sorted.
    """
    source = result.provenance.get("recording")
    known = opened_with(source) if isinstance(source, dict) else {}
    found = Path(path) if path is not None else source_path(result, folder) or _several(source)
    if found is None:
        return None
    given = {name: value for name, value in options.items() if value is not None}
    recording = open_recording(found, **{**known, **given})
    _check(recording, result, found)
    return recording


def _several(source: Any) -> list[Path] | None:
    """Return the files that were joined and sorted, if all of them are where they were."""
    paths = source.get("path") if isinstance(source, dict) else None
    if not isinstance(paths, list) or not all(isinstance(one, str) for one in paths):
        return None
    return [Path(one) for one in paths] if all(Path(one).exists() for one in paths) else None


def _check(recording: Recording, result: SortResult, path: Path | list[Path]) -> None:
    name = path if isinstance(path, Path) else path[0]
    if recording.geometry.n_channels != result.geometry.n_channels or (
        recording.n_samples != result.sorting.n_samples
    ):
        raise BadInput(
            f"{name} has {recording.geometry.n_channels} channels and {recording.n_samples} "
            f"samples, the result {result.geometry.n_channels} and {result.sorting.n_samples}; "
            "name the recording that was sorted by --recording"
        )
