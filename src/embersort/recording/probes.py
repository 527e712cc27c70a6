"""Where channels sit: probe files, probe objects, and the two short ways to name a probe."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.recording.prb import read_prb
from embersort.types import FloatArray, Geometry, IntArray

TETRODE_SIDE_UM = 25.0
"""Contacts of a tetrode: a square of this side. Sorting asks only that they are neighbours."""

_log = logging.getLogger(__name__)

HOW_TO_GIVE_A_PROBE = (
    "give --probe FILE.json (probeinterface), --probe tetrode or --probe linear:PITCH_UM; "
    "in Python probe= or positions_um="
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    """A geometry, and the recorded channel that each of its contacts is wired to.

    Attributes
    ----------
    geometry : Geometry
    channel_index : ndarray, shape (n_channels,), int64
        Column of the recording that belongs to each position of ``geometry``.
    explicit : bool
        Whether the probe itself says which channels it is wired to. Only then may a recording
        have channels beside them.
    """

    geometry: Geometry
    channel_index: IntArray
    explicit: bool = False


def wiring_for(probe: Any, n_channels: int) -> Wiring:
    """Return where each of ``n_channels`` recorded channels sits.

    Parameters
    ----------
    probe : str, Path, Geometry, probeinterface Probe or ProbeGroup, or None
        A probeinterface JSON file, ``"tetrode"`` (every four channels are one), ``"linear:20"``
        (a column with that pitch in µm), or an object. None only for one channel.
    n_channels : int
        Number of channels of the recording, at least 1.

    Raises
    ------
    BadInput
        If the probe is missing, unreadable, or contradicts the number of channels.
    """
    if probe is None:
        if n_channels != 1:
            raise BadInput(f"{n_channels} channels need positions; {HOW_TO_GIVE_A_PROBE}")
        return _in_order(Geometry(positions_um=np.zeros((1, 2))))
    if isinstance(probe, str | Path):
        name = str(probe)
        if name == "tetrode":
            return _in_order(_tetrodes(n_channels))
        if name.startswith("linear:"):
            return _in_order(_column(name.removeprefix("linear:"), n_channels))
        probe = read_probe(Path(probe))
    wiring = _in_order(probe) if isinstance(probe, Geometry) else _from_probeinterface(probe)
    n_wired = len(wiring.channel_index)
    last = int(wiring.channel_index.max())
    if last >= n_channels or (n_wired != n_channels and not wiring.explicit):
        wired_to = f", wired to channels up to number {last}" if last >= n_wired else ""
        raise BadInput(
            f"the probe has {n_wired} channels{wired_to}, the recording has {n_channels}; "
            "give the probe that recorded it"
        )
    if n_wired < n_channels:
        _log.warning(
            "the probe is wired to %d of %d channels; the others are left out", n_wired, n_channels
        )
    return wiring


def n_channels_of(probe: Any) -> int | None:
    """Return how many channels a probe has (or is likely to have), or None where any will do."""
    if probe is None or str(probe).startswith("linear:"):
        return None
    if str(probe) == "tetrode":
        return 4
    if isinstance(probe, str | Path):
        probe = read_probe(Path(probe))
    if isinstance(probe, Geometry):
        return probe.n_channels
    return len(_from_probeinterface(probe).channel_index)


def read_probe(path: Path) -> Any:
    """Read a probe file: probeinterface JSON, or PRB.

    Returns
    -------
    probeinterface.ProbeGroup

    Raises
    ------
    BadInput
        If the file is missing or is not a probe.
    """
    import probeinterface

    if not path.exists():
        raise BadInput(f"the probe {path} does not exist; {HOW_TO_GIVE_A_PROBE}")
    read = read_prb if path.suffix == ".prb" else probeinterface.read_probeinterface
    try:
        return read(path)
    except (KeyError, TypeError, ValueError, AssertionError, OSError) as e:
        raise BadInput(
            f"{path} is not a probe file ({type(e).__name__}: {_first_line(e)}); "
            f"{HOW_TO_GIVE_A_PROBE}"
        ) from None


def _in_order(geometry: Geometry) -> Wiring:
    return Wiring(geometry=geometry, channel_index=np.arange(geometry.n_channels))


def _tetrodes(n_channels: int) -> Geometry:
    if n_channels % 4:
        raise BadInput(f"--probe tetrode needs 4 channels (or a multiple); there are {n_channels}")
    corner = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * TETRODE_SIDE_UM
    return Geometry(
        positions_um=np.tile(corner, (n_channels // 4, 1)),
        shank_index=np.repeat(np.arange(n_channels // 4), 4),
    )


def _column(pitch: str, n_channels: int) -> Geometry:
    try:
        pitch_um = float(pitch)
    except ValueError:
        pitch_um = np.nan
    if not pitch_um > 0 or not np.isfinite(pitch_um):
        raise BadInput(f"'linear:{pitch}' is not a probe; write for example linear:20 (µm)")
    positions = np.zeros((n_channels, 2))
    positions[:, 1] = np.arange(n_channels) * pitch_um
    return Geometry(positions_um=positions)


def _from_probeinterface(probe: Any) -> Wiring:
    """Return the wired contacts of a probe or probe group, in order of recorded channel."""
    probes = getattr(probe, "probes", None) or [probe]
    positions: list[FloatArray] = []
    shanks: list[IntArray] = []
    wires: list[IntArray] = []
    n_shanks = 0
    for one in probes:
        flat = one.to_2d() if one.ndim == 3 else one
        n_contacts = len(flat.contact_positions)
        names = flat.shank_ids if flat.shank_ids is not None else np.zeros(n_contacts)
        _, shank = np.unique(np.asarray(names), return_inverse=True)
        wire = flat.device_channel_indices
        offset = sum(map(len, wires))
        wires.append(np.asarray(wire) if wire is not None else offset + np.arange(n_contacts))
        positions.append(np.asarray(flat.contact_positions, np.float64) * _um_per(flat.si_units))
        shanks.append(shank + n_shanks)
        n_shanks += int(shank.max(initial=-1)) + 1
    wired = np.concatenate(wires).astype(np.int64)
    order = np.argsort(wired, kind="stable")
    order = order[wired[order] >= 0]
    if not len(order):
        raise BadInput("no contact of the probe is wired to a channel")
    if len(np.unique(wired[order])) != len(order):
        raise BadInput("two contacts of the probe are wired to the same channel")
    return Wiring(
        geometry=Geometry(
            positions_um=np.concatenate(positions)[order],
            shank_index=np.concatenate(shanks)[order],
        ),
        channel_index=wired[order],
        explicit=all(one.device_channel_indices is not None for one in probes),
    )


def _um_per(si_units: str) -> float:
    return {"um": 1.0, "mm": 1e3, "m": 1e6}[si_units]


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
