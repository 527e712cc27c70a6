"""``open_recording``: whatever holds a recording in, a recording out."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
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
from embersort.recording.files import open_npy, time_first
from embersort.recording.formats import BINARY, NPY, format_of, read_format
from embersort.recording.joined import Part, joined
from embersort.recording.layout import in_micrometres, in_plane
from embersort.recording.plain_binary import checked_binary
from embersort.recording.probes import n_channels_of, wiring_for
from embersort.recording.voltages import in_microvolt
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
    skip_bytes: int | None = None,
    gain_uv: float | None = None,
    format: str = "auto",
    stream: str | None = None,
    segment: int | None = None,
    start_s: float | None = None,
    duration_s: float | None = None,
    trust: bool = False,
) -> Recording:
    """Open a recording, of which only a few stretches are looked at.

    Parameters
    ----------
    source : str, Path, ndarray, SpikeInterface recording, Recording, or a list of them
        A SpikeInterface folder or Zarr, a folder of ``embersort simulate``, a NumPy ``.npy``, a
        flat binary file, a file or folder of any format that SpikeInterface reads, an array, or
        a recording. Of a list, all of the same channels, one follows the other in time.
    sampling_rate_hz : float, optional
        Needed for arrays, ``.npy`` and binary; others carry their own.
    probe : str, Path, Geometry, probeinterface Probe or ProbeGroup, optional
        A probeinterface file, ``"tetrode"``, ``"linear:PITCH_UM"``, a name such as
        ``"neuropixels1"``, or an object. Replaces the
        probe that the source carries. May be left out for one channel.
    positions_um : array-like, shape (n_channels, 2), optional
        Positions of the channels, in place of ``probe``.
    channels_first : bool, optional
        Whether an array is channel × time; else its shape and the probe decide.
    dtype : str, optional
        Sample type of a flat binary file, such as ``int16``.
    n_channels : int, optional
        Channels of a flat binary file.
    skip_bytes : int, optional
        Length of a header before the samples of a flat binary file.
    gain_uv : float, optional
        Microvolt per count of an array, ``.npy`` or binary; others carry their own. Not given,
        integers are counts, and real numbers microvolt or volt, whichever they look like.
    format : str
        Name of the format; ``auto`` tells it by name and contents.
    stream : str, optional
        Which of several streams; needed only where several could hold spikes.
    segment : int, optional
        Which of several segments; not given, all are joined.
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
        probe = _geometry(positions_um)
    probe = _run_probe(probe) if trust else probe
    how = _How(
        sampling_rate_hz=sampling_rate_hz,
        probe=probe,
        channels_first=channels_first,
        dtype=dtype,
        n_channels=n_channels,
        skip_bytes=skip_bytes,
        gain_uv=gain_uv,
        format=format,
        stream=stream,
        segment=segment,
        may_end_early=duration_s is not None,
        trust=trust,
    )
    parts = _parts(source, how)
    recording = joined(parts)
    if recording.n_samples == 0:
        raise BadInput("the recording holds no samples")
    _warn_of_counts(parts[0].recording)
    return _time_range(recording, start_s, duration_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class _How:
    """The options of `open_recording` that say how a source is read."""

    sampling_rate_hz: float | None
    probe: Any
    channels_first: bool | None
    dtype: str | None
    n_channels: int | None
    skip_bytes: int | None
    gain_uv: float | None
    format: str
    stream: str | None
    segment: int | None
    may_end_early: bool
    trust: bool


def _parts(source: Any, how: _How) -> list[Part]:
    """Return the recordings that a source holds, in order of time."""
    if isinstance(source, list | tuple):
        if not source:
            raise BadInput("no recording is given")
        return [part for one in source for part in _parts(one, how)]
    if isinstance(source, np.ndarray):
        traces = time_first(source, n_channels_of(how.probe), how.channels_first)
        return [Part(recording=_from_traces(traces, how), name="array")]
    if isinstance(source, str | Path):
        return _parts_of_path(Path(source).expanduser(), how)
    if hasattr(source, "get_traces"):
        return _segments(source, how, "", None)
    if isinstance(source, Recording):
        return [Part(recording=_with_probe(source, how.probe), name="recording")]
    raise BadInput(
        f"a {type(source).__name__} is not a recording; give a path, an array, "
        "or a SpikeInterface recording"
    )


def _with_probe(recording: Recording, probe: Any) -> Recording:
    """Return a recording with another probe, if one is given."""
    if probe is None:
        return recording
    wiring = wiring_for(probe, recording.geometry.n_channels)
    return ChannelSelection(
        recording=recording, channel_index=wiring.channel_index, geometry=wiring.geometry
    )


def _parts_of_path(path: Path, how: _How) -> list[Part]:
    if (path / SIMULATED / "si_folder.json").is_file():
        path = path / SIMULATED
    name = format_of(path) if how.format == "auto" else how.format
    if name not in (NPY, BINARY):
        opened = read_format(name, path, how.stream, trust=how.trust)
        return _segments(opened, how, str(path), Watch.of(path))
    _check_file(path, name)
    if name == NPY:
        plain = open_npy(path, n_channels_of(how.probe), how.channels_first)
    else:
        plain = checked_binary(
            path,
            how.dtype,
            how.n_channels,
            skip_bytes=how.skip_bytes,
            may_end_early=how.may_end_early,
        )
    return [Part(recording=_from_traces(plain, how), name=str(path))]


def _segments(si_recording: Any, how: _How, name: str, watch: Watch | None) -> list[Part]:
    """Return the segment that is meant, or all of them."""
    n_segments = si_recording.get_num_segments()
    chosen = [how.segment] if how.segment is not None or n_segments == 1 else range(n_segments)
    parts = []
    for segment in chosen:
        one = from_spikeinterface(si_recording, probe=how.probe, segment=segment, watch=watch)
        label = f"{name} segment {segment}".strip() if len(chosen) > 1 else name or "recording"
        began = si_recording.get_time_info(segment_index=segment or 0)["t_start"]
        if one.n_samples or n_segments == 1:
            parts.append(
                Part(recording=in_microvolt(one), name=label, segment=segment, began_s=began)
            )
    if not parts:
        raise BadInput("the recording holds no samples")
    return parts


def _geometry(positions_um: Any) -> Geometry:
    """Return positions, in two or three dimensions, as a geometry."""
    try:
        positions = np.asarray(positions_um, np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"positions_um cannot be read as an array of numbers: {error}") from None
    layout = in_plane(positions)
    places = in_micrometres(layout.positions_um, layout.side_index)
    return Geometry(positions_um=places, shank_index=layout.side_index)


def _warn_of_counts(recording: Any) -> None:
    """Say once that amplitudes will be counts, and how they become microvolt."""
    inner = getattr(recording, "recording", recording)
    if getattr(inner, "unit", "µV") == "counts":
        _log.warning(
            "the gain of the recording is not known, so amplitudes are in counts; "
            "give --gain (gain_uv=), µV per count, where the format does not carry it"
        )


def _run_probe(probe: Any) -> Any:
    """Return a probe of a PRB file as probeinterface reads it, which runs it; others as given."""
    if not isinstance(probe, str | Path) or Path(probe).suffix != ".prb":
        return probe
    from probeinterface import read_prb

    return read_prb(Path(probe).expanduser())


def _check_file(path: Path, name: str) -> None:
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise BadInput(f"{path} is {what}, expected a {name} file")


def _from_traces(traces: Any, how: _How) -> Recording:
    if how.sampling_rate_hz is None:
        raise BadInput(
            "the sampling rate is not in the data; give --sampling-rate (sampling_rate_hz=) in Hz"
        )
    checked_sampling_rate_hz(how.sampling_rate_hz)
    n_recorded = traces.shape[1]
    wiring = wiring_for(how.probe, n_recorded)
    in_order = np.array_equal(wiring.channel_index, np.arange(n_recorded))
    everywhere = Geometry(positions_um=np.zeros((n_recorded, 2)))
    known = how.gain_uv is not None or traces.dtype.kind == "f"
    recorded = ArrayRecording(
        traces=traces,
        sampling_rate_hz=how.sampling_rate_hz,
        geometry=wiring.geometry if in_order else everywhere,
        gain_uv=1.0 if how.gain_uv is None else how.gain_uv,
        unit="µV" if known else "counts",
    )
    recorded = in_microvolt(recorded, given=how.gain_uv is not None)
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
