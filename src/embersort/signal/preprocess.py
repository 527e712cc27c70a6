"""Everything that is done to the samples before events are looked for in them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import FilterConfig, RunConfig, WhitenConfig
from embersort.signal.filter import bandpass, check_settling, design_bandpass, settle_samples
from embersort.signal.reference import reference_groups, shares_noise, subtract_median
from embersort.signal.shared_noise import (
    SharedNoise,
    fit_shared_noise,
    subtract_shared_noise,
)
from embersort.signal.tiles import Tile, TileMapper, map_tiles, read_with_margin, tile_grid
from embersort.signal.whiten import (
    good_channels,
    local_whitening,
    noise_covariance,
    noise_levels,
)
from embersort.types import BoolArray, FloatArray, Recording

SAMPLE_S = 20.0
"""Seconds of recording, spread evenly, from which covariance and noise are estimated. Chosen on the
development recordings, 2026-11-22."""

log = logging.getLogger(__name__)

STRIDE = 4
"""Noise is estimated from every fourth sample: neighbouring ones say nearly the same."""

LEAST_NOISE_UV = 1e-25
"""Less is no noise of anything; its square is no number of 32 bits."""
ROUNDING = 1e-6
"""A filter leaves this share of a constant, at float32."""

BLOCK = 32
"""Output channels that are whitened by one matrix product."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preprocessor:
    """What was learned from a sample of the recording; applied alike to every tile.

    Attributes
    ----------
    sos : ndarray, shape (n_sections, 6)
        Band-pass filter.
    groups : tuple of ndarray
        Channels that share a reference where events are looked for.
    channel_ok : ndarray, shape (n_channels,), bool
        Channels in use; the others give zeros.
    noise_uv : ndarray, shape (n_channels,)
        Noise of the filtered traces.
    referenced_noise_uv : ndarray, shape (n_channels,)
        The same, less the reference.
    whitening : ndarray, shape (n_channels, n_channels), float32
        From filtered traces in microvolt to white ones of unit noise.
    margin : int
        Samples that the filter needs on either side of a tile.
    shared : SharedNoise, or None
        What all channels of the device share is taken off right after the filter.
    far_noise_alike : bool
        Whether channels far apart still have noise in common.
    """

    sos: FloatArray
    groups: tuple[NDArray[np.int64], ...]
    channel_ok: BoolArray
    noise_uv: FloatArray
    referenced_noise_uv: FloatArray
    whitening: NDArray[np.float32]
    margin: int
    shared: SharedNoise | None = None
    far_noise_alike: bool = False

    @property
    def scale(self) -> NDArray[np.float32]:
        """What turns microvolt into units of each channel's noise; 0 for bad channels."""
        return _inverse(self.noise_uv * self.channel_ok).astype(np.float32)


def fit_preprocessor(
    recording: Recording,
    filter_config: FilterConfig,
    whiten_config: WhitenConfig,
    run_config: RunConfig,
    mapper: TileMapper = map_tiles,
) -> Preprocessor:
    """Estimate noise, bad channels and whitening from tiles spread over the recording.

    Parameters
    ----------
    recording : Recording
    filter_config : FilterConfig
    whiten_config : WhitenConfig
    run_config : RunConfig
    mapper : TileMapper
        Where the tiles are computed.

    Returns
    -------
    Preprocessor
    """
    sos = design_bandpass(filter_config, recording.sampling_rate_hz)
    margin = settle_samples(sos)
    check_settling(filter_config, margin / recording.sampling_rate_hz)
    geometry = recording.geometry
    sample = _sample_tiles(recording, SAMPLE_S)

    def filtered(tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        traces = read_with_margin(recording, tile, margin)
        level = np.abs(traces).max(axis=0)
        return bandpass(traces, sos)[margin : len(traces) - margin : STRIDE].copy(), level

    parts, levels = zip(*mapper(filtered, sample, run_config), strict=True)
    raw = np.concatenate(parts)
    # The sample is the largest thing here: it is held once as it is, and once scaled.
    del parts
    noise = noise_levels(raw)
    # What is left of a constant is rounding, not noise.
    floor = np.maximum(ROUNDING * np.max(levels, axis=0), LEAST_NOISE_UV)
    noise[noise <= floor] = 0
    channel_ok = good_channels(noise)
    groups = reference_groups(geometry, channel_ok, filter_config.reference)
    scaled = raw * _inverse(noise * channel_ok).astype(np.float32)
    covariance = noise_covariance(scaled)
    shared, far_noise_alike = None, False
    if filter_config.reference == "auto":
        shared = fit_shared_noise(scaled, covariance, geometry, noise, channel_ok)
        if shared is not None:
            raw = subtract_shared_noise(raw, shared)
            noise = noise_levels(raw)
            scaled = raw * _inverse(noise * channel_ok).astype(np.float32)
            covariance = noise_covariance(scaled)
        far_noise_alike = shares_noise(covariance, geometry, channel_ok)
        groups = groups if far_noise_alike else ()
    referenced_noise = noise_levels(subtract_median(raw, groups)) if groups else noise
    # Channels that all record the same are nothing once what they share is taken off.
    channel_ok &= referenced_noise > floor
    if not channel_ok.all():
        log.warning(
            "%d of %d channels are left out, silent or far too noisy: %s",
            (~channel_ok).sum(),
            len(channel_ok),
            _short_list(np.flatnonzero(~channel_ok)),
        )
    white = local_whitening(covariance, geometry, channel_ok, whiten_config)
    # The noise is normal only in its middle: what is left of unit height is measured, not assumed.
    left = noise_levels(scaled @ white.T.astype(np.float32))
    white *= _inverse(left)[:, None]
    return Preprocessor(
        sos=sos,
        groups=groups,
        channel_ok=channel_ok,
        noise_uv=noise,
        referenced_noise_uv=referenced_noise,
        whitening=np.ascontiguousarray(white * _inverse(noise * channel_ok), dtype=np.float32),
        margin=margin,
        shared=shared,
        far_noise_alike=far_noise_alike,
    )


def filter_tile(
    recording: Recording, tile: Tile, preprocessor: Preprocessor, extra: int
) -> NDArray[np.float32]:
    """Return the filtered traces of a tile, in microvolt, less what all channels share.

    Parameters
    ----------
    recording : Recording
    tile : Tile
    preprocessor : Preprocessor
    extra : int
        Samples wanted on either side of the tile.

    Returns
    -------
    ndarray, shape (tile.stop - tile.start + 2 * extra, n_channels), float32
    """
    margin = preprocessor.margin
    traces = bandpass(read_with_margin(recording, tile, margin + extra), preprocessor.sos)
    return subtract_shared_noise(traces[margin : len(traces) - margin], preprocessor.shared)


def reference(traces: NDArray[np.float32], preprocessor: Preprocessor) -> NDArray[np.float32]:
    """Return filtered traces as events are looked for in them, same shape.

    Less their reference, if there is one, and in units of each channel's noise.

    Notes
    -----
    White traces need no reference: whitening takes out what channels share, in proportion, where a
    median follows the spikes that many channels see.
    """
    scale = _inverse(preprocessor.referenced_noise_uv * preprocessor.channel_ok)
    return subtract_median(traces, preprocessor.groups) * scale.astype(np.float32)


def whiten(traces: NDArray[np.float32], preprocessor: Preprocessor) -> NDArray[np.float32]:
    """Return white traces of unit noise, same shape.

    Notes
    -----
    A block of channels needs only the span of channels that its rows of the matrix reach, so the
    cost is linear in the number of channels where neighbours have near indices.
    """
    matrix = preprocessor.whitening
    white = np.empty_like(traces)
    for start in range(0, len(matrix), BLOCK):
        rows = matrix[start : start + BLOCK]
        used = np.flatnonzero(rows.any(axis=0))
        if len(used) == 0:
            white[:, start : start + BLOCK] = 0
            continue
        span = slice(used[0], used[-1] + 1)
        white[:, start : start + BLOCK] = traces[:, span] @ rows[:, span].T
    return white


def _inverse(values: FloatArray) -> FloatArray:
    """Return 1 / values, and 0 where a value is 0."""
    return np.divide(1.0, values, where=values > 0, out=np.zeros(len(values)))


def _sample_tiles(recording: Recording, sample_s: float) -> list[Tile]:
    """Return tiles spread evenly over the recording, together about ``sample_s`` long."""
    tiles = tile_grid(recording.n_samples, recording.sampling_rate_hz)
    length_s = (tiles[0].stop - tiles[0].start) / recording.sampling_rate_hz
    n_tiles = min(len(tiles), max(1, round(sample_s / length_s)))
    chosen = np.unique(np.linspace(0, len(tiles) - 1, n_tiles).round().astype(int))
    return [tiles[i] for i in chosen]


def _short_list(indices: NDArray[np.int64], most: int = 8) -> str:
    text = ", ".join(str(i) for i in indices[:most])
    return text + (", …" if len(indices) > most else "")
