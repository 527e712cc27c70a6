"""Known units put into a real recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadConfig, BadInput
from embersort.simulate.band import band_troughs
from embersort.simulate.motion import draw_motion
from embersort.simulate.recording import SimulatedRecording, Surroundings
from embersort.simulate.scene import Injection
from embersort.simulate.simulation import (
    Simulation,
    assemble_truth,
    noise_levels_uv,
    spawn_streams,
)
from embersort.simulate.spikes import build_spikes
from embersort.simulate.templates import LocalTemplates, build_template_set
from embersort.simulate.units import (
    CHANNEL_FLOOR,
    Units,
    build_units,
    choose_bank,
    draw_cells,
    snr_scale,
)
from embersort.types import FloatArray, Geometry, Recording, Templates

SAME_PLACE_UM = 1.0
"""A moved contact this near to another one takes its place."""
LEAST_KEPT = 0.9
"""A template is only moved to where this share of its energy falls on contacts."""
TAPER_SAMPLES = 8
"""Ends of a given template over which it falls to zero."""


def inject(base: Recording, injection: Injection, *, donors: Templates | None = None) -> Simulation:
    """Put known units into a recording.

    Parameters
    ----------
    base : Recording
        Its probe, sampling rate and length are kept; its own spikes are not part of the truth.
    injection : Injection
        The units; SNRs refer to the recording's own noise.
    donors : Templates, optional
        Of the recording's own sorting. Given, units are these templates moved to other contacts
        at which the probe looks the same, instead of cells of the bank.

    Raises
    ------
    BadConfig
        If the cells do not fit, or donors are to drift.
    BadInput
        If the recording is empty or the donors do not belong to its probe.
    """
    if base.n_samples == 0:
        raise BadInput("the recording is empty; there is nothing to put units into")
    rngs = spawn_streams(injection.seed)
    geometry, rate_hz = base.geometry, base.sampling_rate_hz
    motion = draw_motion(injection.drift, base.n_samples / rate_hz, rngs["drift"])
    surroundings = Surroundings(geometry=geometry, sampling_rate_hz=rate_hz, base=base)
    noise_uv = noise_levels_uv(surroundings, base.n_samples)
    if donors is None:
        bank = choose_bank(injection.cells)
        cells = draw_cells(injection.cells, bank, rngs["cells"])
        units = build_units(
            injection, cells, geometry, rate_hz, noise_uv, motion, rngs["placement"]
        )
    else:
        if injection.drift.kind != "none":
            raise BadConfig("drift.kind must be 'none' where templates are given: they cannot move")
        units = donated_units(injection, donors, geometry, rate_hz, noise_uv, rngs["placement"])
    spikes = build_spikes(injection, units, geometry, rate_hz, base.n_samples, motion, rngs)
    recording = SimulatedRecording(
        n_samples=base.n_samples,
        surroundings=surroundings,
        spikes=spikes.table,
        templates=units.templates,
    )
    truth = assemble_truth(units, spikes, geometry)
    return Simulation(scene=injection, recording=recording, truth=truth)


def donated_units(
    injection: Injection,
    donors: Templates,
    geometry: Geometry,
    sampling_rate_hz: float,
    noise_uv: FloatArray,
    rng: np.random.Generator,
) -> Units:
    """Make units of given templates, each moved along the probe and scaled to its SNR."""
    n_donors, n_window, n_channels = donors.waveforms_uv.shape
    if n_channels != geometry.n_channels or n_donors == 0:
        raise BadInput(
            f"the sorting has {n_donors} templates of {n_channels} channels, "
            f"the recording has {geometry.n_channels} channels"
        )
    n_units = injection.cells.n_units
    chosen = rng.integers(n_donors, size=n_units)
    still = np.stack(
        [moved_template(_ends_at_zero(donors.waveforms_uv[i]), geometry, rng) for i in chosen]
        or [np.zeros((n_window, n_channels))]
    )[:n_units]
    flat = still.transpose(1, 0, 2).reshape(n_window, -1)
    depths_uv = band_troughs(flat, sampling_rate_hz).reshape(n_units, n_channels)
    depth_uv, peak_channel = depths_uv.max(axis=1), depths_uv.argmax(axis=1)
    level_uv = np.where(noise_uv > 0, noise_uv, 1.0)[peak_channel]
    scale = snr_scale(injection.cells, depth_uv / level_uv, rng)
    scaled = (still * scale[:, None, None]).astype(np.float32)
    everywhere = np.arange(n_channels)
    local = [
        LocalTemplates(values_uv=unit[None, None], channels=everywhere).above(
            CHANNEL_FLOOR * float(np.median(noise_uv))
        )
        for unit in scaled
    ]
    position = np.zeros((n_units, 3))
    position[:, :2] = geometry.positions_um[peak_channel]
    return Units(
        cell_names=tuple(f"donor_{i}" for i in chosen),
        position_um=position,
        templates=build_template_set(local, np.zeros(1), donors.n_before, n_window),
        still_uv=scaled,
        snr=depth_uv * scale / level_uv,
        peak_channel=peak_channel,
    )


def moved_template(
    template: NDArray[np.float64], geometry: Geometry, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a template shifted so that its peak falls on another contact, if any suits.

    Parameters
    ----------
    template : ndarray, shape (n_window, n_channels)

    Notes
    -----
    Suitable are shifts of the probe that map contacts onto contacts and keep at least
    ``LEAST_KEPT`` of the energy; one of them is drawn. Without one the template stays.
    """
    positions = geometry.positions_um
    peak = int(np.abs(template).max(axis=0).argmax())
    energy = (template.astype(np.float64) ** 2).sum(axis=0)
    for target in rng.permutation(geometry.n_channels):
        if target == peak or geometry.shank_index[target] != geometry.shank_index[peak]:
            continue
        shifted = positions + positions[target] - positions[peak]
        distance = np.sqrt(((shifted[:, None] - positions[None]) ** 2).sum(axis=2))
        onto = distance.argmin(axis=1)
        lands = distance[np.arange(len(onto)), onto] <= SAME_PLACE_UM
        if energy[lands].sum() >= LEAST_KEPT * energy.sum():
            moved = np.zeros(template.shape)
            moved[:, onto[lands]] = template[:, lands]
            return moved
    return template.astype(np.float64)


def _ends_at_zero(template: NDArray[np.float32]) -> NDArray[np.float64]:
    n = min(TAPER_SAMPLES, len(template) // 4)
    rise = np.linspace(0, 1, n, endpoint=False)
    window = np.ones(len(template))
    window[:n] = rise
    window[len(window) - n :] = rise[::-1]
    return template * window[:, None]
