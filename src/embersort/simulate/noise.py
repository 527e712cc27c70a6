"""Noise of a scene, tile by tile: each tile is computed from its own counter-based seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.config import Config
from embersort.simulate.band import BAND_HZ, band_gain
from embersort.simulate.normals import hashed_normals
from embersort.types import FloatArray, Geometry, IntArray

COLOUR_FILTER_MS = 1.6
"""Length of the filter that colours the noise."""
MAX_CORRELATION_LENGTHS = 3.0
"""Correlation is cut off at this many correlation lengths (0.05 of its height)."""
MAX_MIXED_CHANNELS = 48
"""A channel's noise mixes at most this many sources, the nearest."""


class NoiseConfig(Config):
    """Noise of the tissue and the amplifier."""

    level_uv: float = Field(10.0, ge=0)
    """Standard deviation within 300–6000 Hz, both parts together."""
    white_share: float = Field(0.3, ge=0, le=1)
    """Share of that variance which is white and independent per channel."""
    exponent: float = Field(1.0, ge=0, le=3)
    """The power of the other, coloured part falls as 1 / f^exponent above 300 Hz."""
    correlation_um: float = Field(40.0, ge=0)
    """Distance at which the coloured part's correlation between channels has fallen to 1/e."""
    hum_uv: float = Field(0.0, ge=0)
    """Amplitude of mains hum; its second and third harmonic have a half and a third of it."""
    hum_hz: float = Field(50.0, gt=0)
    """Mains frequency."""
    artefacts_per_min: float = Field(0.0, ge=0)
    """Movement artefacts per minute."""
    artefact_uv: float = Field(500.0, gt=0)
    """Median height of their slow part."""
    file: str = ""
    """A recording of real noise that is added, from its start over and over; at least as many
    channels as the probe, same sampling rate."""
    generator: Literal["philox", "hashed"] = "philox"
    """Where random numbers come from: ``hashed`` is of the same distribution up to 6.7 standard
    deviations and twenty times as fast, for noise that only a network looks at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseModel:
    """What a tile of noise is computed from.

    Attributes
    ----------
    taps : ndarray, shape (n_taps,), float32
        Filter that colours the correlated part; its output has the wanted level.
    sources : ndarray, shape (n_channels, n_sources), int64
        Which sources each channel mixes; −1 padded.
    weights : ndarray, shape (n_channels, n_sources), float32
        Their weights; the squares of a row add up to 1.
    white_uv : float
        Standard deviation of the white part, all frequencies.
    hum_uv, hum_hz : float
    hum_gain, hum_phase : ndarray, shape (n_channels,), shape (3,)
    key : int
        First half of the counter-based generator's key; the tile is the other half.
    is_hashed : bool
        Whether numbers come from ``hashed_normals`` rather than from NumPy's Philox.
    """

    taps: NDArray[np.float32]
    sources: IntArray
    weights: NDArray[np.float32]
    white_uv: float
    hum_uv: float
    hum_hz: float
    hum_gain: FloatArray
    hum_phase: FloatArray
    key: int
    is_hashed: bool

    @property
    def is_silent(self) -> bool:
        """Whether there is no noise but, perhaps, hum."""
        return self.white_uv == 0 and not self.taps.any()

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.sources)


def build_noise(
    config: NoiseConfig, geometry: Geometry, sampling_rate_hz: float, rng: np.random.Generator
) -> NoiseModel:
    """Prepare the noise of a probe.

    The coloured part is white Gaussian noise of one source per channel, filtered
    in time and mixed over near channels, so that two channels at distance d
    correlate roughly as exp(-d / ``correlation_um``).
    """
    taps = _colour_taps(config.exponent, sampling_rate_hz)
    coloured_std = config.level_uv * np.sqrt(1 - config.white_share)
    taps *= coloured_std / band_gain(taps, sampling_rate_hz)
    white_std = config.level_uv * np.sqrt(config.white_share)
    sources, weights = _mixing(geometry, config.correlation_um)
    return NoiseModel(
        taps=taps.astype(np.float32),
        sources=sources,
        weights=weights,
        white_uv=float(white_std / band_gain(np.ones(1), sampling_rate_hz)),
        hum_uv=config.hum_uv,
        hum_hz=config.hum_hz,
        hum_gain=rng.uniform(0.7, 1.3, geometry.n_channels),
        hum_phase=rng.uniform(0, 2 * np.pi, 3),
        key=int(rng.integers(2**63)),
        is_hashed=config.generator == "hashed",
    )


def noise_tile(
    model: NoiseModel, tile_index: int, n_samples: int, sampling_rate_hz: float
) -> NDArray[np.float32]:
    """Return one tile of noise, shape (n_samples, n_channels), in µV.

    Neighbouring tiles join without a seam: each tile draws its last samples
    first, so that the next tile can repeat just those draws for its filter.

    Parameters
    ----------
    tile_index : int
        Position of the tile on the grid of tiles; tile 0 starts at sample 0.
    n_samples : int
        Length of every tile.
    """
    tile = np.zeros((n_samples, model.n_channels), np.float32)
    if not model.is_silent:
        _add_noise(model, tile_index, tile)
    if model.hum_uv > 0:
        tile += _hum(model, tile_index * n_samples, n_samples, sampling_rate_hz)
    return tile


def _add_noise(model: NoiseModel, tile_index: int, tile: NDArray[np.float32]) -> None:
    n_samples, n_channels = tile.shape
    n_tail = len(model.taps) - 1
    drawn = np.empty((n_channels, n_tail + n_samples), np.float32)
    drawn[:, :n_tail] = _draw(model, tile_index, (n_channels, n_tail))
    both = _draw(model, tile_index + 1, (n_channels * n_samples,))
    # The tail first, then the rest.
    drawn[:, n_samples:] = both[: n_channels * n_tail].reshape(n_channels, n_tail)
    drawn[:, n_tail:n_samples] = both[n_channels * n_tail :].reshape(n_channels, -1)
    _colour_and_mix(
        drawn, model.taps, model.sources, model.weights, np.float32(model.white_uv), tile
    )


def _draw(model: NoiseModel, tile_number: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the first normal draws of a tile; tile n has number n + 1, so that 0 precedes it."""
    if model.is_hashed:
        return hashed_normals(model.key, tile_number, math.prod(shape)).reshape(shape)
    rng = np.random.Generator(np.random.Philox(key=[model.key, tile_number]))
    return rng.standard_normal(shape, np.float32)


def _hum(
    model: NoiseModel, start_sample: int, n_samples: int, sampling_rate_hz: float
) -> NDArray[np.float32]:
    times_s = (start_sample + np.arange(n_samples)) / sampling_rate_hz
    wave = np.zeros(n_samples)
    for order in (1, 2, 3):
        angle = 2 * np.pi * order * model.hum_hz * times_s + model.hum_phase[order - 1]
        wave += model.hum_uv / order * np.sin(angle)
    return (wave[:, None] * model.hum_gain[None, :]).astype(np.float32)


def _colour_taps(exponent: float, sampling_rate_hz: float) -> NDArray[np.float64]:
    """Return a filter whose power falls as 1/f^exponent above 300 Hz and is flat below.

    Of all filters with this gain the minimum-phase one is the shortest (its cepstrum is causal:
    Oppenheim and Schafer, Discrete-Time Signal Processing, section 13.5).
    """
    n_taps = max(round(COLOUR_FILTER_MS * 1e-3 * sampling_rate_hz), 2)
    n_grid = 32 * n_taps
    frequency_hz = np.fft.rfftfreq(n_grid, 1 / sampling_rate_hz)
    log_gain = -exponent / 2 * np.log(np.maximum(frequency_hz / BAND_HZ[0], 1.0))
    cepstrum = np.fft.irfft(log_gain, n_grid)
    cepstrum[1 : n_grid // 2] *= 2
    cepstrum[n_grid // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), n_grid)[:n_taps]
    n_fade = n_taps // 4
    response[n_taps - n_fade :] *= np.linspace(1, 0, n_fade, endpoint=False)
    # A correlation runs the taps backwards, newest sample last.
    return response[::-1].copy()


def _mixing(geometry: Geometry, correlation_um: float) -> tuple[IntArray, NDArray[np.float32]]:
    """Return sources and weights whose products give the wanted correlation.

    Weights fall as the square root of the covariance matrix does, cut off beyond
    a few correlation lengths and scaled to unit norm.
    """
    n_channels = geometry.n_channels
    if correlation_um == 0 or n_channels == 1:
        return np.arange(n_channels)[:, None], np.ones((n_channels, 1), np.float32)
    distance = geometry.distances_um()
    covariance = np.exp(-distance / correlation_um)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    root[distance > MAX_CORRELATION_LENGTHS * correlation_um] = 0
    n_sources = min(int((root != 0).sum(axis=1).max()), MAX_MIXED_CHANNELS)
    order = np.argsort(distance, axis=1, kind="stable")[:, :n_sources]
    weights = np.take_along_axis(root, order, axis=1)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return np.where(weights != 0, order, -1), weights.astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _colour_and_mix(
    drawn: NDArray[np.float32],
    taps: NDArray[np.float32],
    sources: IntArray,
    weights: NDArray[np.float32],
    white: np.float32,
    tile: NDArray[np.float32],
) -> None:
    """Filter every source in time, mix the sources of each channel, add its white part."""
    n_channels = len(sources)
    n_samples = len(tile)
    block = 512
    coloured = np.empty((n_channels, block), np.float32)
    mixed = np.empty(block, np.float32)
    for start in range(0, n_samples, block):
        n = min(block, n_samples - start)
        for channel in range(n_channels):
            row = coloured[channel]
            row[:n] = 0
            for k in range(len(taps)):
                tap = taps[k]
                source = drawn[channel, start + k : start + k + n]
                for t in range(n):
                    row[t] += tap * source[t]
        for channel in range(n_channels):
            mixed[:n] = 0
            for k in range(sources.shape[1]):
                other = sources[channel, k]
                if other < 0:
                    continue
                weight = weights[channel, k]
                for t in range(n):
                    mixed[t] += weight * coloured[other, t]
            # The white part is drawn already: the tile's own sources, last sample and last
            # channel first. What it shares with the coloured part lies at a lag that changes from
            # sample to sample, so the two do not correlate, at half the cost of drawing twice.
            reverse = drawn[n_channels - 1 - channel]
            last = len(reverse) - 1 - start
            for t in range(n):
                tile[start + t, channel] = mixed[t] + white * reverse[last - t]
