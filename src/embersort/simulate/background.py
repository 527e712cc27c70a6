"""Many small, far cells, whose spikes are noise to every sorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field, model_validator

from embersort.config import Config
from embersort.simulate.band import band_troughs
from embersort.simulate.cells import Cell
from embersort.simulate.motion import Motion
from embersort.simulate.placement import PlacementConfig, draw_rotation, place_cells
from embersort.simulate.render import SpikeTable, TemplateSet, grid_place
from embersort.simulate.templates import (
    LocalTemplates,
    PlacedCell,
    build_template_set,
    local_templates,
    template_window,
)
from embersort.types import Geometry

DRIFT_STEP_UM = 10.0
"""Far fields change slowly with place, so their grid of displacements can be coarse."""
FLOOR_SHARE = 0.2
"""A far cell leaves out channels on which it stays below this share of the largest amplitude."""
SMALLEST_SHARE = 0.2
"""Amplitudes are log-uniform from this share of the largest."""
SMALLEST_UV = 1e-3
"""A cell whose own trough is below this is not scaled up further."""


class BackgroundConfig(Config):
    """Far cells that fire on their own and are not part of the truth."""

    per_channel: float = Field(2.0, ge=0, le=50)
    """Number of far cells per channel of the probe."""
    max_uv: float = Field(12.0, gt=0)
    """Largest trough of a far cell within 300–6000 Hz."""
    rate_hz: float = Field(3.0, gt=0, le=100)
    """Mean rate of each."""
    min_depth_um: float = Field(60.0, gt=0)
    """Nearest far cell, from the probe's plane."""
    max_depth_um: float = Field(140.0, gt=0)
    """Farthest."""

    @model_validator(mode="after")
    def _ordered(self) -> BackgroundConfig:
        if self.max_depth_um < self.min_depth_um:
            raise ValueError("max_depth_um is less than min_depth_um")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """Far cells and the law of their firing; spikes are drawn tile by tile.

    Attributes
    ----------
    templates : TemplateSet
    rate_hz : float
        Of each cell; Poisson.
    motion : Motion
    key : int
        First half of the counter-based generator's key; the tile is the other half.
    """

    templates: TemplateSet
    rate_hz: float
    motion: Motion
    key: int

    def spikes_of_tile(
        self, tile_index: int, n_samples: int, sampling_rate_hz: float
    ) -> SpikeTable:
        """Draw the spikes whose troughs lie in one tile; the same whenever it is asked for."""
        rng = np.random.Generator(np.random.Philox(key=[self.key, tile_index]))
        n_cells = self.templates.n_units
        n_spikes = rng.poisson(n_cells * self.rate_hz * n_samples / sampling_rate_hz)
        sample = np.sort(rng.integers(0, n_samples, n_spikes)) + tile_index * n_samples
        displacement = self.motion.rigid_um(sample / sampling_rate_hz)
        grid_index, grid_share = grid_place(self.templates.grid_um, displacement)
        return SpikeTable(
            sample_index=sample,
            template_index=rng.integers(0, n_cells, n_spikes),
            shift=rng.random(n_spikes, np.float32),
            amplitude=np.ones(n_spikes, np.float32),
            grid_index=grid_index,
            grid_share=grid_share,
        )


def build_background(
    config: BackgroundConfig,
    bank: Sequence[Cell],
    geometry: Geometry,
    sampling_rate_hz: float,
    motion: Motion,
    rng: np.random.Generator,
) -> Background | None:
    """Place the far cells of a scene; None if it has none."""
    n_cells = round(config.per_channel * geometry.n_channels)
    key = int(rng.integers(2**63))
    if n_cells == 0:
        return None
    volume = PlacementConfig(
        margin_um=config.max_depth_um / 2,
        min_depth_um=config.min_depth_um,
        max_depth_um=config.max_depth_um,
        min_distance_um=0,
    )
    grid_um = motion.grid_um(DRIFT_STEP_UM)
    smallest, largest = np.log(SMALLEST_SHARE * config.max_uv), np.log(config.max_uv)
    cells = []
    for position in place_cells(volume, geometry, n_cells, rng):
        placed = PlacedCell(
            cell=bank[int(rng.integers(len(bank)))],
            position_um=position,
            rotation=draw_rotation(volume, rng),
        )
        channels = placed.near_channels(geometry, float(grid_um[-1]))
        raw = local_templates(placed, geometry, channels, sampling_rate_hz, grid_um, n_variants=1)
        depth_uv = band_troughs(raw[0, len(grid_um) // 2], sampling_rate_hz).max()
        scale = np.exp(rng.uniform(smallest, largest)) / max(depth_uv, SMALLEST_UV)
        local = LocalTemplates(values_uv=(raw * scale).astype(np.float32), channels=channels)
        cells.append(local.above(FLOOR_SHARE * config.max_uv))
    return Background(
        templates=build_template_set(cells, grid_um, *template_window(sampling_rate_hz)),
        rate_hz=config.rate_hz,
        motion=motion,
        key=key,
    )
