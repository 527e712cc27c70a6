"""Flat binary files, which do not describe themselves, checked against what was said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embersort.errors import BadInput
from embersort.recording.files import open_binary
from embersort.recording.misread import header_bytes, likely_n_channels, likely_type
from embersort.recording.plain import FileTraces

LOOKED_AT_BYTES = 65_536
LOOKED_AT_VALUES = 400_000
LEAST_ROWS = 256


def checked_binary(
    path: Path,
    dtype: str | None,
    n_channels: int | None,
    *,
    skip_bytes: int | None,
    may_end_early: bool,
) -> FileTraces:
    """Open a flat binary file, and refuse it where it clearly is not what was said.

    Parameters
    ----------
    path : Path
    dtype, n_channels : optional
        Sample type and channels in the file.
    skip_bytes : int, optional
        Length of a header. If not given, a header that shows is refused.
    may_end_early : bool
        As for `open_binary`.

    Raises
    ------
    BadInput
        If type or channels are not given, or the file looks like another type or byte order,
        another number of channels, or begins with a header.
    """
    if dtype is None or n_channels is None:
        raise BadInput(
            f"{path} is taken as flat binary, which does not describe itself; "
            "give --dtype and --channels, or --format if it is something else"
        )
    if skip_bytes is None:
        with path.open("rb") as file:
            n_header = header_bytes(file.read(LOOKED_AT_BYTES))
        if n_header:
            raise BadInput(
                f"{path} begins with what looks like a header of about {n_header} bytes; give its "
                "exact length by --skip-bytes (skip_bytes=), or 0 to read it as samples"
            )
    traces = open_binary(
        path, dtype, n_channels, may_end_early=may_end_early, skip_bytes=skip_bytes or 0
    )
    _check(path, traces)
    return traces


def _check(path: Path, traces: FileTraces) -> None:
    """Refuse a file that clearly has another sample type or number of channels than was said."""
    n_samples, n_channels = traces.shape
    n_rows = min(n_samples, max(LEAST_ROWS, LOOKED_AT_VALUES // n_channels))
    first = (n_samples - n_rows) // 2
    values = np.ascontiguousarray(traces[first : first + n_rows])
    kind = likely_type(values.tobytes(), n_channels, traces.dtype)
    if kind is not None:
        raise BadInput(
            f"read as {traces.dtype}, {path} holds no traces of electrodes: it looks like {kind}; "
            "give that by --dtype. If the type is right, convert the file to .npy"
        )
    likely = likely_n_channels(values.reshape(-1), n_channels)
    if likely is not None:
        raise BadInput(
            f"read as {n_channels} channels, the traces of {path} repeat with a shift, as they do "
            f"with a wrong number of channels: it looks like {likely}; give that by --channels. "
            f"If {n_channels} is right, convert the file to .npy"
        )
