"""A recording whose stretches were looked at, in microvolt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from embersort.recording.array import ArrayRecording
from embersort.recording.missing import IMPOSSIBLE_UV, MissingSamples
from embersort.recording.scale import factor_to_uv, spread, stretches
from embersort.recording.wrapped import SpikeInterfaceRecording

LOUDEST = 1e5
"""No voltage is so many times as large as what a recording varies by."""

Readable = TypeVar("Readable", ArrayRecording, SpikeInterfaceRecording)


def in_microvolt(recording: Readable, *, given: bool = False) -> Readable:
    """Return a recording with the gain that its samples show, and the limit of what is possible.

    Parameters
    ----------
    recording : ArrayRecording or SpikeInterfaceRecording
    given : bool
        Whether the user gave the gain.

    Raises
    ------
    BadInput
        If its samples are no voltages.
    """
    if not recording.n_samples:
        return recording
    ranges = stretches(recording.n_samples, recording.n_channels)
    raw = np.concatenate([_raw(recording, start, stop) for start, stop in ranges])
    offset = getattr(recording, "offset_uv", 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        traces = raw.astype(np.float32) * np.asarray(recording.gain_uv, np.float32) + offset
    if recording.unit != "µV":
        return recording
    factor = factor_to_uv(traces, raw, given=given)
    limit = max(IMPOSSIBLE_UV, LOUDEST * spread(traces) * factor)
    changes: dict[str, Any] = {"missing": MissingSamples(limit)}
    if factor != 1:
        changes["gain_uv"] = recording.gain_uv * factor
        if isinstance(recording, SpikeInterfaceRecording):
            changes["gain_uv"] = recording.gain_uv * np.float32(factor)
            changes["offset_uv"] = recording.offset_uv * np.float32(factor)
    return replace(recording, **changes)


def _raw(recording: ArrayRecording | SpikeInterfaceRecording, start: int, stop: int) -> Any:
    """Return samples as they are stored, of the channels that are read."""
    if isinstance(recording, ArrayRecording):
        return np.asarray(recording.traces[start:stop])
    return recording.read_raw(start, stop)[:, recording.wiring.channel_index]
