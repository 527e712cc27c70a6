"""Spikes added to traces, in a fixed order, so that every slice has the same bits."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray, IntArray

N_TAPS = 4
"""Taps of the cubic Lagrange interpolation that shifts a template by less than a sample."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateSet:
    """Templates of all units on a grid of displacements, each on its own channels only.

    Attributes
    ----------
    values_uv : ndarray, shape (n_values,), float32
        One block (n_grid, n_window, n_local) per template, one after the other.
    value_offset : ndarray, shape (n_templates + 1,), int64
        Where each block starts.
    channels : ndarray, shape (n_entries,), int64
        The channels of each template, one run after the other.
    channel_offset : ndarray, shape (n_templates + 1,), int64
    first_template : ndarray, shape (n_units + 1,), int64
        Templates of unit u are ``first_template[u]`` (a lone spike) up to, but not including,
        ``first_template[u + 1]`` (later spikes of a burst).
    grid_um : ndarray, shape (n_grid,), float64
        Displacements at which the templates were evaluated, evenly spaced.
    n_window, n_before : int
        Length of a template, and the sample of its trough.
    """

    values_uv: NDArray[np.float32]
    value_offset: IntArray
    channels: IntArray
    channel_offset: IntArray
    first_template: IntArray
    grid_um: FloatArray
    n_window: int
    n_before: int

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.first_template) - 1

    def block(self, template_index: int) -> NDArray[np.float32]:
        """Return one template, shape (n_grid, n_window, n_local)."""
        low, high = self.value_offset[template_index : template_index + 2]
        return self.values_uv[low:high].reshape(len(self.grid_um), self.n_window, -1)

    def template_channels(self, template_index: int) -> IntArray:
        """Return the channels of one template, shape (n_local,)."""
        low, high = self.channel_offset[template_index : template_index + 2]
        return self.channels[low:high]

    def dense(self, n_channels: int, displacement_um: FloatArray) -> NDArray[np.float32]:
        """Return the lone-spike template of every unit at its displacement.

        Parameters
        ----------
        displacement_um : ndarray, shape (n_units,)

        Returns
        -------
        ndarray, shape (n_units, n_window, n_channels), float32
        """
        waveforms = np.zeros((self.n_units, self.n_window, n_channels), np.float32)
        place, share = grid_place(self.grid_um, displacement_um)
        for unit in range(self.n_units):
            index = int(self.first_template[unit])
            block = self.block(index)
            low = place[unit]
            mixed = (1 - share[unit]) * block[low]
            if share[unit] > 0:
                mixed = mixed + share[unit] * block[low + 1]
            waveforms[unit][:, self.template_channels(index)] = mixed
        return waveforms


@dataclass(frozen=True, kw_only=True, slots=True)
class SpikeTable:
    """Every spike to render, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
        Last sample that is not later than the trough.
    template_index : ndarray, shape (n_spikes,), int64
    shift : ndarray, shape (n_spikes,), float32
        Part of a sample, in [0, 1), by which the trough comes later than that.
    amplitude : ndarray, shape (n_spikes,), float32
    grid_index : ndarray, shape (n_spikes,), int64
        Lower of the two displacements between which the spike's template lies.
    grid_share : ndarray, shape (n_spikes,), float32
        Weight of the upper one, in [0, 1).
    """

    sample_index: IntArray
    template_index: IntArray
    shift: NDArray[np.float32]
    amplitude: NDArray[np.float32]
    grid_index: IntArray
    grid_share: NDArray[np.float32]


def grid_place(
    grid_um: FloatArray, displacement_um: FloatArray
) -> tuple[IntArray, NDArray[np.float32]]:
    """Return lower grid index and weight of the upper neighbour of each displacement."""
    displacement = np.asarray(displacement_um, dtype=np.float64)
    if len(grid_um) == 1:
        return np.zeros(len(displacement), np.int64), np.zeros(len(displacement), np.float32)
    exact = np.clip((displacement - grid_um[0]) / (grid_um[1] - grid_um[0]), 0, len(grid_um) - 1)
    lower = np.floor(exact).astype(np.int64)
    share = (exact - lower).astype(np.float32)
    # A share that rounds to 1 in float32 belongs to the next grid point.
    lower, share = np.where(share >= 1, lower + 1, lower), np.where(share >= 1, 0, share)
    return lower, share.astype(np.float32)


def add_spikes(
    traces: NDArray[np.float32], start_sample: int, spikes: SpikeTable, templates: TemplateSet
) -> None:
    """Add to the traces, in place, every spike whose window reaches into them.

    A spike with trough at sample n, shift δ and amplitude a adds a · T(t - n - δ), T being the
    template between two grid displacements (linear) and between samples (cubic Lagrange).

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels), float32
        The samples from ``start_sample`` on; changed in place.

    Notes
    -----
    O(spikes in the slice · n_window · n_local). Spikes are added in the order of the table.
    """
    reach = templates.n_window + N_TAPS
    low, high = np.searchsorted(
        spikes.sample_index, (start_sample - reach, start_sample + len(traces) + reach)
    )
    _add_spikes(
        traces,
        start_sample,
        spikes.sample_index[low:high],
        spikes.template_index[low:high],
        spikes.shift[low:high],
        spikes.amplitude[low:high],
        spikes.grid_index[low:high],
        spikes.grid_share[low:high],
        templates.values_uv,
        templates.value_offset,
        templates.channels,
        templates.channel_offset,
        templates.n_window,
        templates.n_before,
    )


@numba.njit(cache=True, nogil=True)
def _add_spikes(  # noqa: PLR0913 - the fields of two tables, which Numba takes one by one
    traces: NDArray[np.float32],
    start_sample: int,
    sample_index: IntArray,
    template_index: IntArray,
    shift: NDArray[np.float32],
    amplitude: NDArray[np.float32],
    grid_index: IntArray,
    grid_share: NDArray[np.float32],
    values: NDArray[np.float32],
    value_offset: IntArray,
    channels: IntArray,
    channel_offset: IntArray,
    n_window: int,
    n_before: int,
) -> None:
    n_samples, n_channels = traces.shape
    shifted = np.empty((n_window + N_TAPS - 1) * n_channels, np.float32)
    tap = np.empty(N_TAPS, np.float32)
    for i in range(len(sample_index)):
        template = template_index[i]
        first_channel = channel_offset[template]
        local = channels[first_channel : channel_offset[template + 1]]
        n_local = len(local)
        size = n_window * n_local
        lower = value_offset[template] + grid_index[i] * size
        share = grid_share[i]
        # Value at t - δ from the samples at t - 2, t - 1, t, t + 1 (δ > 0) by Lagrange's
        # formula on the nodes 2, 1, 0, -1 of the delay δ.
        d = shift[i]
        tap[0] = d * (d * d - 1) / 6
        tap[1] = -d * (d + 1) * (d - 2) / 2
        tap[2] = (d * d - 1) * (d - 2) / 2
        tap[3] = -d * (d - 1) * (d - 2) / 6
        shifted[: size + (N_TAPS - 1) * n_local] = 0
        for k in range(N_TAPS):
            if tap[k] == 0:
                continue
            # All channels of a sample lie together, so a delay is an offset of whole samples.
            delayed = shifted[(N_TAPS - 1 - k) * n_local :]
            _add_scaled(delayed, amplitude[i] * tap[k] * (1 - share), values[lower : lower + size])
            if share > 0:
                upper = values[lower + size : lower + 2 * size]
                _add_scaled(delayed, amplitude[i] * tap[k] * share, upper)
        begin = sample_index[i] - n_before - start_sample - 1
        is_run = n_local > 0 and local[-1] - local[0] == n_local - 1
        for t in range(max(begin, 0), min(begin + n_window + N_TAPS - 1, n_samples)):
            row = shifted[(t - begin) * n_local : (t - begin + 1) * n_local]
            if is_run:
                _add_scaled(traces[t, local[0] :], np.float32(1), row)
            else:
                for j in range(n_local):
                    traces[t, local[j]] += row[j]


@numba.njit(cache=True, nogil=True)
def _add_scaled(to: NDArray[np.float32], weight: np.float32, values: NDArray[np.float32]) -> None:
    for j in range(len(values)):
        to[j] += weight * values[j]
