"""Recordings whose traces are one array, in memory or mapped from a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.recording.missing import MissingSamples
from embersort.recording.one_line import one_line
from embersort.types import Geometry, IntArray, Recording

LOWEST_SAMPLING_RATE_HZ = 1000.0
"""Below this no spike can be seen; a smaller number is nearly always kHz given as Hz."""

HIGHEST_SAMPLING_RATE_HZ = 1e6
"""Above this a spike would have thousands of samples."""


def checked_sampling_rate_hz(sampling_rate_hz: float) -> float:
    """Return the sampling rate as a float, if a spike could be seen at it.

    Raises
    ------
    BadInput
        If it is not a number from 1 kHz to 1 MHz.
    """
    try:
        rate_hz = float(sampling_rate_hz)
    except (TypeError, ValueError):
        raise BadInput(
            f"a sampling rate of {sampling_rate_hz!r} is not a number; "
            "give it in hertz, for example 30000"
        ) from None
    if rate_hz > HIGHEST_SAMPLING_RATE_HZ:
        raise BadInput(
            f"a sampling rate of {rate_hz:g} Hz is higher than any amplifier's; "
            "give it in hertz, for example 30000"
        )
    if not np.isfinite(rate_hz) or rate_hz < LOWEST_SAMPLING_RATE_HZ:
        raise BadInput(
            f"a sampling rate of {rate_hz:g} Hz cannot hold spikes; "
            "give it in hertz, for example 30000"
        )
    return rate_hz


def can_be_impossible(dtype: np.dtype[Any], unit: str) -> bool:
    """Say whether samples of a type may lie beyond any voltage: short integers cannot."""
    return dtype.kind == "f" or (dtype.itemsize >= 4 and unit == "µV")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayRecording:
    """A recording that is one array, time × channel, in memory or memory-mapped.

    Attributes
    ----------
    traces : ndarray, shape (n_samples, n_channels), integer or floating
        In microvolt, or in counts.
    sampling_rate_hz : float
    geometry : Geometry
        Position of each channel.
    gain_uv : float
        Microvolt per count.
    unit : str
        ``µV``, or ``counts`` where the gain is not known.
    missing : MissingSamples
        What was read as 0 since it cannot be a voltage.
    """

    traces: NDArray[Any]
    sampling_rate_hz: float
    geometry: Geometry
    gain_uv: float = 1.0
    unit: str = "µV"
    missing: MissingSamples = field(default_factory=MissingSamples, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.traces.ndim != 2:
            raise BadInput(
                f"the traces have {self.traces.ndim} axes (shape {self.traces.shape}), "
                "expected 2: time × channel"
            )
        if self.traces.dtype.kind not in "iuf":
            raise BadInput(
                f"the traces hold {self.traces.dtype} values, expected integers or real numbers"
            )
        if self.traces.shape[1] != self.geometry.n_channels:
            raise BadInput(
                f"the traces have {self.traces.shape[1]} channels, "
                f"the probe has {self.geometry.n_channels}; give the probe that recorded them"
            )
        if not np.isfinite(self.gain_uv) or self.gain_uv == 0:
            raise BadInput(f"a gain of {self.gain_uv} µV per count is none; 1 if it is not known")
        rate_hz = checked_sampling_rate_hz(self.sampling_rate_hz)
        object.__setattr__(self, "sampling_rate_hz", rate_hz)

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel)."""
        return len(self.traces)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.geometry.n_channels

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return a copy of the traces in microvolt, (stop_sample - start_sample, n_channels).

        Samples that are NaN, infinite or impossible are 0, with one warning per recording.
        """
        with np.errstate(over="ignore"):
            part = np.array(self.traces[start_sample:stop_sample], dtype=np.float32, order="C")
            if self.gain_uv != 1.0:
                part *= np.float32(self.gain_uv)
        if can_be_impossible(self.traces.dtype, self.unit):
            return self.missing.cleaned(part, start_sample)
        return part


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelSelection:
    """Some channels of a recording, in a given order.

    Attributes
    ----------
    recording : Recording
    channel_index : ndarray, shape (n_channels,), int64
        Channels of ``recording`` to keep.
    geometry : Geometry
        Positions of the kept channels.
    """

    recording: Recording
    channel_index: IntArray
    geometry: Geometry

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel)."""
        return self.recording.n_samples

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channel_index)

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.recording.sampling_rate_hz

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (stop_sample - start_sample, n_channels)."""
        traces = self.recording.read(start_sample, stop_sample)
        return np.ascontiguousarray(traces[:, self.channel_index])


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A range of time of a recording, with samples counted from its own start.

    Attributes
    ----------
    recording : Recording
    start_sample : int
        Where the range starts in ``recording``.
    n_samples : int
        Length of the range.
    """

    recording: Recording
    start_sample: int
    n_samples: int

    def __post_init__(self) -> None:
        stop = self.start_sample + self.n_samples
        if self.start_sample < 0 or self.n_samples < 0 or stop > self.recording.n_samples:
            raise BadInput(
                f"samples {self.start_sample} to {stop} are outside "
                f"the recording's 0 to {self.recording.n_samples}"
            )

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.recording.geometry.n_channels

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.recording.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self.recording.geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (stop_sample - start_sample, n_channels)."""
        return self.recording.read(
            self.start_sample + start_sample, self.start_sample + stop_sample
        )
