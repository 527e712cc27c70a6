"""A recording that is computed when it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.simulate.artefacts import Artefacts
from embersort.simulate.background import Background
from embersort.simulate.noise import NoiseModel, noise_tile
from embersort.simulate.render import SpikeTable, TemplateSet, add_spikes
from embersort.types import Geometry, Recording

TILE_SAMPLES = 8192
"""Traces are computed in tiles of this length on a fixed grid, whatever slice is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """All of a recording that is not a unit's spike, tile by tile.

    Attributes
    ----------
    geometry : Geometry
    sampling_rate_hz : float
    noise : NoiseModel or None
    background : Background or None
    artefacts : Artefacts or None
    base : Recording or None
        A recording that is added, from its start over and over.
    """

    geometry: Geometry
    sampling_rate_hz: float
    noise: NoiseModel | None = None
    background: Background | None = None
    artefacts: Artefacts | None = None
    base: Recording | None = None

    def tile(self, tile_index: int) -> NDArray[np.float32]:
        """Return one tile, shape (TILE_SAMPLES, n_channels), in µV."""
        rate_hz, start = self.sampling_rate_hz, tile_index * TILE_SAMPLES
        if self.noise is not None:
            traces = noise_tile(self.noise, tile_index, TILE_SAMPLES, rate_hz)
        else:
            traces = np.zeros((TILE_SAMPLES, self.geometry.n_channels), np.float32)
        if self.base is not None:
            traces += _read_round(self.base, start, TILE_SAMPLES)[:, : traces.shape[1]]
        if self.background is not None:
            # Spikes just beyond the tile's ends reach into it.
            for near in (tile_index - 1, tile_index, tile_index + 1):
                if near >= 0:
                    spikes = self.background.spikes_of_tile(near, TILE_SAMPLES, rate_hz)
                    add_spikes(traces, start, spikes, self.background.templates)
        if self.artefacts is not None:
            self.artefacts.add_to(traces, start, rate_hz)
        return traces


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedRecording:
    """Units' spikes in their surroundings, rendered lazily; satisfies the ``Recording`` protocol.

    Attributes
    ----------
    n_samples : int
    surroundings : Surroundings
    spikes : SpikeTable
    templates : TemplateSet
    uv_per_count, max_uv : float
        Converter; a count of 0 µV leaves the traces unrounded.
    """

    n_samples: int
    surroundings: Surroundings
    spikes: SpikeTable
    templates: TemplateSet
    uv_per_count: float = 0.0
    max_uv: float = np.inf

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self.surroundings.geometry

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.surroundings.sampling_rate_hz

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces of [start_sample, stop_sample), shape (n, n_channels), in µV.

        Safe to call from several threads; memory is that of the slice and one tile.

        Raises
        ------
        BadInput
            If the range is not within the recording.
        """
        if not 0 <= start_sample <= stop_sample <= self.n_samples:
            raise BadInput(
                f"samples {start_sample}..{stop_sample} are not within 0..{self.n_samples}"
            )
        return read_tiles(self._tile, start_sample, stop_sample, self.geometry.n_channels)

    def _tile(self, tile_index: int) -> NDArray[np.float32]:
        tile = self.surroundings.tile(tile_index)
        add_spikes(tile, tile_index * TILE_SAMPLES, self.spikes, self.templates)
        if self.uv_per_count > 0:
            np.clip(tile, -self.max_uv, self.max_uv, out=tile)
            step = np.float32(self.uv_per_count)
            tile = np.rint(tile / step) * step
        return tile


def read_tiles(
    tile: Callable[[int], NDArray[np.float32]], start_sample: int, stop_sample: int, n_channels: int
) -> NDArray[np.float32]:
    """Put a slice together from whole tiles."""
    traces = np.empty((stop_sample - start_sample, n_channels), np.float32)
    for tile_index in range(start_sample // TILE_SAMPLES, -(-stop_sample // TILE_SAMPLES)):
        first = tile_index * TILE_SAMPLES
        low, high = max(start_sample, first), min(stop_sample, first + TILE_SAMPLES)
        traces[low - start_sample : high - start_sample] = tile(tile_index)[
            low - first : high - first
        ]
    return traces


def _read_round(base: Recording, start_sample: int, n_samples: int) -> NDArray[np.float32]:
    """Read a recording as if it began anew at its end."""
    parts, at = [], start_sample % base.n_samples
    while n_samples > 0:
        stop = min(at + n_samples, base.n_samples)
        parts.append(base.read(at, stop))
        n_samples -= stop - at
        at = 0
    return np.concatenate(parts)
