"""The units of a scene: cells chosen, placed, and scaled to their SNR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadConfig
from embersort.simulate.band import band_troughs
from embersort.simulate.cell_bank import load_bank, load_cells
from embersort.simulate.cells import Cell
from embersort.simulate.motion import Motion
from embersort.simulate.placement import draw_rotation, place_cells
from embersort.simulate.render import TemplateSet
from embersort.simulate.scene import CellsConfig, Injection
from embersort.simulate.templates import (
    LocalTemplates,
    PlacedCell,
    build_template_set,
    local_templates,
    template_window,
)
from embersort.types import FloatArray, Geometry, IntArray

DRIFT_STEP_UM = 4.0
"""Distance of the displacements at which templates are evaluated; linear in between."""
CHANNEL_FLOOR = 0.1
"""A unit leaves out channels on which it stays below this share of the noise level."""
QUIET_FLOOR_UV = 0.1
"""The same floor where a scene has no noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """Units with templates of their final amplitude.

    Attributes
    ----------
    cell_names : tuple of str
    position_um : ndarray, shape (n_units, 3)
    templates : TemplateSet
    still_uv : ndarray, shape (n_units, n_window, n_channels), float32
        Lone spikes at displacement zero.
    snr : ndarray, shape (n_units,)
    peak_channel : ndarray, shape (n_units,)
    """

    cell_names: tuple[str, ...]
    position_um: FloatArray
    templates: TemplateSet
    still_uv: NDArray[np.float32]
    snr: FloatArray
    peak_channel: IntArray


def choose_bank(config: CellsConfig) -> Sequence[Cell]:
    """Return the cells of the built-in bank that a scene may draw from.

    Raises
    ------
    BadConfig
        If none is left.
    """
    cells = [cell for cell in load_bank() if config.split in ("all", cell.split)]
    if config.families:
        cells = [cell for cell in cells if cell.family.startswith(tuple(config.families))]
    if not cells:
        families = sorted({cell.family for cell in load_bank()})
        raise BadConfig(
            f"cells.families = {list(config.families)} and cells.split = '{config.split}' leave no "
            f"cell; families are {', '.join(families)}"
        )
    return cells


def draw_cells(config: CellsConfig, bank: Sequence[Cell], rng: np.random.Generator) -> list[Cell]:
    """Draw the cell of each unit, from the bank or the user's folder by its share.

    A cell comes twice only when the others have been used up.
    """
    # Cells of a folder count as training cells: a held-out scene never sees them.
    foreign = load_cells(Path(config.bank)) if config.bank and config.split != "heldout" else ()
    is_foreign = rng.random(config.n_units) < (config.bank_share if foreign else 0.0)
    order, foreign_order = rng.permutation(len(bank)), rng.permutation(len(foreign))
    n_foreign = np.cumsum(is_foreign)
    return [
        foreign[foreign_order[(n_foreign[i] - 1) % len(foreign)]]
        if is_foreign[i]
        else bank[order[(i - n_foreign[i]) % len(bank)]]
        for i in range(config.n_units)
    ]


def build_units(
    injection: Injection,
    cells: Sequence[Cell],
    geometry: Geometry,
    sampling_rate_hz: float,
    noise_uv: FloatArray,
    motion: Motion,
    rng: np.random.Generator,
) -> Units:
    """Place the cells and evaluate their templates.

    Parameters
    ----------
    noise_uv : ndarray, shape (n_channels,)
        Noise of each channel within 300–6000 Hz; zero counts as 1 µV.
    """
    positions = place_cells(injection.placement, geometry, len(cells), rng)
    placed = [
        PlacedCell(
            cell=cell, position_um=position, rotation=draw_rotation(injection.placement, rng)
        )
        for cell, position in zip(cells, positions, strict=True)
    ]
    n_before, n_window = template_window(sampling_rate_hz)
    still = np.zeros((len(cells), n_window, geometry.n_channels), np.float32)
    depth_uv, peak_channel = np.zeros(len(cells)), np.zeros(len(cells), np.int64)
    for i, unit in enumerate(placed):
        near = unit.near_channels(geometry, 0.0)
        one = local_templates(unit, geometry, near, sampling_rate_hz, np.zeros(1), 1)[0, 0]
        still[i][:, near] = one
        depths_uv = band_troughs(one, sampling_rate_hz)
        depth_uv[i], peak_channel[i] = depths_uv.max(), near[depths_uv.argmax()]
    level_uv = np.where(noise_uv > 0, noise_uv, 1.0)[peak_channel]
    scale = snr_scale(injection.cells, depth_uv / level_uv, rng)
    grid_um = motion.grid_um(DRIFT_STEP_UM)
    floor_uv = max(CHANNEL_FLOOR * float(np.median(noise_uv)), QUIET_FLOOR_UV)
    local = []
    for unit, factor in zip(placed, scale, strict=True):
        near = unit.near_channels(geometry, float(grid_um[-1]))
        values = factor * local_templates(
            unit, geometry, near, sampling_rate_hz, grid_um, injection.cells.n_variants
        )
        moved = LocalTemplates(values_uv=values.astype(np.float32), channels=near)
        local.append(moved.above(floor_uv))
    return Units(
        cell_names=tuple(cell.name for cell in cells),
        position_um=positions,
        templates=build_template_set(local, grid_um, n_before, n_window),
        still_uv=still * scale[:, None, None].astype(np.float32),
        snr=depth_uv * scale / level_uv,
        peak_channel=peak_channel,
    )


def snr_scale(config: CellsConfig, own_snr: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return factors that give the units log-uniform SNRs, in the order of their own SNRs.

    The order is kept because a near, large cell has a narrow footprint and a far, small one a
    wide footprint.
    """
    low, high = np.log(config.min_snr), np.log(config.max_snr)
    wanted = np.sort(np.exp(rng.uniform(low, high, len(own_snr))))
    rank = np.argsort(np.argsort(own_snr, kind="stable"), kind="stable")
    return wanted[rank] / np.maximum(own_snr, np.finfo(float).tiny)
