"""Where channels sit: probe files, probe objects, and the two short ways to name a probe."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput, EmbersortError
from embersort.recording.catalogue import is_probe_name, named_probe
from embersort.recording.layout import in_micrometres, in_plane
from embersort.recording.prb import read_prb
from embersort.types import FloatArray, Geometry, IntArray

TETRODE_SIDE_UM = 25.0
"""Contacts of a tetrode: a square of this side. Sorting asks only that they are neighbours."""

_log = logging.getLogger(__name__)

HOW_TO_GIVE_A_PROBE = (
    "give --probe FILE.json (probeinterface), --probe tetrode, --probe linear:PITCH_UM or a name "
    "such as --probe neuropixels1; in Python probe= or positions_um="
)
NEUROPIXELS_WITH_SYNC = 385
"""Channels of a Neuropixels file: 384 contacts, and one of synchronisation."""


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
        (a column with that pitch in µm), a name such as ``"neuropixels1"``, or an object. None
        only for one channel.
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
    wiring = _in_order(probe) if isinstance(probe, Geometry) else _wired(probe)
    n_wired = len(wiring.channel_index)
    last = int(wiring.channel_index.max())
    if last >= n_channels or (n_wired != n_channels and not wiring.explicit):
        wired_to = f", wired to channels up to number {last}" if last >= n_wired else ""
        raise BadInput(
            f"the probe has {n_wired} channels{wired_to}, the recording has {n_channels}; "
            "give the probe that recorded it"
        )
    if not wiring.explicit and not isinstance(probe, Geometry) and n_channels > 1:
        _log.warning(
            "the probe does not say which channel each contact is wired to; contacts are taken in "
            "the order of the channels. If they are not, give its device_channel_indices"
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
    return len(_wired(probe).channel_index)


def read_probe(path: Path) -> Any:
    """Read a probe file (JSON of probeinterface, PRB, ``.imro``, ``.meta``), or make a named one.

    Returns
    -------
    probeinterface.ProbeGroup or Probe

    Raises
    ------
    BadInput
        If the file is missing or is not a probe.
    """
    import probeinterface

    if is_probe_name(str(path)):
        return named_probe(str(path))
    path = path.expanduser()
    if not path.exists():
        raise BadInput(f"the probe {path} does not exist; {HOW_TO_GIVE_A_PROBE}")
    readers = {
        ".prb": read_prb,
        ".imro": probeinterface.read_imro,
        ".meta": probeinterface.read_spikeglx,
    }
    read = readers.get(path.suffix, probeinterface.read_probeinterface)
    try:
        return read(path)
    except EmbersortError:
        raise
    except Exception as e:  # noqa: BLE001 - a file that is no probe may be wrong in any way
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
    if n_channels == NEUROPIXELS_WITH_SYNC:
        _log.warning(
            "385 channels as one column, %g µm long: Neuropixels files hold 384 channels and one "
            "of synchronisation; if this is one, give --probe neuropixels1 or neuropixels2-4shank",
            pitch_um * (n_channels - 1),
        )
    positions = np.zeros((n_channels, 2))
    positions[:, 1] = np.arange(n_channels) * pitch_um
    return Geometry(positions_um=positions)


def _wired(probe: Any) -> Wiring:
    """Return the wired contacts of a probe or group; what is wrong in it becomes a sentence."""
    try:
        return _from_probeinterface(probe)
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise BadInput(
            f"the probe cannot be used ({type(error).__name__}: {_first_line(error)}): each "
            f"contact needs a place in µm, and a channel or none; {HOW_TO_GIVE_A_PROBE}"
        ) from None


def _from_probeinterface(probe: Any) -> Wiring:
    """Return the wired contacts of a probe or probe group, in order of recorded channel."""
    probes = getattr(probe, "probes", None) or [probe]
    positions: list[FloatArray] = []
    shanks: list[IntArray] = []
    wires: list[IntArray] = []
    n_shanks = 0
    for one in probes:
        n_contacts = len(one.contact_positions)
        shank = _shanks(one, n_contacts)
        flat = in_plane(np.asarray(one.contact_positions, np.float64) * _um_per(one.si_units))
        if flat.side_index.any() and not shank.any():
            shank = flat.side_index
        wire = one.device_channel_indices
        offset = sum(map(len, wires))
        wires.append(np.asarray(wire) if wire is not None else offset + np.arange(n_contacts))
        positions.append(in_micrometres(flat.positions_um, shank))
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


def _shanks(probe: Any, n_contacts: int) -> IntArray:
    """Return the shank of each contact, each side of a shank as one of its own."""
    sides = getattr(probe, "contact_sides", None)
    names = [
        np.zeros(n_contacts) if labels is None else np.unique(labels, return_inverse=True)[1]
        for labels in (probe.shank_ids, sides)
    ]
    _, shank = np.unique(np.stack(names, axis=1), axis=0, return_inverse=True)
    return np.asarray(shank, np.int64).reshape(-1)


def _um_per(si_units: str) -> float:
    return {"um": 1.0, "mm": 1e3, "m": 1e6}[si_units]


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
