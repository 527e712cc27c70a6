"""What is learned from a few tiles before the passes: preprocessing, components, the noise."""

from __future__ import annotations

from embersort.config import SortConfig
from embersort.signal import (
    TemporalPca,
    fit_pca,
    fit_preprocessor,
    make_detector,
    make_window,
)
from embersort.signal.front import Front
from embersort.signal.tile_cache import KeptTiles, bytes_to_keep
from embersort.signal.tiles import TileMapper, spread
from embersort.signal.whiten import noise_autocorrelation
from embersort.sorting.passes import peak_waveforms
from embersort.types import FloatArray, Recording

NOISE_TILES = 8
"""Tiles, spread over the recording, whose noise is listened to."""

NOISE_CHANNELS = 8
"""About as many channels of them."""

N_COMPONENTS = 6
"""Temporal principal components kept of each channel. Chosen on the development recordings,
2026-11-22."""

BASIS_TILES = 20
"""Tiles, spread over the recording, whose events shape the temporal components."""


def make_front(source: Recording, config: SortConfig, mapper: TileMapper) -> Front:
    """Return what every pass needs: noise, whitening, detector and window of a recording."""
    fs = source.sampling_rate_hz
    return Front(
        recording=source,
        preprocessor=fit_preprocessor(source, config.filter, config.whiten, config.run, mapper),
        detector=make_detector(source.geometry, fs, config.detect),
        window=make_window(source.geometry, fs, config.snippet),
        run=config.run,
        mapper=mapper,
        kept=KeptTiles(bytes_to_keep(config.run, source.geometry.n_channels)),
    )


def fit_stage(front: Front) -> TemporalPca:
    """Return the temporal components of the events of `BASIS_TILES` tiles."""
    waveforms = peak_waveforms(front, spread(front.tiles(), BASIS_TILES))
    return fit_pca(waveforms, front.window.neighbours, N_COMPONENTS)


def listen(front: Front) -> FloatArray:
    """Return the autocorrelation of the white noise, shape (n_window,), over a window's lags."""
    step = max(1, front.recording.geometry.n_channels // NOISE_CHANNELS)
    tiles = spread(front.tiles(), NOISE_TILES)
    white = [front.white_tile_and_events(tile)[0][:, ::step] for tile in tiles]
    return noise_autocorrelation(white, front.window.n_window)
