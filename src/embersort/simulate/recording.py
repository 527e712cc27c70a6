"""A recording that is computed when it is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.simulate.noise import NoiseModel, noise_tile
from embersort.simulate.render import SpikeTable, TemplateSet, add_spikes
from embersort.types import Geometry

TILE_SAMPLES = 8192
"""Traces are computed in tiles of this length on a fixed grid, whatever slice is asked for."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRecording:
    """Noise plus spikes, rendered lazily; satisfies the ``Recording`` protocol.

    Attributes
    ----------
    geometry : Geometry
    sampling_rate_hz : float
    n_samples : int
    noise : NoiseModel
    spikes : SpikeTable
    templates : TemplateSet
    uv_per_count, max_uv : float
        Converter; a count of 0 µV leaves the traces unrounded.
    """

    geometry: Geometry
    sampling_rate_hz: float
    n_samples: int
    noise: NoiseModel
    spikes: SpikeTable
    templates: TemplateSet
    uv_per_count: float = 0.0
    max_uv: float = np.inf

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces of [start_sample, stop_sample), shape (n, n_channels), in µV.

        Safe to call from several threads; memory is that of the slice and one tile.
        """
        if not 0 <= start_sample <= stop_sample <= self.n_samples:
            raise BadInput(
                f"samples {start_sample}..{stop_sample} are not within 0..{self.n_samples}"
            )
        traces = np.empty((stop_sample - start_sample, self.geometry.n_channels), np.float32)
        for tile_index in range(start_sample // TILE_SAMPLES, -(-stop_sample // TILE_SAMPLES)):
            tile_start = tile_index * TILE_SAMPLES
            low = max(start_sample, tile_start)
            high = min(stop_sample, tile_start + TILE_SAMPLES)
            tile = self._tile(tile_index)
            traces[low - start_sample : high - start_sample] = tile[
                low - tile_start : high - tile_start
            ]
        return traces

    def _tile(self, tile_index: int) -> NDArray[np.float32]:
        tile = noise_tile(self.noise, tile_index, TILE_SAMPLES, self.sampling_rate_hz)
        add_spikes(tile, tile_index * TILE_SAMPLES, self.spikes, self.templates)
        if self.uv_per_count > 0:
            np.clip(tile, -self.max_uv, self.max_uv, out=tile)
            step = np.float32(self.uv_per_count)
            tile = np.rint(tile / step) * step
        return tile
