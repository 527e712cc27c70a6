"""What is known about a simulated recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.simulate.render import TemplateSet
from embersort.types import BoolArray, FloatArray, IntArray, Sorting, Templates, frozen_array
from embersort.units import ms_to_samples

OVERLAP_MS = 1.0
"""Two spikes this near in time overlap …"""
OVERLAP_UM = 100.0
"""… if the peak channels of their units are this near."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """Spikes, units, and what they look like.

    Attributes
    ----------
    sorting : Sorting
        Each spike at the sample nearest to its trough.
    templates : Templates
        Lone spikes, displacement zero, wide-band, µV.
    drift_templates : TemplateSet
        Every shape at every displacement; see ``Truth.templates_at``.
    unit_position_um : ndarray, shape (n_units, 3), float64
    unit_snr : ndarray, shape (n_units,), float64
        Trough over noise (MAD / 0.6745) on the peak channel, both within 300–6000 Hz.
    unit_peak_channel : ndarray, shape (n_units,), int64
        Channel of the deepest trough within 300–6000 Hz.
    unit_cell : tuple of str
        Name of the cell behind each unit.
    spike_displacement_um : ndarray, shape (n_spikes,), float32
        How far the unit was from its place.
    spike_amplitude : ndarray, shape (n_spikes,), float32
        Factor on the template.
    spike_burst_position : ndarray, shape (n_spikes,), int64
        Number of spikes before it in its burst.
    spike_overlaps : ndarray, shape (n_spikes,), bool
        Whether another unit's spike nearby lies within 1 ms.
    """

    sorting: Sorting
    templates: Templates
    drift_templates: TemplateSet
    unit_position_um: FloatArray
    unit_snr: FloatArray
    unit_peak_channel: IntArray
    unit_cell: tuple[str, ...]
    spike_displacement_um: FloatArray
    spike_amplitude: FloatArray
    spike_burst_position: IntArray
    spike_overlaps: BoolArray

    def __post_init__(self) -> None:
        for name, dtype, ndim in (
            ("unit_position_um", np.float64, 2),
            ("unit_snr", np.float64, 1),
            ("unit_peak_channel", np.int64, 1),
            ("spike_displacement_um", np.float32, 1),
            ("spike_amplitude", np.float32, 1),
            ("spike_burst_position", np.int64, 1),
            ("spike_overlaps", np.bool_, 1),
        ):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype, ndim, name))

    def templates_at(self, displacement_um: FloatArray) -> NDArray[np.float32]:
        """Return the lone-spike template of each unit at a displacement of its own.

        Parameters
        ----------
        displacement_um : ndarray, shape (n_units,)

        Returns
        -------
        ndarray, shape (n_units, n_window, n_channels), float32
        """
        n_channels = self.templates.waveforms_uv.shape[2]
        return self.drift_templates.dense(n_channels, displacement_um)


def overlapping_spikes(sorting: Sorting, peak_position_um: FloatArray) -> BoolArray:
    """Return which spikes have another unit's spike near them in time and space.

    Parameters
    ----------
    peak_position_um : ndarray, shape (n_units, 2)
        Position of each unit's peak channel.

    Notes
    -----
    O(n_spikes · spikes within 1 ms).
    """
    reach = ms_to_samples(OVERLAP_MS, sorting.sampling_rate_hz)
    sample, unit = sorting.sample_index, sorting.unit_index
    overlaps = np.zeros(len(sample), bool)
    delta = peak_position_um[:, None, :] - peak_position_um[None, :, :]
    near = (delta**2).sum(axis=2) <= OVERLAP_UM**2
    np.fill_diagonal(near, False)
    for lag in range(1, len(sample)):
        close = sample[lag:] - sample[:-lag] <= reach
        if not close.any():
            break
        both = close & near[unit[lag:], unit[:-lag]]
        overlaps[lag:] |= both
        overlaps[:-lag] |= both
    return overlaps
