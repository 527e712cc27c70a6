"""What a finished sort knows of its spikes and units: all that confidence is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.types import Events, Geometry, IntArray, Sorting


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The spikes of a sort with what template matching left of them.

    Attributes
    ----------
    sorting : Sorting
    events : Events
        What was detected in the first place, in units of each channel's noise.
    geometry : Geometry
    gain : ndarray, shape (n_spikes,), float32
        By how much each spike lowers the squared residual, in units of the noise.
    scale : ndarray, shape (n_spikes,), float32
        Amplitude of each spike relative to its template.
    codes : ndarray, shape (n_spikes, n_local * n_components), float32
        Of residual plus own template, channel by channel, in units of the noise.
    channel_index : ndarray, shape (n_spikes,), int64
        Channel round which the codes of each spike were taken.
    basis : ndarray, shape (n_window, n_components), float32
        Orthonormal components of the codes.
    neighbours : ndarray, shape (n_channels, n_local), int64
        Channels of the codes round each channel, padded with -1.
    means : ndarray, shape (n_units, n_window, n_channels), float32
        White template of each unit.
    snr : ndarray, shape (n_units,), float64
        Depth of each unit's template over the noise of its peak channel, before whitening.
    """

    sorting: Sorting
    events: Events
    geometry: Geometry
    gain: NDArray[np.float32]
    scale: NDArray[np.float32]
    codes: NDArray[np.float32]
    channel_index: IntArray
    basis: NDArray[np.float32]
    neighbours: IntArray
    means: NDArray[np.float32]
    snr: NDArray[np.float64]

    def __post_init__(self) -> None:
        n_spikes, n_units = self.sorting.n_spikes, self.sorting.n_units
        for name in ("gain", "scale", "codes", "channel_index"):
            if len(getattr(self, name)) != n_spikes:
                raise BadInput(f"{name} has {len(getattr(self, name))} rows for {n_spikes} spikes")
        for name in ("means", "snr"):
            if len(getattr(self, name)) != n_units:
                raise BadInput(f"{name} has {len(getattr(self, name))} rows for {n_units} units")
        n_codes = self.neighbours.shape[1] * self.basis.shape[1]
        if self.codes.shape[1] != n_codes:
            raise BadInput(f"codes have {self.codes.shape[1]} columns, expected {n_codes}")
