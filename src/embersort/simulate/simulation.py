"""A scene made into a recording and its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.errors import BadInput
from embersort.simulate.artefacts import draw_artefacts
from embersort.simulate.background import build_background
from embersort.simulate.band import noise_std
from embersort.simulate.motion import draw_motion
from embersort.simulate.noise import build_noise
from embersort.simulate.probes import build_geometry
from embersort.simulate.recording import (
    TILE_SAMPLES,
    SimulatedRecording,
    Surroundings,
)
from embersort.simulate.scene import Injection, Scene
from embersort.simulate.spikes import Spikes, build_spikes
from embersort.simulate.truth import Truth, overlapping_spikes
from embersort.simulate.units import Units, build_units, choose_bank, draw_cells
from embersort.types import FloatArray, Geometry, Recording, Templates

NOISE_SAMPLE_TILES = 10
"""Tiles without units from which each channel's noise is measured."""

STREAMS = ("cells", "placement", "trains", "amplitudes", "drift", "noise", "background")
"""Each ingredient draws from its own stream, so changing one leaves the others as they were."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """A simulated recording and its truth.

    Attributes
    ----------
    scene : Injection
        What it was made from: a ``Scene``, or the units put into a given recording.
    recording : SimulatedRecording
    truth : Truth
    """

    scene: Injection
    recording: SimulatedRecording
    truth: Truth


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
    rngs = spawn_streams(scene.seed)
    geometry, rate_hz = build_geometry(scene.probe), scene.sampling_rate_hz
    motion = draw_motion(scene.drift, scene.duration_s, rngs["drift"])
    bank = choose_bank(scene.cells)
    noise = scene.noise
    surroundings = Surroundings(
        geometry=geometry,
        sampling_rate_hz=rate_hz,
        noise=build_noise(noise, geometry, rate_hz, rngs["noise"]),
        background=build_background(
            scene.background, bank, geometry, rate_hz, motion, rngs["background"]
        ),
        artefacts=draw_artefacts(
            noise.artefacts_per_min,
            noise.artefact_uv,
            geometry.n_channels,
            scene.duration_s,
            rngs["noise"],
        ),
        base=_real_noise(noise.file, geometry, rate_hz) if noise.file else None,
    )
    units = build_units(
        scene,
        draw_cells(scene.cells, bank, rngs["cells"]),
        geometry,
        rate_hz,
        noise_levels_uv(surroundings, scene.n_samples),
        motion,
        rngs["placement"],
    )
    spikes = build_spikes(scene, units, geometry, rate_hz, scene.n_samples, motion, rngs)
    recording = SimulatedRecording(
        n_samples=scene.n_samples,
        surroundings=surroundings,
        spikes=spikes.table,
        templates=units.templates,
        uv_per_count=scene.adc.uv_per_count,
        max_uv=scene.adc.max_uv,
    )
    return Simulation(
        scene=scene, recording=recording, truth=assemble_truth(units, spikes, geometry)
    )


def spawn_streams(seed: int) -> dict[str, np.random.Generator]:
    """Return a generator for each ingredient."""
    return dict(zip(STREAMS, np.random.default_rng(seed).spawn(len(STREAMS)), strict=True))


def noise_levels_uv(surroundings: Surroundings, n_samples: int) -> FloatArray:
    """Measure each channel's noise within 300–6000 Hz on tiles spread evenly, units absent."""
    last = max(n_samples // TILE_SAMPLES - 1, 0)
    rate_hz = surroundings.sampling_rate_hz
    places = np.unique(np.linspace(0, last, NOISE_SAMPLE_TILES).astype(np.int64))
    levels = [noise_std(surroundings.tile(int(place)), rate_hz) for place in places]
    return np.median(levels, axis=0)


def assemble_truth(units: Units, spikes: Spikes, geometry: Geometry) -> Truth:
    """Put together what is known of units and spikes."""
    return Truth(
        sorting=spikes.sorting,
        templates=Templates(waveforms_uv=units.still_uv, n_before=units.templates.n_before),
        drift_templates=units.templates,
        unit_position_um=units.position_um,
        unit_snr=units.snr,
        unit_peak_channel=units.peak_channel,
        unit_cell=units.cell_names,
        spike_displacement_um=spikes.displacement_um,
        spike_amplitude=spikes.table.amplitude,
        spike_burst_position=spikes.burst_position,
        spike_overlaps=overlapping_spikes(
            spikes.sorting, geometry.positions_um[units.peak_channel]
        ),
    )


def _real_noise(path: str, geometry: Geometry, sampling_rate_hz: float) -> Recording:
    from embersort.recording import open_recording

    base = open_recording(path)
    if base.sampling_rate_hz != sampling_rate_hz:
        raise BadInput(
            f"noise.file '{path}' has {base.sampling_rate_hz:g} Hz, "
            f"but sampling_rate_hz is {sampling_rate_hz:g}"
        )
    if base.geometry.n_channels < geometry.n_channels:
        raise BadInput(
            f"noise.file '{path}' has {base.geometry.n_channels} channels, "
            f"but the probe has {geometry.n_channels}"
        )
    return base
