"""Probes by their names: made here, or by probeinterface, without a network."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput, nearest_name

N_RECORDED = 384
"""Contacts that a Neuropixels probe records at a time."""
UTAH_PITCH_UM = 400.0

NEUROPIXELS = {
    "neuropixels1": "NP1000",
    "neuropixels2": "NP2000",
    "neuropixels2-1shank": "NP2000",
    "neuropixels2-4shank": "NP2010",
    "neuropixels-ultra": "NP1100",
    "neuropixels-nhp-short": "NP1015",
    "neuropixels-nhp-medium": "NP1022",
    "neuropixels-nhp-long": "NP1030",
}
"""Part numbers of imec, as probeinterface ships them."""

_log = logging.getLogger(__name__)


def _short_names() -> dict[str, str]:
    """Return other spellings: np1 for neuropixels1, and so on."""
    names = {name.replace("neuropixels", "np", 1): name for name in NEUROPIXELS}
    names |= {
        "npultra": "neuropixels-ultra",
        "np-ultra": "neuropixels-ultra",
        "neuropixels": "neuropixels1",
        "utah96": "utah",
    }
    for short in ("", "-1shank", "-4shank"):
        for old in ("neuropixels", "np"):
            names[f"{old}2.0{short}"] = f"neuropixels2{short}"
    names |= {"neuropixels1.0": "neuropixels1", "np1.0": "neuropixels1"}
    return names


SHORT = _short_names()


def probe_names() -> list[str]:
    """Return the names that `named_probe` knows, each once."""
    return [*NEUROPIXELS, "utah"]


def is_probe_name(name: str) -> bool:
    """Say whether a text is meant as the name of a probe, not as a file."""
    plain = _plain(name)
    if plain in NEUROPIXELS or plain == "utah" or _part_number(name):
        return True
    if Path(name).expanduser().exists():
        return False
    parts = name.split("/")
    in_library = len(parts) == 2 and parts[0].lower() in _MANUFACTURERS
    return in_library or (len(parts) == 1 and not Path(name).suffix)


def named_probe(name: str) -> Any:
    """Return a probe by its name, wired as it is by default.

    Parameters
    ----------
    name : str
        One of `probe_names`, a part number of imec such as ``NP2014``, or
        ``MANUFACTURER/PROBE`` where probeinterface's library lies on this machine.

    Returns
    -------
    probeinterface.Probe

    Raises
    ------
    BadInput
        If there is no such probe, or it must be fetched first.
    """
    plain = _plain(name)
    if plain == "utah":
        return _utah()
    if plain in NEUROPIXELS:
        return _neuropixels(NEUROPIXELS[plain])
    if _part_number(name):
        return _neuropixels(name.upper())
    if "/" in name:
        return _from_library(*name.split("/"))
    raise BadInput(
        f"'{name}' is neither a probe file nor the name of a probe"
        f"{nearest_name(plain, [*probe_names(), *SHORT, 'tetrode'])} "
        f"(known are {', '.join(probe_names())}, tetrode, linear:PITCH_UM, part numbers of imec "
        "such as NP2014, and MANUFACTURER/PROBE of probeinterface's library)"
    )


_MANUFACTURERS = (
    "cambridgeneurotech",
    "neuronexus",
    "plexon",
    "imec",
    "sinaps",
    "diagnosticbiochips",
)


def _plain(name: str) -> str:
    lower = name.strip().lower().replace("_", "-").replace(" ", "")
    return SHORT.get(lower, lower)


def _part_number(name: str) -> bool:
    upper = name.upper()
    return upper.startswith("NP") and upper[2:].isdigit() and len(upper) == 6


def _neuropixels(part: str) -> Any:
    from probeinterface.neuropixels_tools import build_neuropixels_probe

    try:
        probe = build_neuropixels_probe(part)
    except (KeyError, ValueError):
        raise BadInput(f"probeinterface knows no Neuropixels probe of part {part}") from None
    n_contacts = probe.get_contact_count()
    n_recorded = min(N_RECORDED, n_contacts)
    if n_contacts > n_recorded:
        _log.warning(
            "of the %d contacts of %s the %d nearest to the tip (of the first shank) are taken, "
            "in order; if others were recorded, give the .imro or .meta file as the probe",
            n_contacts,
            part,
            n_recorded,
        )
    probe = probe.get_slice(np.arange(n_recorded))
    probe.set_device_channel_indices(np.arange(n_recorded))
    return probe


def _utah() -> Any:
    """Return a square of ten by ten without its corners: 96 contacts, 400 µm apart."""
    from probeinterface import Probe

    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(10), np.arange(10)))
    corner = np.isin(column, (0, 9)) & np.isin(row, (0, 9))
    places = np.stack([column, row], axis=1)[~corner] * UTAH_PITCH_UM
    probe = Probe(ndim=2, si_units="um")
    probe.set_contacts(positions=places, shapes="circle", shape_params={"radius": 20})
    return probe


def _from_library(manufacturer: str, name: str) -> Any:
    """Return a probe of probeinterface's library from this machine's copy of it."""
    from probeinterface.library import get_cache_folder

    file = get_cache_folder() / "main" / manufacturer / f"{name}.json"
    if not file.is_file():
        fetch = f"probeinterface.get_probe({manufacturer!r}, {name!r})"
        raise BadInput(
            f"the probe {manufacturer}/{name} is not on this machine, and Embersort uses no "
            f'network; fetch it once with: python -c "import probeinterface; {fetch}"'
        )
    from embersort.recording.probes import read_probe

    return read_probe(file)
