"""Sums of the spikes of each unit, on the channels that its templates had at any time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.types import IntArray


class ChannelSums:
    """Sums that grow tile by tile; channels that a unit never had take no memory.

    Parameters
    ----------
    n_units, n_window, n_channels : int
    """

    def __init__(self, n_units: int, n_window: int, n_channels: int) -> None:
        self._of_unit: list[dict[int, NDArray[np.float64]]] = [{} for _ in range(n_units)]
        self._shape = (n_units, n_window, n_channels)

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self._of_unit)

    def add(self, unit: int, channels: IntArray, summed: NDArray[np.float64]) -> None:
        """Add to the sums of a unit.

        Parameters
        ----------
        unit : int
        channels : ndarray, shape (n_support,), int64
            Padded with -1.
        summed : ndarray, shape (n_scalings, n_window, n_support), float64
            One for each least amplitude of the spikes in it.
        """
        own = self._of_unit[unit]
        for place, channel in enumerate(channels.tolist()):
            if channel < 0:
                break
            if channel in own:
                own[channel] += summed[:, :, place]
            else:
                own[channel] = summed[:, :, place].copy()

    def means(self, scaling_index: IntArray, counts: IntArray) -> NDArray[np.float64]:
        """Return a mean of each unit on all channels, shape (n_units, n_window, n_channels).

        Parameters
        ----------
        scaling_index : ndarray, shape (n_units,), int64
            Which of the least amplitudes holds.
        counts : ndarray, shape (n_units,), int64
            Spikes in that sum.
        """
        means = np.zeros(self._shape)
        for unit, own in enumerate(self._of_unit):
            for channel, summed in own.items():
                means[unit, :, channel] = summed[scaling_index[unit]] / max(counts[unit], 1)
        return means
