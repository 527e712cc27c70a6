"""Traces in plain files: NumPy ``.npy`` and flat binary, and which axis is time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.recording.npy import DAMAGE, check_npy, reason
from embersort.recording.plain import FileTraces

CLEARLY_LONGER = 10
"""An axis this many times longer than the other is taken to be time."""


def open_npy(path: Path, n_channels: int | None, channels_first: bool | None) -> FileTraces:
    """Open an array in a ``.npy`` file as time × channel, without reading it.

    Parameters
    ----------
    n_channels : int, optional
        Channels of the probe, where it says.
    channels_first : bool, optional
        Which axis is which, where the caller says; else the shape must tell.

    Raises
    ------
    BadInput
        If the file is truncated, holds something else than numbers, or its shape leaves it open.
    """
    try:
        with path.open("rb") as file:
            header = check_npy(file, path.stat().st_size)
    except DAMAGE as error:
        raise BadInput(
            f"{path} cannot be read as a NumPy array: {reason(error)}; is it truncated?"
        ) from None
    first = channels_come_first(header.shape, n_channels, channels_first)
    shape = header.shape if len(header.shape) == 2 else (*header.shape, 1)
    time_by_channel = (shape[1], shape[0]) if first else (shape[0], shape[1])
    return FileTraces(
        path,
        header.dtype,
        time_by_channel,
        offset=header.n_bytes,
        by_column=first != header.fortran_order,
    )


def open_binary(
    path: Path, dtype: str, n_channels: int, *, may_end_early: bool, skip_bytes: int = 0
) -> FileTraces:
    """Open a flat binary file, samples interleaved by channel, as time × channel.

    Parameters
    ----------
    path : Path
    dtype : str
        NumPy name of the sample type, such as ``int16``.
    n_channels : int
        Channels in the file.
    may_end_early : bool
        Whether a last sample that lacks some channels is dropped rather than refused.
    skip_bytes : int
        Length of the header before the first sample.

    Raises
    ------
    BadInput
        If the type is unknown, or the size is not a whole number of samples.
    """
    try:
        sample_type = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError):
        sample_type = np.dtype(object)
    if sample_type.kind not in "iuf":
        raise BadInput(f"'{dtype}' is not a sample type; give --dtype, such as int16")
    if n_channels < 1:
        raise BadInput(f"--channels is {n_channels}, expected at least 1")
    if skip_bytes < 0:
        raise BadInput(f"--skip-bytes is {skip_bytes}, expected at least 0")
    n_bytes = max(0, path.stat().st_size - skip_bytes)
    after = f" after the first {skip_bytes}" if skip_bytes else ""
    frame = sample_type.itemsize * n_channels
    n_samples, n_left = divmod(n_bytes, frame)
    if n_left and not may_end_early:
        raise BadInput(
            f"{path} has {n_bytes} bytes{after}, which is not a whole number of samples of "
            f"{n_channels} {sample_type} channels ({frame} bytes); check --dtype and --channels; "
            "if the file has a header give its length by --skip-bytes, "
            "or if the file was cut short give --duration to read what is there"
        )
    if n_samples == 0:
        raise BadInput(f"{path} holds no samples{after and f'{after} bytes'}")
    return FileTraces(path, sample_type, (n_samples, n_channels), offset=skip_bytes)


def time_first(
    traces: NDArray[Any], n_channels: int | None, channels_first: bool | None
) -> NDArray[Any]:
    """Return a view of the array as time × channel.

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels), (n_channels, n_samples) or (n_samples,)
    n_channels : int, optional
        Channels of the probe, where it says.
    channels_first : bool, optional
        Which axis is which, where the caller says; else the shape must tell.

    Raises
    ------
    BadInput
        If the shape leaves it open, or holds no channels or samples.
    """
    first = channels_come_first(traces.shape, n_channels, channels_first)
    traces = traces[:, None] if traces.ndim == 1 else traces
    return traces.T if first else traces


def channels_come_first(
    shape: tuple[int, ...], n_channels: int | None, channels_first: bool | None
) -> bool:
    """Say whether an array of this shape is channel × time, as `time_first` has it."""
    if len(shape) not in (1, 2):
        raise BadInput(f"the array has {len(shape)} axes (shape {shape}), expected time × channel")
    first = bool(channels_first)
    if len(shape) == 1:
        shape = (1, *shape) if first else (*shape, 1)
    if channels_first is None:
        if 0 in shape:
            raise BadInput(f"the array, of shape {shape}, holds no samples")
        first = _channels_come_first(shape, n_channels)
    n_samples, n_columns = reversed(shape) if first else shape
    if n_columns == 0:
        raise BadInput("the recording has no channels")
    if n_samples == 0:
        raise BadInput("the recording holds no samples")
    if n_columns > n_samples:
        raise BadInput(
            f"{n_columns} channels of {n_samples} samples are no recording; "
            "are the axes the other way round?"
        )
    return first


def _channels_come_first(shape: tuple[int, ...], n_channels: int | None) -> bool:
    n_rows, n_columns = shape
    if (n_rows == n_channels) != (n_columns == n_channels):
        return n_rows == n_channels
    if n_rows in (n_columns, n_channels):
        clear = False
    else:
        clear = max(n_rows, n_columns) >= CLEARLY_LONGER * min(n_rows, n_columns)
    if not clear:
        raise BadInput(
            f"the shape {shape} does not tell which axis is time; "
            "give --channels-first or --channels-last (in Python channels_first=)"
        )
    return n_rows < n_columns
