"""A scene made into a recording and its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.simulate.amplitudes import burst_positions, draw_amplitudes
from embersort.simulate.band import noise_std
from embersort.simulate.bank_sketch import sketch_bank
from embersort.simulate.motion import DriftConfig, depth_factor, rigid_displacement_um
from embersort.simulate.noise import NoiseModel, build_noise, noise_tile
from embersort.simulate.placement import draw_rotation, place_cells
from embersort.simulate.probes import build_geometry
from embersort.simulate.recording import TILE_SAMPLES, SimulatedRecording
from embersort.simulate.render import SpikeTable, TemplateSet, grid_place
from embersort.simulate.scene import Scene
from embersort.simulate.templates import (
    PlacedCell,
    band_troughs,
    build_template_set,
    template_window,
    unit_templates,
)
from embersort.simulate.trains import draw_trains
from embersort.simulate.truth import Truth, overlapping_spikes
from embersort.types import FloatArray, Geometry, IntArray, Sorting, Templates

DRIFT_STEP_UM = 2.0
"""Distance of the displacements at which templates are evaluated; linear in between."""
CHANNEL_FLOOR = 0.1
"""A unit leaves out channels on which it stays below this share of the noise level."""
QUIET_FLOOR_UV = 0.1
"""The same floor where a scene has no noise."""
NOISE_SAMPLE_TILES = 8
"""Tiles of pure noise from which each channel's level is measured."""

STREAMS = ("cells", "placement", "trains", "amplitudes", "drift", "noise")
"""Each ingredient draws from its own stream, so changing one leaves the others as they were."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """A simulated recording and its truth.

    Attributes
    ----------
    scene : Scene
    recording : SimulatedRecording
    truth : Truth
    """

    scene: Scene
    recording: SimulatedRecording
    truth: Truth


@dataclass(frozen=True, kw_only=True, slots=True)
class _Units:
    """Placed units with templates of their final amplitude."""

    placed: list[PlacedCell]
    templates: TemplateSet
    still: NDArray[np.float32]
    snr: FloatArray
    peak_channel: IntArray


def simulate(scene: Scene, *, seed: int | None = None) -> Simulation:
    """Make the recording and the truth of a scene.

    Parameters
    ----------
    scene : Scene
    seed : int, optional
        Replaces the scene's own seed.

    Returns
    -------
    Simulation
        The recording is rendered as it is read: the same bits for any slice.

    Raises
    ------
    BadConfig
        If the scene is impossible (cells that do not fit, for one).
    BadInput
        If a file that the scene names cannot be used.

    Notes
    -----
    Time grows with units · displacements · channels, not with the duration; memory holds the
    templates and 32 bytes per spike.
    """
    if seed is not None:
        scene = scene.model_copy(update={"seed": seed})
    rngs = dict(zip(STREAMS, np.random.default_rng(scene.seed).spawn(len(STREAMS)), strict=True))
    geometry = build_geometry(scene.probe)
    noise = build_noise(scene.noise, geometry, scene.sampling_rate_hz, rngs["noise"])
    noise_uv = _noise_levels(noise, scene.sampling_rate_hz)
    units = _build_units(scene, geometry, noise_uv, rngs)
    spikes, truth = _build_spikes(scene, geometry, units, rngs)
    recording = SimulatedRecording(
        geometry=geometry,
        sampling_rate_hz=scene.sampling_rate_hz,
        n_samples=scene.n_samples,
        noise=noise,
        spikes=spikes,
        templates=units.templates,
        uv_per_count=scene.adc.uv_per_count,
        max_uv=scene.adc.max_uv,
    )
    return Simulation(scene=scene, recording=recording, truth=truth)


def _noise_levels(noise: NoiseModel, sampling_rate_hz: float) -> NDArray[np.float64]:
    tiles = [
        noise_tile(noise, index, TILE_SAMPLES, sampling_rate_hz)
        for index in range(NOISE_SAMPLE_TILES)
    ]
    return noise_std(np.concatenate(tiles), sampling_rate_hz)


def _build_units(
    scene: Scene,
    geometry: Geometry,
    noise_uv: NDArray[np.float64],
    rngs: dict[str, np.random.Generator],
) -> _Units:
    n_units = scene.cells.n_units
    bank = [cell for cell in sketch_bank() if scene.cells.split in ("all", cell.split)]
    chosen = rngs["cells"].integers(len(bank), size=n_units)
    positions = place_cells(scene.placement, geometry, n_units, rngs["placement"])
    placed = [
        PlacedCell(
            cell=bank[index],
            position_um=position,
            rotation=draw_rotation(scene.placement, rngs["placement"]),
        )
        for index, position in zip(chosen, positions, strict=True)
    ]
    grid_um = _displacement_grid(scene.drift)
    raw = [
        unit_templates(cell, geometry, scene.sampling_rate_hz, grid_um, scene.cells.n_variants)
        for cell in placed
    ]
    n_before, n_window = template_window(scene.sampling_rate_hz)
    zero = int(np.argmin(np.abs(grid_um)))
    still = np.array([unit[0, zero] for unit in raw]).reshape(
        n_units, n_window, geometry.n_channels
    )
    depth_uv, peak_channel = band_troughs(still, scene.sampling_rate_hz)
    level_uv = np.where(noise_uv > 0, noise_uv, 1.0)[peak_channel]
    scale = _amplitude_scale(scene, depth_uv / level_uv, rngs["cells"])
    floor_uv = max(CHANNEL_FLOOR * float(np.median(noise_uv)), QUIET_FLOOR_UV)
    templates = build_template_set(
        [unit * factor for unit, factor in zip(raw, scale, strict=True)],
        grid_um,
        n_before,
        floor_uv,
    )
    return _Units(
        placed=placed,
        templates=templates,
        still=(still * scale[:, None, None]).astype(np.float32),
        snr=depth_uv * scale / level_uv,
        peak_channel=peak_channel,
    )


def _amplitude_scale(scene: Scene, own_snr: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return factors that give the units log-uniform SNRs, in the order of their own SNRs.

    The order is kept because a near, large cell has a narrow footprint and a far, small one a
    wide footprint.
    """
    low, high = np.log(scene.cells.min_snr), np.log(scene.cells.max_snr)
    wanted = np.sort(np.exp(rng.uniform(low, high, len(own_snr))))
    rank = np.argsort(np.argsort(own_snr, kind="stable"), kind="stable")
    return wanted[rank] / own_snr


def _displacement_grid(drift: DriftConfig) -> NDArray[np.float64]:
    if drift.kind == "none" or drift.amplitude_um == 0:
        return np.zeros(1)
    reach = drift.amplitude_um * (1 + abs(drift.depth_gradient))
    n_steps = int(np.ceil(reach / DRIFT_STEP_UM))
    return np.arange(-n_steps, n_steps + 1) * DRIFT_STEP_UM


def _build_spikes(
    scene: Scene,
    geometry: Geometry,
    units: _Units,
    rngs: dict[str, np.random.Generator],
) -> tuple[SpikeTable, Truth]:
    n_units = scene.cells.n_units
    rate_hz = scene.sampling_rate_hz
    trains = draw_trains(scene.trains, n_units, scene.n_samples / rate_hz, rngs["trains"])
    amplitude_rngs = rngs["amplitudes"].spawn(n_units)
    amplitudes = [
        draw_amplitudes(scene.amplitude, train, rng)
        for train, rng in zip(trains, amplitude_rngs, strict=True)
    ]
    burst = [burst_positions(train) for train in trains]
    unit = np.repeat(np.arange(n_units), [len(train) for train in trains])
    time = np.concatenate([*trains, np.zeros(0)]) * rate_hz
    order = np.lexsort((unit, time))
    unit, time = unit[order], time[order]
    amplitude = np.concatenate([*amplitudes, np.zeros(0, np.float32)])[order]
    burst_position = np.concatenate([*burst, np.zeros(0, np.int64)])[order]

    soma_y = np.array([cell.position_um[1] for cell in units.placed])
    factor = depth_factor(scene.drift, soma_y, geometry.positions_um[:, 1])
    rigid = rigid_displacement_um(scene.drift, time / rate_hz, scene.duration_s, rngs["drift"])
    displacement = rigid * factor[unit] if n_units else rigid
    grid_index, grid_share = grid_place(units.templates.grid_um, displacement)
    sample = np.floor(time).astype(np.int64)
    shift = (time - sample).astype(np.float32)
    # float32 may round 0.99999999 to 1, which belongs to the next sample.
    sample, shift = sample + (shift >= 1), np.where(shift >= 1, np.float32(0), shift)
    first = units.templates.first_template
    variant = np.minimum(burst_position, scene.cells.n_variants - 1)
    spikes = SpikeTable(
        sample_index=sample,
        template_index=first[unit] + variant,
        shift=shift,
        amplitude=amplitude,
        grid_index=grid_index,
        grid_share=grid_share,
    )
    nearest = np.minimum(sample + (shift >= 0.5), scene.n_samples - 1)
    sorting = Sorting(
        sample_index=nearest,
        unit_index=unit,
        unit_ids=np.arange(n_units),
        sampling_rate_hz=rate_hz,
        n_samples=scene.n_samples,
    )
    truth = Truth(
        sorting=sorting,
        templates=Templates(waveforms_uv=units.still, n_before=units.templates.n_before),
        drift_templates=units.templates,
        unit_position_um=np.array([cell.position_um for cell in units.placed]).reshape(-1, 3),
        unit_snr=units.snr,
        unit_peak_channel=units.peak_channel,
        unit_cell=tuple(cell.cell.name for cell in units.placed),
        spike_displacement_um=displacement,
        spike_amplitude=amplitude,
        spike_burst_position=burst_position,
        spike_overlaps=overlapping_spikes(sorting, geometry.positions_um[units.peak_channel]),
    )
    return spikes, truth
