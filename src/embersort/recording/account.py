"""What a result says of the recording that it came from: unit, missing samples, parts, gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from embersort.recording.array import ChannelSelection, Excerpt
from embersort.recording.joined import JoinedRecording
from embersort.recording.reopened import ReopenedRecording
from embersort.types import IntArray, Recording


def account_of(recording: Recording) -> dict[str, Any]:
    """Return what is known of a recording once it was read, for ``run.json``.

    Returns
    -------
    dict
        ``unit`` of the traces (``µV`` or ``counts``); ``missing``, the samples that were taken as
        missing, by channel and range, in samples of the sort; ``segments`` and ``gaps``, where it
        was joined of several parts.
    """
    found: dict[str, Any] = {"unit": unit_of(recording)}
    found["missing"] = missing_in(recording)
    joined, offset = _joined_in(recording, 0)
    if joined is not None:
        found["segments"] = _segments(joined, offset, recording.n_samples)
        found["gaps"] = _gaps(joined, offset, recording.n_samples)
    return found


MOST_LISTED = 200
"""Ranges of missing samples that are written out; the count is of all."""


def unit_of(recording: Recording) -> str:
    """Return ``µV``, or ``counts`` where the gain of a recording is not known."""
    if isinstance(recording, JoinedRecording):
        units = {unit_of(part) for part in recording.parts}
        return units.pop() if len(units) == 1 else "counts"
    inner = _inner(recording)
    return unit_of(inner) if inner is not None else str(getattr(recording, "unit", "µV"))


def missing_in(recording: Recording) -> dict[str, Any]:
    """Return how many values were taken as missing so far, and where."""
    ranges = _ranges(recording)
    return {
        "n_values": int((ranges[:, 2] - ranges[:, 1]).sum()),
        "ranges": [
            {"channel": channel, "start_sample": start, "stop_sample": stop}
            for channel, start, stop in ranges[:MOST_LISTED].tolist()
        ],
        "all_listed": len(ranges) <= MOST_LISTED and not _more(recording),
    }


def _inner(recording: Recording) -> Recording | None:
    """Return the recording that another one is a view of."""
    if isinstance(recording, ReopenedRecording):
        return recording.opened
    if isinstance(recording, Excerpt | ChannelSelection):
        return recording.recording
    return None


def _ranges(recording: Recording) -> IntArray:
    """Return channel, first sample and end of what was missing, in samples of ``recording``."""
    if isinstance(recording, JoinedRecording):
        parts = [_ranges(part) for part in recording.parts]
        for part, start in zip(parts, recording.starts, strict=False):
            part[:, 1:] += start
        return np.concatenate(parts)
    inner = _inner(recording)
    if inner is None:
        missing = getattr(recording, "missing", None)
        return np.zeros((0, 3), np.int64) if missing is None else missing.ranges().copy()
    ranges = _ranges(inner)
    if isinstance(recording, Excerpt):
        ranges[:, 1:] = np.clip(ranges[:, 1:] - recording.start_sample, 0, recording.n_samples)
        return ranges[ranges[:, 2] > ranges[:, 1]]
    if isinstance(recording, ChannelSelection):
        place = {int(old): new for new, old in enumerate(recording.channel_index)}
        kept = ranges[np.isin(ranges[:, 0], recording.channel_index)]
        kept[:, 0] = [place[int(channel)] for channel in kept[:, 0]]
        return kept
    return ranges


def _more(recording: Recording) -> bool:
    """Say whether more was missing than a recording remembers."""
    if isinstance(recording, JoinedRecording):
        return any(map(_more, recording.parts))
    inner = _inner(recording)
    if inner is not None:
        return _more(inner)
    missing = getattr(recording, "missing", None)
    return missing is not None and missing.more


def _joined_in(recording: Recording, offset: int) -> tuple[JoinedRecording | None, int]:
    """Return what was joined, and the sample of it at which ``recording`` begins."""
    if isinstance(recording, JoinedRecording):
        return recording, offset
    inner = _inner(recording)
    if inner is None:
        return None, 0
    begins = recording.start_sample if isinstance(recording, Excerpt) else 0
    return _joined_in(inner, offset + begins)


def _segments(joined: JoinedRecording, offset: int, n_samples: int) -> list[dict[str, Any]]:
    """Return name, range and time of each part that was sorted."""
    starts = np.clip(joined.starts - offset, 0, n_samples).tolist()
    return [
        {"name": name, "start_sample": start, "n_samples": stop - start, "began_s": began}
        for name, start, stop, began in zip(
            joined.names, starts[:-1], starts[1:], joined.start_times_s, strict=True
        )
        if stop > start
    ]


def _gaps(joined: JoinedRecording, offset: int, n_samples: int) -> list[dict[str, Any]]:
    """Return where parts meet, and how long nothing was recorded there, if that is known."""
    gaps = []
    for i, sample in enumerate(joined.starts[1:-1].tolist()):
        before, after = joined.start_times_s[i : i + 2]
        length_s = joined.parts[i].n_samples / joined.sampling_rate_hz
        known = before is not None and after is not None
        lasted = round(after - before - length_s, 6) if known else None  # type: ignore[operator]
        if 0 < sample - offset < n_samples:
            gaps.append({"sample": sample - offset, "duration_s": lasted})
    return gaps
