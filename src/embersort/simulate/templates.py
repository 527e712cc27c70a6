"""Templates of cells at the contacts of a probe, on a grid of displacements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.simulate.cells import Cell
from embersort.simulate.line_source import line_source_gains
from embersort.simulate.render import TemplateSet
from embersort.types import FloatArray, Geometry, IntArray
from embersort.units import ms_to_samples

BEFORE_MS = 1.5
AFTER_MS = 3.5
"""Window of a template about its trough; slower remains are tapered away."""
TAPER_MS = 0.5
"""Both ends of the window fall to zero over this time."""
SINC_HALF_WIDTH = 12
"""Zero crossings on each side of the windowed sinc that resamples currents."""
REACH_UM = 300.0
"""Contacts farther than this from a soma, in the plane of the probe, do not see the cell."""
UPSAMPLING = 16
"""Grid, per sample, on which the trough is looked for before a parabola refines it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedCell:
    """A cell at its place beside the probe.

    Attributes
    ----------
    cell : Cell
    position_um : ndarray, shape (3,)
        Soma: x across the probe, y along it, z away from its plane.
    rotation : ndarray, shape (3, 3)
        Turns directions of the cell into directions of the probe.
    """

    cell: Cell
    position_um: FloatArray
    rotation: FloatArray

    def gains(
        self, geometry: Geometry, channels: IntArray, displacement_um: float
    ) -> NDArray[np.float64]:
        """Return µV per nA at some contacts for each segment, shape (n_local, n_segments)."""
        soma = self.position_um + np.array([0.0, displacement_um, 0.0])
        contacts = np.column_stack([geometry.positions_um[channels], np.zeros(len(channels))])
        # Turning the contacts back is cheaper than turning the cell.
        relative = (contacts - soma) @ self.rotation
        cell = self.cell
        return line_source_gains(relative, cell.start_um, cell.end_um, cell.diameter_um)

    def near_channels(self, geometry: Geometry, moves_um: float) -> IntArray:
        """Return the contacts that can see the cell, the nearest at least.

        Parameters
        ----------
        moves_um : float
            How far the cell may move along the probe.
        """
        offset = geometry.positions_um - self.position_um[:2]
        offset[:, 1] = np.maximum(np.abs(offset[:, 1]) - moves_um, 0)
        distance = np.sqrt((offset**2).sum(axis=1))
        return np.flatnonzero(distance <= max(REACH_UM, distance.min()))


def local_templates(
    placed: PlacedCell,
    geometry: Geometry,
    channels: IntArray,
    sampling_rate_hz: float,
    grid_um: FloatArray,
    n_variants: int,
) -> NDArray[np.float64]:
    """Return the cell's templates at every displacement, trough at ``n_before`` exactly.

    The trough is that of the wide-band spike on the channel where it is deepest, with the cell
    at displacement zero; every displacement keeps this time.

    Parameters
    ----------
    channels : ndarray, shape (n_local,)
        The contacts at which the templates are wanted.
    grid_um : ndarray, shape (n_grid,)
    n_variants : int
        Lone spike and later spikes of a burst; the last one a cell has stands in for more.

    Returns
    -------
    ndarray, shape (n_variants, n_grid, n_window, n_local), float64
        In µV, at the cell's own amplitude.

    Notes
    -----
    O(n_variants · n_grid · n_window · n_local · n_segments).
    """
    n_before, n_window = template_window(sampling_rate_hz)
    cell = placed.cell
    still = placed.gains(geometry, channels, 0.0)
    gains = [placed.gains(geometry, channels, float(shift)) for shift in grid_um]
    step = cell.sampling_rate_hz / sampling_rate_hz
    templates = np.empty((n_variants, len(grid_um), n_window, len(channels)))
    for variant in range(n_variants):
        currents = cell.currents_na[min(variant, cell.n_variants - 1)].astype(np.float64)
        trough = trough_sample(currents @ still.T)
        times = trough + step * (np.arange(n_window) - n_before)
        resampled = resample_at(currents, times, cutoff=min(1.0, 1 / step))
        resampled = _tapered(resampled, sampling_rate_hz)
        for place, gain in enumerate(gains):
            templates[variant, place] = resampled @ gain.T
    return templates


def template_window(sampling_rate_hz: float) -> tuple[int, int]:
    """Return the sample of the trough and the length of a template."""
    n_before = ms_to_samples(BEFORE_MS, sampling_rate_hz)
    return n_before, n_before + ms_to_samples(AFTER_MS, sampling_rate_hz) + 1


def trough_sample(waveforms_uv: FloatArray) -> float:
    """Return the time of the deepest trough, between samples.

    Parameters
    ----------
    waveforms_uv : ndarray, shape (n_samples, n_channels)

    Returns
    -------
    float
        In samples, on the channel that holds the lowest value.
    """
    lowest = np.unravel_index(int(np.argmin(waveforms_uv)), waveforms_uv.shape)
    channel = waveforms_uv[:, [lowest[1]]]
    fine = lowest[0] + np.arange(-2 * UPSAMPLING, 2 * UPSAMPLING + 1) / UPSAMPLING
    values = resample_at(channel, fine, cutoff=1.0)[:, 0]
    i = int(np.argmin(values))
    if not 0 < i < len(values) - 1:
        return float(fine[i])
    left, middle, right = values[i - 1 : i + 2]
    curvature = left - 2 * middle + right
    return float(fine[i] + (0.5 * (left - right) / curvature if curvature > 0 else 0) / UPSAMPLING)


def resample_at(signal: FloatArray, times: FloatArray, *, cutoff: float) -> NDArray[np.float64]:
    """Return the band-limited signal between its samples; constant beyond its ends.

    Parameters
    ----------
    signal : ndarray, shape (n_samples, n_columns)
    times : ndarray, shape (n_times,)
        In samples of the signal.
    cutoff : float
        Upper edge as a share of the signal's Nyquist frequency, in (0, 1].

    Returns
    -------
    ndarray, shape (n_times, n_columns)

    Notes
    -----
    Sinc interpolation with a Hann window of ``SINC_HALF_WIDTH`` zero crossings.
    """
    half = int(np.ceil(SINC_HALF_WIDTH / cutoff))
    nearest = np.floor(times).astype(np.int64)[:, None] + np.arange(-half + 1, half + 1)
    distance = (np.asarray(times)[:, None] - nearest) * cutoff
    window = np.cos(0.5 * np.pi * np.clip(distance / SINC_HALF_WIDTH, -1, 1)) ** 2
    weights = np.sinc(distance) * window
    weights /= weights.sum(axis=1, keepdims=True)
    operator = np.zeros((len(times), len(signal)))
    np.add.at(
        operator,
        (np.arange(len(times))[:, None], np.clip(nearest, 0, len(signal) - 1)),
        weights,
    )
    return operator @ signal


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalTemplates:
    """All templates of one unit, on its own channels.

    Attributes
    ----------
    values_uv : ndarray, shape (n_variants, n_grid, n_window, n_local), float32
    channels : ndarray, shape (n_local,), int64
    """

    values_uv: NDArray[np.float32]
    channels: IntArray

    def above(self, floor_uv: float) -> LocalTemplates:
        """Return the templates without channels that stay below the floor; the largest stays."""
        reach = np.abs(self.values_uv).max(axis=(0, 1, 2))
        kept = np.flatnonzero((reach >= floor_uv) | (reach == reach.max()))
        return LocalTemplates(
            values_uv=np.ascontiguousarray(self.values_uv[..., kept]), channels=self.channels[kept]
        )


def build_template_set(
    units: Sequence[LocalTemplates], grid_um: FloatArray, n_before: int, n_window: int
) -> TemplateSet:
    """Pack the templates of all units, in order."""
    variants = [len(unit.values_uv) for unit in units]
    values = [variant.ravel() for unit in units for variant in unit.values_uv]
    channels = [unit.channels for unit in units for _ in unit.values_uv]
    return TemplateSet(
        values_uv=np.concatenate([*values, np.zeros(0, np.float32)]),
        value_offset=_offsets([len(part) for part in values]),
        channels=np.concatenate([*channels, np.zeros(0, np.int64)]),
        channel_offset=_offsets([len(part) for part in channels]),
        first_template=_offsets(variants),
        grid_um=np.asarray(grid_um, np.float64),
        n_window=n_window,
        n_before=n_before,
    )


def _tapered(currents: NDArray[np.float64], sampling_rate_hz: float) -> NDArray[np.float64]:
    n_taper = max(ms_to_samples(TAPER_MS, sampling_rate_hz), 1)
    level = currents - currents[0]
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(n_taper) / n_taper)
    window = np.ones(len(currents))
    window[:n_taper] = rise
    window[-n_taper:] = rise[::-1]
    return level * window[:, None]


def _offsets(lengths: Sequence[int]) -> IntArray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
