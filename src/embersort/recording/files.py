"""Traces in plain files, memory-mapped: NumPy ``.npy`` and flat binary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.recording.npy import DAMAGE, check_npy, reason

CLEARLY_LONGER = 10
"""An axis this many times longer than the other is taken to be time."""


def map_npy(path: Path) -> NDArray[Any]:
    """Map an array from a ``.npy`` file without reading it.

    Raises
    ------
    BadInput
        If the file is truncated or holds something else than numbers.
    """
    try:
        with path.open("rb") as file:
            check_npy(file, path.stat().st_size)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGE as error:
        raise BadInput(
            f"{path} cannot be read as a NumPy array: {reason(error)}; is it truncated?"
        ) from None


def map_binary(path: Path, dtype: str, n_channels: int, *, may_end_early: bool) -> NDArray[Any]:
    """Map a flat binary file, samples interleaved by channel, as time × channel.

    Parameters
    ----------
    path : Path
    dtype : str
        NumPy name of the sample type, such as ``int16``.
    n_channels : int
        Channels in the file.
    may_end_early : bool
        Whether a last sample that lacks some channels is dropped rather than refused.

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
    n_bytes = path.stat().st_size
    frame = sample_type.itemsize * n_channels
    n_samples, n_left = divmod(n_bytes, frame)
    if n_left and not may_end_early:
        raise BadInput(
            f"{path} has {n_bytes} bytes, which is not a whole number of samples of {n_channels} "
            f"{sample_type} channels ({frame} bytes); check --dtype and --channels, "
            "or if the file was cut short give --duration to read what is there"
        )
    if n_samples == 0:
        raise BadInput(f"{path} holds no samples")
    return np.memmap(path, dtype=sample_type, mode="r", shape=(n_samples, n_channels))


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
    if traces.ndim == 1:
        traces = traces[:, None]
    if traces.ndim != 2:
        raise BadInput(
            f"the array has {traces.ndim} axes (shape {traces.shape}), expected time × channel"
        )
    if channels_first is None:
        if traces.size == 0:
            raise BadInput(f"the array, of shape {traces.shape}, holds no samples")
        channels_first = _channels_come_first(traces.shape, n_channels)
    traces = traces.T if channels_first else traces
    if traces.shape[1] == 0:
        raise BadInput("the recording has no channels")
    if traces.shape[0] == 0:
        raise BadInput("the recording holds no samples")
    if traces.shape[1] > traces.shape[0]:
        raise BadInput(
            f"{traces.shape[1]} channels of {traces.shape[0]} samples are no recording; "
            "are the axes the other way round?"
        )
    return traces


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
