"""The windows round events, on the channels round their peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import SnippetConfig
from embersort.types import Geometry, IntArray
from embersort.units import ms_to_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Shape of a snippet.

    Attributes
    ----------
    n_before, n_after : int
        Samples before the trough, and from the trough on; together ``n_window``.
    neighbours : ndarray, shape (n_channels, n_local), int64
        Channels of a snippet for each peak channel, the nearest first, padded with -1.
    """

    n_before: int
    n_after: int
    neighbours: NDArray[np.int64]

    @property
    def n_window(self) -> int:
        """Samples of a snippet."""
        return self.n_before + self.n_after


def make_window(geometry: Geometry, sampling_rate_hz: float, config: SnippetConfig) -> Window:
    """Return the snippet window for a probe and sampling rate."""
    return Window(
        n_before=max(1, ms_to_samples(config.before_ms, sampling_rate_hz)),
        n_after=max(1, ms_to_samples(config.after_ms, sampling_rate_hz)),
        neighbours=geometry.neighbours(config.radius_um, config.max_channels),
    )


def cut_snippets(
    traces: NDArray[np.float32], sample_index: IntArray, channel_index: IntArray, window: Window
) -> NDArray[np.float32]:
    """Copy the snippets of events out of the traces.

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels), float32
    sample_index : ndarray, shape (n_events,), int64
        Troughs, counted from the start of ``traces``; samples outside the traces read as zero.
    channel_index : ndarray, shape (n_events,), int64
        Peak channels.
    window : Window

    Returns
    -------
    ndarray, shape (n_events, n_window, n_local), float32
        Zero on the padding of the neighbour table.
    """
    return _cut(
        traces, sample_index, channel_index, window.n_before, window.n_window, window.neighbours
    )


@njit(nogil=True, cache=True)
def _cut(
    traces: NDArray[np.float32],
    sample_index: NDArray[np.int64],
    channel_index: NDArray[np.int64],
    n_before: int,
    n_window: int,
    neighbours: NDArray[np.int64],
) -> NDArray[np.float32]:
    n_events, n_local = len(sample_index), neighbours.shape[1]
    snippets = np.zeros((n_events, n_window, n_local), np.float32)
    for i in range(n_events):
        first = sample_index[i] - n_before
        local = neighbours[channel_index[i]]
        for t in range(max(0, -first), min(n_window, len(traces) - first)):
            for j in range(n_local):
                if local[j] >= 0:
                    snippets[i, t, j] = traces[first + t, local[j]]
    return snippets
