"""What is learned from the white traces of a few tiles: components, and the noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.front import Front
from embersort.signal.pca import TemporalPca, fit_pca
from embersort.signal.snippets import Window, cut_snippets
from embersort.signal.tiles import Tile, spread
from embersort.signal.whiten import noise_autocorrelation
from embersort.types import FloatArray

NOISE_TILES = 8
"""Tiles, spread over the recording, in which the noise is measured."""

NOISE_CHANNELS = 8
"""About as many channels of them."""

N_COMPONENTS = 6
"""Temporal principal components kept of each channel. Chosen on the development recordings,
2026-11-22."""

BASIS_TILES = 20
"""Tiles, spread over the recording, whose events shape the temporal components."""


def peak_waveforms(front: Front, tiles: list[Tile]) -> NDArray[np.float32]:
    """Return the waveforms of the events of some tiles on their peak channels."""
    own_channel = Window(
        n_before=front.window.n_before,
        n_after=front.window.n_after,
        neighbours=front.window.neighbours[:, :1].copy(),
    )

    def process_tile(tile: Tile) -> NDArray[np.float32]:
        white, events = front.white_tile_and_events(tile)
        return cut_snippets(white, events.sample_index, events.channel_index, own_channel)[:, :, 0]

    return np.concatenate(list(front.mapper(process_tile, tiles, front.run)))


def fit_event_pca(front: Front) -> TemporalPca:
    """Return the temporal components of the events of `BASIS_TILES` tiles."""
    waveforms = peak_waveforms(front, spread(front.tiles(), BASIS_TILES))
    return fit_pca(waveforms, front.window.neighbours, N_COMPONENTS)


def estimate_noise_autocorrelation(front: Front) -> FloatArray:
    """Return the autocorrelation of the white noise, shape (n_window,), over a window's lags."""
    step = max(1, front.recording.geometry.n_channels // NOISE_CHANNELS)
    tiles = spread(front.tiles(), NOISE_TILES)
    white = [front.white_tile_and_events(tile)[0][:, ::step] for tile in tiles]
    return noise_autocorrelation(white, front.window.n_window)
