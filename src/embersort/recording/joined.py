"""Several recordings, segments or files, one after the other as one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.recording.one_line import one_line
from embersort.types import Geometry, IntArray, Recording

SAME_RATE = 1e-3
"""Clocks of one device differ by far less than this share from file to file."""
SAME_PLACE_UM = 0.01

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinedRecording:
    """Recordings of the same channels, joined in time.

    Attributes
    ----------
    parts : tuple of Recording
        With the same sampling rate and channels.
    names : tuple of str
        What each part is called: its file or segment.
    start_times_s : tuple of float or None
        When each part began, where that is known.
    segments : tuple of int or None
        Which segment of its file each part is.
    """

    parts: tuple[Recording, ...]
    names: tuple[str, ...]
    start_times_s: tuple[float | None, ...]
    segments: tuple[int | None, ...]

    def __post_init__(self) -> None:
        first, name = self.parts[0], self.names[0]
        for part, other in zip(self.parts[1:], self.names[1:], strict=True):
            _check_alike(first, part, name, other)

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def starts(self) -> IntArray:
        """The first sample of each part, and the end, shape (n_parts + 1,)."""
        return np.cumsum([0, *(part.n_samples for part in self.parts)])

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel) of all parts."""
        return int(self.starts[-1])

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.geometry.n_channels

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.parts[0].sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self.parts[0].geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (stop_sample - start_sample, n_channels), across the joins."""
        starts = self.starts
        found = []
        for part, begin, end in zip(self.parts, starts[:-1], starts[1:], strict=True):
            first, last = max(start_sample, int(begin)), min(stop_sample, int(end))
            if first < last:
                found.append(part.read(first - int(begin), last - int(begin)))
        if len(found) == 1:
            return found[0]
        if not found:
            return np.zeros((0, self.n_channels), np.float32)
        return np.concatenate(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One of the recordings that are joined.

    Attributes
    ----------
    recording : Recording
    name : str
        Its file or segment.
    segment : int, optional
        Which of the segments of its file.
    began_s : float, optional
        When it began, where that is known.
    """

    recording: Recording
    name: str
    segment: int | None = None
    began_s: float | None = None


def joined(parts: Sequence[Part]) -> Recording:
    """Return recordings as one, in their order; a single one as it is.

    Raises
    ------
    BadInput
        If they differ in sampling rate or channels.
    """
    if len(parts) == 1:
        return parts[0].recording
    result = JoinedRecording(
        parts=tuple(part.recording for part in parts),
        names=tuple(part.name for part in parts),
        start_times_s=tuple(part.began_s for part in parts),
        segments=tuple(part.segment for part in parts),
    )
    lengths = [f"{part.n_samples / part.sampling_rate_hz:.1f} s" for part in result.parts]
    _log.warning(
        "%d parts are joined and sorted as one, %s; run.json lists where each begins. "
        "--segment takes one of the segments of a file, --each sorts each part by itself",
        len(parts),
        ", ".join([*lengths[:10], *(["…"] if len(lengths) > 10 else [])]),
    )
    return result


def _check_alike(first: Recording, other: Recording, name: str, other_name: str) -> None:
    rates = first.sampling_rate_hz, other.sampling_rate_hz
    if abs(rates[0] - rates[1]) > SAME_RATE * rates[0]:
        raise BadInput(
            f"{name} was sampled at {rates[0]:g} Hz, {other_name} at {rates[1]:g} Hz; "
            "they cannot be joined, sort each by itself (--each)"
        )
    places = first.geometry, other.geometry
    if places[0].n_channels != places[1].n_channels:
        raise BadInput(
            f"{name} has {places[0].n_channels} channels, {other_name} {places[1].n_channels}; "
            "they cannot be joined, sort each by itself (--each)"
        )
    if not (
        np.allclose(places[0].positions_um, places[1].positions_um, atol=SAME_PLACE_UM)
        and np.array_equal(places[0].shank_index, places[1].shank_index)
    ):
        raise BadInput(
            f"the channels of {name} and {other_name} lie at different places; "
            "they cannot be joined, sort each by itself (--each)"
        )
