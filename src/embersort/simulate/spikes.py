"""The spikes of a scene: when, how large, of which shape, and where the unit was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.simulate.amplitudes import burst_positions, draw_amplitudes
from embersort.simulate.motion import Motion, depth_factor
from embersort.simulate.render import SpikeTable, grid_place
from embersort.simulate.scene import Injection
from embersort.simulate.trains import draw_trains
from embersort.simulate.units import Units
from embersort.types import FloatArray, Geometry, IntArray, Sorting


@dataclass(frozen=True, kw_only=True, slots=True)
class Spikes:
    """All spikes of a scene, in order of time.

    Attributes
    ----------
    table : SpikeTable
        What rendering needs.
    sorting : Sorting
        Each spike at the sample nearest to its trough.
    displacement_um : ndarray, shape (n_spikes,)
    burst_position : ndarray, shape (n_spikes,)
    """

    table: SpikeTable
    sorting: Sorting
    displacement_um: FloatArray
    burst_position: IntArray


def build_spikes(
    injection: Injection,
    units: Units,
    geometry: Geometry,
    sampling_rate_hz: float,
    n_samples: int,
    motion: Motion,
    rngs: dict[str, np.random.Generator],
) -> Spikes:
    """Draw the spikes of all units.

    Parameters
    ----------
    rngs : dict
        The streams ``trains`` and ``amplitudes``.
    """
    n_units = units.templates.n_units
    trains = draw_trains(injection.trains, n_units, n_samples / sampling_rate_hz, rngs["trains"])
    unit_rngs = rngs["amplitudes"].spawn(n_units)
    factors = [
        draw_amplitudes(injection.amplitude, train, rng)
        for train, rng in zip(trains, unit_rngs, strict=True)
    ]
    bursts = [burst_positions(train) for train in trains]
    unit = np.repeat(np.arange(n_units), [len(train) for train in trains])
    time = np.concatenate([*trains, np.zeros(0)]) * sampling_rate_hz
    order = np.lexsort((unit, time))
    unit, time = unit[order], time[order]
    burst_position = np.concatenate([*bursts, np.zeros(0, np.int64)])[order]

    displacement = motion.rigid_um(time / sampling_rate_hz)
    if n_units:
        depth_um, probe_um = units.position_um[:, 1], geometry.positions_um[:, 1]
        displacement *= depth_factor(motion.config, depth_um, probe_um)[unit]
    grid_index, grid_share = grid_place(units.templates.grid_um, displacement)
    sample = np.floor(time).astype(np.int64)
    shift = (time - sample).astype(np.float32)
    # float32 rounds 0.99999999 to 1, which belongs to the next sample.
    sample, shift = sample + (shift >= 1), np.where(shift >= 1, np.float32(0), shift)
    n_variants = np.diff(units.templates.first_template)
    variant = np.minimum(burst_position, n_variants[unit] - 1)
    table = SpikeTable(
        sample_index=sample,
        template_index=units.templates.first_template[unit] + variant,
        shift=shift,
        amplitude=np.concatenate([*factors, np.zeros(0, np.float32)])[order],
        grid_index=grid_index,
        grid_share=grid_share,
    )
    sorting = Sorting(
        sample_index=np.minimum(sample + (shift >= 0.5), n_samples - 1),
        unit_index=unit,
        unit_ids=np.arange(n_units),
        sampling_rate_hz=sampling_rate_hz,
        n_samples=n_samples,
    )
    return Spikes(
        table=table, sorting=sorting, displacement_um=displacement, burst_position=burst_position
    )
