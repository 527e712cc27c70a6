"""SpikeInterface recordings as ours, and ours as SpikeInterface's."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput, EmbersortError
from embersort.recording.array import can_be_impossible, checked_sampling_rate_hz
from embersort.recording.missing import MissingSamples
from embersort.recording.npy import reason
from embersort.recording.one_line import one_line
from embersort.recording.plain import FileTraces
from embersort.recording.probes import HOW_TO_GIVE_A_PROBE, Wiring, wiring_for
from embersort.recording.watch import Watch
from embersort.types import Geometry, Recording

_PLAIN_READERS = ("BinaryRecordingExtractor", "BinaryFolderRecording")
"""Readers of flat binary files, which they map into memory."""
_THREAD_SAFE_READERS = frozenset(
    {
        "BinaryRecordingExtractor",
        "BinaryFolderRecording",
        "NumpyRecording",
        "ZarrRecordingExtractor",
    }
)
"""Readers that keep no state between reads; all others are read by one thread at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpikeInterfaceRecording:
    """One segment of a SpikeInterface recording.

    Attributes
    ----------
    source : spikeinterface.BaseRecording
    segment : int
    wiring : Wiring
        Which channels are read, and where they sit.
    gain_uv, offset_uv : ndarray, shape (n_channels,), float32
        Microvolt per count, and microvolt at count 0.
    unit : str
        ``µV``, or ``counts`` where the gain is not known.
    missing : MissingSamples
        What was read as 0 since it cannot be a voltage.
    """

    source: Any
    segment: int
    wiring: Wiring
    gain_uv: NDArray[np.float32]
    offset_uv: NDArray[np.float32]
    unit: str = "µV"
    missing: MissingSamples = field(default_factory=MissingSamples, repr=False, compare=False)
    _plain: FileTraces | None = field(default=None, repr=False, compare=False)
    _watch: Watch | None = field(default=None, repr=False, compare=False)
    _lock: Any = field(default_factory=nullcontext, repr=False, compare=False)

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel)."""
        return int(self.source.get_num_samples(segment_index=self.segment))

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.wiring.geometry.n_channels

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return float(self.source.get_sampling_frequency())

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self.wiring.geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces in microvolt, shape (stop_sample - start_sample, n_channels).

        Samples that are NaN, infinite or impossible are 0, with one warning per recording.
        """
        raw = self.read_raw(start_sample, stop_sample)
        index = self.wiring.channel_index
        if len(index) != raw.shape[1] or (np.diff(index) != 1).any():
            raw = raw[:, index]
        # Scaled here, not by SpikeInterface, so that every slice gives the same bits.
        with np.errstate(over="ignore"):
            traces = raw.astype(np.float32, order="C")
        traces *= self.gain_uv
        traces += self.offset_uv
        if can_be_impossible(raw.dtype, self.unit):
            return self.missing.cleaned(traces, start_sample)
        return traces

    def read_raw(self, start_sample: int, stop_sample: int) -> NDArray[Any]:
        """Return traces as they are stored; whatever a reader raises, the error says where."""
        if self._plain is not None:
            return self._plain[start_sample:stop_sample]
        if self._watch is not None:
            self._watch.check(start_sample, stop_sample)
        try:
            with self._lock:
                raw = np.asarray(
                    self.source.get_traces(
                        segment_index=self.segment, start_frame=start_sample, end_frame=stop_sample
                    )
                )
        except EmbersortError:
            raise
        except Exception as error:
            raise BadInput(
                f"samples {start_sample} to {stop_sample} of the recording cannot be read "
                f"({reason(error)}); is it damaged?"
            ) from error
        if self._watch is not None:
            self._watch.check(start_sample, stop_sample)
        if raw.ndim != 2 or len(raw) != stop_sample - start_sample:
            raise BadInput(
                f"samples {start_sample} to {stop_sample} of the recording came as an array of "
                f"shape {raw.shape}; is it damaged?"
            )
        return raw


def from_spikeinterface(
    si_recording: Any,
    *,
    probe: Any = None,
    segment: int | None = None,
    watch: Watch | None = None,
) -> SpikeInterfaceRecording:
    """Return a segment of a SpikeInterface recording as a recording of ours. Reads no trace.

    Parameters
    ----------
    si_recording : spikeinterface.BaseRecording
    probe : optional
        As for ``open_recording``; replaces the probe that the recording carries.
    segment : int, optional
        Which segment; may be left out where there is only one.
    watch : Watch, optional
        Of the files behind it, which must not change while they are read.

    Raises
    ------
    BadInput
        If there are several segments and none is chosen, no channels, or no probe.
    """
    n_segments = si_recording.get_num_segments()
    if segment is None and n_segments > 1:
        raise BadInput(
            f"the recording has {n_segments} segments; "
            f"choose one with --segment 0..{n_segments - 1}"
        )
    if not 0 <= (segment or 0) < n_segments:
        raise BadInput(f"there is no segment {segment}; the recording has {n_segments}")
    n_channels = si_recording.get_num_channels()
    if n_channels == 0:
        raise BadInput("the recording has no channels")
    wiring = _wiring(si_recording, probe, n_channels)
    gain, offset = np.ones(n_channels, np.float32), np.zeros(n_channels, np.float32)
    if si_recording.has_scaleable_traces():
        gain = np.asarray(si_recording.get_channel_gains(), np.float32)
        offset = np.asarray(si_recording.get_channel_offsets(), np.float32)
    known = si_recording.has_scaleable_traces() or si_recording.get_dtype().kind == "f"
    checked_sampling_rate_hz(si_recording.get_sampling_frequency())
    thread_safe = type(si_recording).__name__ in _THREAD_SAFE_READERS
    return SpikeInterfaceRecording(
        source=si_recording,
        segment=segment or 0,
        wiring=wiring,
        gain_uv=gain[wiring.channel_index],
        offset_uv=offset[wiring.channel_index],
        unit="µV" if known else "counts",
        _plain=_plain_traces(si_recording, segment or 0),
        _watch=watch,
        _lock=nullcontext() if thread_safe else threading.Lock(),
    )


def _plain_traces(si_recording: Any, segment: int) -> FileTraces | None:
    """Return the traces of SpikeInterface's flat binary files, read by us; None for others."""
    if type(si_recording).__name__ not in _PLAIN_READERS:
        return None
    how = si_recording.get_binary_description()
    paths = how["file_paths"]
    return FileTraces(
        Path(paths[segment] if isinstance(paths, list | tuple) else paths),
        how["dtype"],
        (int(si_recording.get_num_samples(segment_index=segment)), int(how["num_channels"])),
        offset=int(how["file_offset"] or 0),
        by_column=how["time_axis"] == 1,
    )


def _wiring(si_recording: Any, probe: Any, n_channels: int) -> Wiring:
    if probe is not None or n_channels == 1:
        return wiring_for(probe, n_channels)
    if not si_recording.has_probe():
        raise BadInput(
            f"the recording has {n_channels} channels but no probe; {HOW_TO_GIVE_A_PROBE}"
        )
    return wiring_for(si_recording.get_probegroup(), n_channels)


def to_spikeinterface(recording: Recording) -> Any:
    """Return a recording of ours as a SpikeInterface recording with its probe.

    Traces are read lazily, as float32 microvolt. The result is bound to this process: save it
    to a folder to hand it to another.

    Returns
    -------
    spikeinterface.BaseRecording
    """
    from spikeinterface.core import BaseRecording, BaseRecordingSegment

    class _Segment(BaseRecordingSegment):
        def get_num_samples(self) -> int:
            return recording.n_samples

        def get_traces(
            self,
            start_frame: int | None = None,
            end_frame: int | None = None,
            channel_indices: Any = None,
        ) -> NDArray[np.float32]:
            stop = recording.n_samples if end_frame is None else end_frame
            traces = recording.read(start_frame or 0, stop)
            return traces if channel_indices is None else traces[:, channel_indices]

    n_channels = recording.geometry.n_channels
    rate_hz = recording.sampling_rate_hz
    result = BaseRecording(rate_hz, [str(i) for i in range(n_channels)], np.dtype(np.float32))
    result.add_recording_segment(_Segment(sampling_frequency=rate_hz))
    result.set_channel_gains(1.0)
    result.set_channel_offsets(0.0)
    # Tetrodes on one drive may share coordinates: shanks are kept apart by their number.
    result.set_probegroup(probe_group(recording.geometry), check_overlap=False)
    return result


def probe_group(geometry: Geometry) -> Any:
    """Return the places of channels as a probe of probeinterface for each shank.

    Returns
    -------
    probeinterface.ProbeGroup
    """
    import probeinterface

    group = probeinterface.ProbeGroup()
    for shank in np.unique(geometry.shank_index):
        here = np.flatnonzero(geometry.shank_index == shank)
        probe = probeinterface.Probe(ndim=2, si_units="um")
        probe.set_contacts(positions=geometry.positions_um[here], shape_params={"radius": 5})
        probe.set_device_channel_indices(here)
        group.add_probe(probe)
    return group
