"""Where the cells of a scene sit, and which way they are turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from embersort.config import Config
from embersort.errors import BadConfig
from embersort.types import Geometry

MAX_DRAWS_PER_CELL = 500
UPRIGHT_TILT_RAD = 0.15
"""Standard deviation of the tilt of cells whose apical direction follows the probe."""


class PlacementConfig(Config):
    """The volume in which the units lie, relative to the contacts."""

    margin_um: float = Field(20.0, ge=0)
    """How far the volume reaches beyond the outermost contacts, across and along the probe."""
    min_depth_um: float = Field(10.0, ge=0)
    """Smallest distance of a soma from the probe's plane."""
    max_depth_um: float = Field(50.0, gt=0)
    """Largest distance of a soma from the probe's plane."""
    min_distance_um: float = Field(15.0, ge=0)
    """Smallest distance between two somata."""
    upright: bool = True
    """Whether apical dendrites run along the probe; else every direction is as likely."""

    @model_validator(mode="after")
    def _ordered(self) -> PlacementConfig:
        if self.max_depth_um < self.min_depth_um:
            raise ValueError("max_depth_um is less than min_depth_um")
        return self


def place_cells(
    config: PlacementConfig, geometry: Geometry, n_cells: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the positions of the somata, uniform in the volume, one after the other.

    Returns
    -------
    ndarray, shape (n_cells, 3)
        x across the probe, y along it, z away from its plane, in µm.

    Raises
    ------
    BadConfig
        If the cells do not fit at their smallest distance.
    """
    low = np.append(geometry.positions_um.min(axis=0) - config.margin_um, config.min_depth_um)
    high = np.append(geometry.positions_um.max(axis=0) + config.margin_um, config.max_depth_um)
    placed = np.empty((n_cells, 3))
    for i in range(n_cells):
        for _ in range(MAX_DRAWS_PER_CELL):
            candidate = rng.uniform(low, high)
            if (((placed[:i] - candidate) ** 2).sum(axis=1) >= config.min_distance_um**2).all():
                placed[i] = candidate
                break
        else:
            size = " x ".join(f"{extent:.0f}" for extent in high - low)
            raise BadConfig(
                f"cells.n_units: {n_cells} cells do not fit into {size} um at "
                f"placement.min_distance_um = {config.min_distance_um:g} ({i} were placed); "
                "lower one of them or widen the volume"
            )
    return placed


def draw_rotation(config: PlacementConfig, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw one rotation matrix: about the probe's axis with a slight tilt, or any."""
    if not config.upright:
        return _from_quaternion(rng.standard_normal(4))
    turn = rng.uniform(0, 2 * np.pi)
    about_y = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    x, z = rng.normal(0, UPRIGHT_TILT_RAD, 2)
    return _from_quaternion(np.array([1.0, x / 2, 0.0, z / 2])) @ about_y


def _from_quaternion(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
