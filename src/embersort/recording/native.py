"""A recording of ours as a SpikeInterface recording that another process can open."""

from __future__ import annotations

from typing import Any

import numpy as np

from embersort.recording.array import ArrayRecording, ChannelSelection, Excerpt
from embersort.recording.joined import JoinedRecording
from embersort.recording.plain import FileTraces
from embersort.recording.reopened import ReopenedRecording
from embersort.recording.wrapped import SpikeInterfaceRecording, probe_group, to_spikeinterface
from embersort.types import Geometry, Recording


def native_spikeinterface(recording: Recording) -> Any:
    """Return a SpikeInterface recording that reads the recording's own file.

    Unlike that of `to_spikeinterface` it can be saved by name and opened again in another process.
    Channels, probe and range of time are those of ``recording``. Traces come as they are stored,
    with their gains. What has no file behind it comes as from `to_spikeinterface`.

    Returns
    -------
    spikeinterface.BaseRecording
    """
    if isinstance(recording, ReopenedRecording):
        return native_spikeinterface(recording.opened)
    if isinstance(recording, Excerpt):
        whole = native_spikeinterface(recording.recording)
        stop = recording.start_sample + recording.n_samples
        return whole.frame_slice(start_frame=recording.start_sample, end_frame=stop)
    if isinstance(recording, ChannelSelection):
        whole = native_spikeinterface(recording.recording)
        return _wired(whole, recording.channel_index, recording.geometry)
    if isinstance(recording, JoinedRecording):
        from spikeinterface.core import concatenate_recordings

        return concatenate_recordings([native_spikeinterface(one) for one in recording.parts])
    if isinstance(recording, SpikeInterfaceRecording):
        source = recording.source
        if source.get_num_segments() > 1:
            source = source.select_segments(recording.segment)
        return _wired(source, recording.wiring.channel_index, recording.geometry)
    if isinstance(recording, ArrayRecording) and isinstance(recording.traces, FileTraces):
        return _from_file(recording, recording.traces)
    return to_spikeinterface(recording)


def _from_file(recording: ArrayRecording, traces: FileTraces) -> Any:
    from spikeinterface.core import BinaryRecordingExtractor

    file = BinaryRecordingExtractor(
        file_paths=[str(traces.path.absolute())],
        sampling_frequency=recording.sampling_rate_hz,
        dtype=traces.dtype.str,
        num_channels=traces.shape[1],
        time_axis=1 if traces.by_column else 0,
        file_offset=traces.offset,
        gain_to_uV=float(recording.gain_uv),
        offset_to_uV=0.0,
    )
    return _wired(file, np.arange(traces.shape[1]), recording.geometry)


def _wired(source: Any, channel_index: Any, geometry: Geometry) -> Any:
    """Return some channels of a recording, with the places that they have in ours."""
    ids = source.channel_ids[np.asarray(channel_index)]
    chosen = source if np.array_equal(ids, source.channel_ids) else source.select_channels(ids)
    # The object may be the caller's own: its probe stays as it is.
    chosen = chosen.clone() if chosen is source else chosen
    chosen.set_probegroup(probe_group(geometry), check_overlap=False)
    return chosen
