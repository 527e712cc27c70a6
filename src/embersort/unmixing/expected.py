"""What a neuron's bins would hold without noise: the mean of its nearest segments."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import IntArray
from embersort.unmixing.bins import BinEmbedder

Float32 = NDArray[np.float32]


def expected_stretch(
    embedder: BinEmbedder,
    event_unit: IntArray,
    bin_unit: NDArray[np.int16],
    start_sample: int,
) -> Float32:
    """Return what is expected in each bin that belongs to a unit, from the unit's events there.

    Parameters
    ----------
    embedder : BinEmbedder
    event_unit : ndarray, shape (n_events,), int64
        Unit of each event, or ``UNASSIGNED``.
    bin_unit : ndarray, shape (n_samples, n_channels), int16
        Unit of each bin of the stretch.
    start_sample : int
        The stretch's first sample.

    Returns
    -------
    ndarray, shape (n_samples, n_channels), float32
        In units of noise: the mean over the neighbours of the unit's own event, or over several
        such events. NaN where no event of the bin's unit, with neighbours, covers it.
    """
    segments = embedder.segments
    total, n_added = np.zeros((2, *bin_unit.shape), np.float32)
    for event in segments.covering(start_sample, start_sample + len(bin_unit)):
        neighbours = embedder.neighbours(event)
        if event_unit[event] < 0 or len(neighbours) == 0:
            continue
        is_own = bin_unit == event_unit[event]
        mean, channels = neighbours.mean(axis=0), segments.local(event)
        place = segments.first_bin(event) - start_sample
        _add_expected(total, n_added, is_own, mean, channels, place, segments.bin_step)
    return np.divide(total, n_added, out=np.full_like(total, np.nan), where=n_added > 0)


@njit(cache=True, nogil=True)
def _add_expected(
    total: Float32,
    n_added: Float32,
    is_own: NDArray[np.bool_],
    mean: Float32,
    channels: IntArray,
    place: float,
    step: float,
) -> None:
    n_bins = mean.shape[1]
    low = max(0, int(np.ceil(place)))
    high = min(len(total) - 1, int(np.floor(place + (n_bins - 1) * step)))
    for t in range(low, high + 1):
        exact = (t - place) / step
        left = min(int(exact), n_bins - 2)
        share = np.float32(exact - left)
        for c in range(len(channels)):
            if is_own[t, channels[c]]:
                value = (np.float32(1) - share) * mean[c, left] + share * mean[c, left + 1]
                total[t, channels[c]] += value
                n_added[t, channels[c]] += np.float32(1)
