"""``open_recording``: whatever holds a recording in, a recording out."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.recording.array import (
    ArrayRecording,
    ChannelSelection,
    Excerpt,
    checked_sampling_rate_hz,
)
from embersort.recording.files import open_binary, open_npy, time_first
from embersort.recording.formats import BINARY, NPY, format_of, read_format
from embersort.recording.plain import FileTraces
from embersort.recording.probes import n_channels_of, wiring_for
from embersort.recording.watch import Watch
from embersort.recording.wrapped import from_spikeinterface
from embersort.types import Geometry, Recording
from embersort.units import s_to_samples, samples_to_s

SIMULATED = "recording"
"""Where a folder of ``embersort simulate`` keeps its recording."""

_log = logging.getLogger(__name__)


def open_recording(  # noqa: PLR0913 - one door for every source, each option of its own meaning
    source: Any,
    *,
    sampling_rate_hz: float | None = None,
    probe: Any = None,
    positions_um: Any = None,
    channels_first: bool | None = None,
    dtype: str | None = None,
    n_channels: int | None = None,
    gain_uv: float = 1.0,
    format: str = "auto",
    stream: str | None = None,
    segment: int | None = None,
    start_s: float | None = None,
    duration_s: float | None = None,
    trust: bool = False,
) -> Recording:
    """Open a recording without reading it.

    Parameters
    ----------
    source : str, Path, ndarray, SpikeInterface recording, or Recording
        A SpikeInterface folder or Zarr, a folder of ``embersort simulate``, a NumPy ``.npy``, a
        flat binary file, a file or folder of any format that SpikeInterface reads, an array, or
        a recording.
    sampling_rate_hz : float, optional
        Needed for arrays, ``.npy`` and binary; others carry their own.
    probe : str, Path, Geometry, probeinterface Probe or ProbeGroup, optional
        A probeinterface file, ``"tetrode"``, ``"linear:PITCH_UM"`` or an object. Replaces the
        probe that the source carries. May be left out for one channel.
    positions_um : array-like, shape (n_channels, 2), optional
        Positions of the channels, in place of ``probe``.
    channels_first : bool, optional
        Whether an array is channel × time; else its shape and the probe decide.
    dtype : str, optional
        Sample type of a flat binary file, such as ``int16``.
    n_channels : int, optional
        Channels of a flat binary file.
    gain_uv : float
        Microvolt per count of an array, ``.npy`` or binary; others carry their own.
    format : str
        Name of the format; ``auto`` tells it by name and contents.
    stream : str, optional
        Which of several streams.
    segment : int, optional
        Which of several segments.
    start_s, duration_s : float, optional
        Range of time; samples then count from its start.
    trust : bool
        Whether files that could run code when they are read are read all the same: pickles,
        Python objects, probes and folders that name code. Only for files of your own.

    Returns
    -------
    Recording
        Traces in microvolt where the gain is known, else in counts.

    Raises
    ------
    BadInput
        If the source is missing, unreadable, empty, or contradicts what was said about it.
    MissingDependency
        If its format needs a package that is not installed.
    """
    if positions_um is not None:
        if probe is not None:
            raise BadInput("give a probe or positions, not both")
        probe = Geometry(positions_um=positions_um)
    probe = _run_probe(probe) if trust else probe
    if isinstance(source, np.ndarray):
        traces = time_first(source, n_channels_of(probe), channels_first)
        recording = _from_traces(traces, sampling_rate_hz, probe, gain_uv)
    elif isinstance(source, str | Path):
        path = Path(source).expanduser()
        if (path / SIMULATED / "si_folder.json").is_file():
            path = path / SIMULATED
        name = format_of(path) if format == "auto" else format
        if name in (NPY, BINARY):
            plain = (
                _npy(path, n_channels_of(probe), channels_first)
                if name == NPY
                else _binary(path, dtype, n_channels, may_end_early=duration_s is not None)
            )
            recording = _from_traces(plain, sampling_rate_hz, probe, gain_uv)
        else:
            opened = read_format(name, path, stream, trust=trust)
            recording = from_spikeinterface(
                opened, probe=probe, segment=segment, watch=Watch.of(path)
            )
    elif hasattr(source, "get_traces"):
        recording = from_spikeinterface(source, probe=probe, segment=segment)
    elif isinstance(source, Recording):
        recording = source
    else:
        raise BadInput(
            f"a {type(source).__name__} is not a recording; give a path, an array, "
            "or a SpikeInterface recording"
        )
    if recording.n_samples == 0:
        raise BadInput("the recording holds no samples")
    return _time_range(recording, start_s, duration_s)


def _run_probe(probe: Any) -> Any:
    """Return a probe of a PRB file as probeinterface reads it, which runs it; others as given."""
    if not isinstance(probe, str | Path) or Path(probe).suffix != ".prb":
        return probe
    from probeinterface import read_prb

    return read_prb(Path(probe).expanduser())


def _npy(path: Path, n_channels: int | None, channels_first: bool | None) -> FileTraces:
    _check_file(path, NPY)
    return open_npy(path, n_channels, channels_first)


def _binary(
    path: Path, dtype: str | None, n_channels: int | None, *, may_end_early: bool
) -> FileTraces:
    _check_file(path, BINARY)
    if dtype is None or n_channels is None:
        raise BadInput(
            f"{path} is taken as flat binary, which does not describe itself; "
            "give --dtype and --channels, or --format if it is something else"
        )
    return open_binary(path, dtype, n_channels, may_end_early=may_end_early)


def _check_file(path: Path, name: str) -> None:
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise BadInput(f"{path} is {what}, expected a {name} file")


def _from_traces(
    traces: Any, sampling_rate_hz: float | None, probe: Any, gain_uv: float
) -> Recording:
    if sampling_rate_hz is None:
        raise BadInput(
            "the sampling rate is not in the data; give --sampling-rate (sampling_rate_hz=) in Hz"
        )
    checked_sampling_rate_hz(sampling_rate_hz)
    n_recorded = traces.shape[1]
    wiring = wiring_for(probe, n_recorded)
    in_order = np.array_equal(wiring.channel_index, np.arange(n_recorded))
    everywhere = Geometry(positions_um=np.zeros((n_recorded, 2)))
    recorded = ArrayRecording(
        traces=traces,
        sampling_rate_hz=sampling_rate_hz,
        geometry=wiring.geometry if in_order else everywhere,
        gain_uv=gain_uv,
    )
    if in_order:
        return recorded
    return ChannelSelection(
        recording=recorded, channel_index=wiring.channel_index, geometry=wiring.geometry
    )


def _time_range(recording: Recording, start_s: float | None, duration_s: float | None) -> Recording:
    if start_s is None and duration_s is None:
        return recording
    rate_hz, n_samples = recording.sampling_rate_hz, recording.n_samples
    length_s = samples_to_s(n_samples, rate_hz)
    if start_s is not None and not 0 <= start_s < math.inf:
        raise BadInput(f"--start is {start_s:g} s, expected at least 0")
    if duration_s is not None and not 0 < duration_s < math.inf:
        raise BadInput(f"--duration is {duration_s:g} s, expected more than 0; left out, all of it")
    first = s_to_samples(start_s or 0.0, rate_hz)
    if first >= n_samples:
        raise BadInput(f"--start is {start_s:g} s, but the recording ends after {length_s:.3f} s")
    n_wanted = n_samples - first if duration_s is None else s_to_samples(duration_s, rate_hz)
    if n_wanted > n_samples - first:
        _log.warning(
            "the recording ends after %.3f s; %.3f s are read",
            length_s,
            samples_to_s(n_samples - first, rate_hz),
        )
    n_wanted = max(1, min(n_wanted, n_samples - first))
    return Excerpt(recording=recording, start_sample=first, n_samples=n_wanted)
