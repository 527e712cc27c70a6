"""Probes of a scene: arrangements of contacts, or a probeinterface file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from embersort.config import Config
from embersort.errors import BadConfig, BadInput
from embersort.types import Geometry

TETRODE_RADIUS_SHARE = 0.5
"""A tetrode's four contacts sit on a circle whose diameter is the pitch."""


class ProbeConfig(Config):
    """Where the contacts sit."""

    kind: Literal["single", "tetrode", "linear", "columns", "grid", "polytrode", "file"] = "columns"
    """``columns``: staggered columns as on dense silicon probes; ``grid``: square lattice;
    ``polytrode``: three columns, the middle one shifted by half a pitch."""
    n_channels: int = Field(32, ge=1)
    """Number of contacts; fixed to 1 and 4 for ``single`` and ``tetrode``."""
    pitch_um: float = Field(25.0, gt=0)
    """Distance between neighbours along a column (diameter of a tetrode)."""
    n_columns: int = Field(2, ge=1)
    """Columns of ``columns`` and ``grid``."""
    column_pitch_um: float = Field(25.0, gt=0)
    """Distance between columns of ``columns`` and ``polytrode``."""
    file: str = ""
    """A probeinterface JSON file, for kind ``file``."""


def build_geometry(config: ProbeConfig) -> Geometry:
    """Return the positions of the contacts that the config describes.

    Raises
    ------
    BadConfig
        If the number of contacts does not fit the arrangement.
    BadInput
        If a probe file cannot be read or holds no contact.
    """
    if config.kind == "file":
        return _from_file(config.file)
    if config.kind == "single":
        positions = np.zeros((1, 2))
    elif config.kind == "tetrode":
        radius = TETRODE_RADIUS_SHARE * config.pitch_um
        positions = radius * np.array([[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    elif config.kind == "linear":
        positions = _columns(config.n_channels, 1, config.pitch_um, 0.0, stagger_um=0.0)
    elif config.kind == "grid":
        positions = _columns(
            config.n_channels, config.n_columns, config.pitch_um, config.pitch_um, stagger_um=0.0
        )
    else:
        n_columns = 3 if config.kind == "polytrode" else config.n_columns
        positions = _columns(
            config.n_channels,
            n_columns,
            config.pitch_um,
            config.column_pitch_um,
            stagger_um=config.pitch_um / 2,
        )
    return Geometry(positions_um=positions)


def _columns(
    n_channels: int, n_columns: int, pitch_um: float, column_pitch_um: float, stagger_um: float
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return contacts row by row, deepest first; odd columns are shifted by the stagger."""
    if n_columns > n_channels:
        raise BadConfig(
            f"probe.n_columns is {n_columns} for probe.n_channels = {n_channels}; "
            "a column needs at least one contact"
        )
    index = np.arange(n_channels)
    column, row = index % n_columns, index // n_columns
    y = row * pitch_um + np.where(column % 2 == 1, stagger_um, 0.0)
    return np.column_stack([column * column_pitch_um, y])


def _from_file(path: str) -> Geometry:
    from embersort.recording.probes import n_channels_of, read_probe, wiring_for

    if not Path(path).is_file():
        raise BadInput(f"probe.file is '{path}', which is not a file")
    group = read_probe(Path(path))
    if group.get_contact_count() == 0:
        raise BadInput(f"probe.file '{path}' holds no contact")
    return wiring_for(group, n_channels_of(group) or 0).geometry
