"""Which of several streams of a recording holds the spikes."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embersort.errors import BadInput

LOWEST_SPIKE_BAND_HZ = 8000.0
"""Streams sampled more slowly hold field potentials, temperatures and the like."""

_BESIDE = re.compile(
    r"sync|nidq|ni-?daq|\bobx|\blf\b|lfp|aux|adc|analog|digital|supply|temperature|"
    r"\bdc\b|stim|event|trigger|accel|gyro|audio|\bai\b|\bfp\b|fieldpotential|microphone",
    re.IGNORECASE,
)
"""What acquisition systems call the streams that they write beside the electrodes'."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One of the streams of a recording.

    Attributes
    ----------
    name, id : str
    n_channels : int
    sampling_rate_hz : float
    """

    name: str
    id: str
    n_channels: int
    sampling_rate_hz: float

    def __str__(self) -> str:
        channels = "1 channel" if self.n_channels == 1 else f"{self.n_channels} channels"
        return f"'{self.name}' ({channels}, {self.sampling_rate_hz / 1e3:g} kHz)"


def streams_of(reader: type[Any], place: Path) -> list[Stream] | None:
    """Return the streams of a recording that Neo reads; None for other readers.

    Parameters
    ----------
    reader : type
        A recording extractor of SpikeInterface.
    place : Path

    Raises
    ------
    BadInput
        If the file holds spikes or events, but no continuous traces.
    """
    if getattr(reader, "NeoRawIOClass", None) is None:
        return None
    kwargs = reader.map_to_neo_kwargs(place)
    header = reader.get_neo_io_reader(reader.NeoRawIOClass, **kwargs).header
    channels = header["signal_channels"]
    found = []
    for one in header["signal_streams"]:
        mine = channels[channels["stream_id"] == one["id"]]
        rate_hz = float(mine["sampling_rate"][0]) if len(mine) else 0.0
        found.append(
            Stream(
                name=str(one["name"]),
                id=str(one["id"]),
                n_channels=len(mine),
                sampling_rate_hz=rate_hz,
            )
        )
    if not any(one.n_channels for one in found):
        n_trains = len(header["spike_channels"])
        spikes = f"spikes of {n_trains} channels or units" if n_trains else "no spikes"
        raise BadInput(
            f"{place} holds {spikes} but no continuous traces, so there is nothing to sort; "
            "give the file with the wide-band recording"
        )
    return found


def stream_with_spikes(streams: Sequence[Stream], path: Path) -> Stream:
    """Return the one stream that can hold spikes, and say which it is.

    Parameters
    ----------
    streams : sequence of Stream
    path : Path
        That the user gave: a file that is named after one of its streams means that one.

    Raises
    ------
    BadInput
        If several could, or none.
    """
    if len(streams) == 1:
        return streams[0]
    named = [one for one in streams if _is_file_of(one, path)]
    if len(named) == 1:
        return _said(named[0], streams, path)
    likely = [one for one in streams if not _BESIDE.search(one.name)]
    fast = [one for one in likely if one.sampling_rate_hz >= LOWEST_SPIKE_BAND_HZ]
    if len(fast) == 1:
        return _said(fast[0], streams, path)
    if fast:
        raise BadInput(
            f"{path} holds several streams that could hold spikes: {_listed(fast)}; "
            f"choose with --stream, such as --stream '{fast[0].name}'"
        )
    raise BadInput(
        f"{path} holds several streams, none of which is known to hold spikes: "
        f"{_listed(streams)}; choose with --stream"
    )


def stream_named(stream: str, streams: Sequence[Stream], path: Path) -> Stream:
    """Return the stream that is meant: by name, identifier, or a telling part of its name.

    Raises
    ------
    BadInput
        If there is none, or more than one.
    """
    for same in (
        lambda one: one.name == stream,
        lambda one: one.id == stream,
        lambda one: stream.lower() in one.name.lower(),
    ):
        fitting = [one for one in streams if same(one)]
        if len(fitting) == 1:
            return fitting[0]
    raise BadInput(f"{path} has no one stream '{stream}'; there are {_listed(streams)}")


def _is_file_of(stream: Stream, path: Path) -> bool:
    """Say whether a file is named after a stream: ``x.imec0.ap.bin``, ``x.ns5`` (``nsx5``)."""
    number = re.fullmatch(r"\.ns(\d)", path.suffix.lower())
    if number:
        return stream.name == f"nsx{number[1]}" or stream.id == number[1]
    return path.is_file() and f".{stream.name}." in path.name


def _said(chosen: Stream, streams: Sequence[Stream], path: Path) -> Stream:
    others = _listed([one for one in streams if one is not chosen])
    _log.warning(
        "of the streams of %s %s is taken; left are %s. --stream chooses another",
        path,
        chosen,
        others,
    )
    return chosen


def _listed(streams: Sequence[Stream]) -> str:
    return ", ".join(map(str, streams))
