"""Probe files in the PRB format: Python that assigns ``channel_groups``, read as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.recording.literals import read_literals

CONTACT_RADIUS_UM = 5.0
"""PRB says nothing of the contacts' size; probeinterface assumes this one, too."""


def read_prb(path: Path) -> Any:
    """Read a PRB file without running it.

    Returns
    -------
    probeinterface.ProbeGroup
        One probe per channel group, wired as the file says.

    Raises
    ------
    BadInput
        If the file does more than assign values, or they are no probe.
    """
    from probeinterface import Probe, ProbeGroup

    groups = read_literals(path).get("channel_groups")
    if not isinstance(groups, Mapping) or not groups:
        raise BadInput(f"{path} assigns no channel_groups, so it is not a PRB file")
    result = ProbeGroup()
    for name, group in groups.items():
        channels, positions = _checked(group, f"{path}, channel group {name!r}")
        probe = Probe(ndim=2, si_units="um")
        probe.set_contacts(
            positions=positions, shapes="circle", shape_params={"radius": CONTACT_RADIUS_UM}
        )
        probe.set_device_channel_indices(channels)
        result.add_probe(probe)
    return result


def _checked(group: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the channels of a group, and the position of each."""
    channels = group.get("channels") if isinstance(group, Mapping) else None
    if not isinstance(channels, list | tuple) or not channels:
        raise BadInput(f"{where}: 'channels' is not a list of numbers")
    if any(type(channel) is not int or not 0 <= channel < 2**31 for channel in channels):
        raise BadInput(f"{where}: 'channels' must be whole numbers from 0")
    geometry = group.get("geometry")
    if not isinstance(geometry, Mapping | list | tuple):
        raise BadInput(f"{where}: 'geometry' does not give the position of each channel")
    positions = []
    for channel in channels:
        try:
            x, y = geometry[channel]
            positions.append((float(x), float(y)))
        except (KeyError, IndexError, TypeError, ValueError, OverflowError):
            raise BadInput(f"{where}: channel {channel} has no position (x, y) in µm") from None
    if not np.isfinite(positions).all():
        raise BadInput(f"{where}: a position is not finite")
    return np.array(channels, np.int64), np.array(positions, np.float64)
