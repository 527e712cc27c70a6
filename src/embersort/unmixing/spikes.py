"""The spikes of unmixed neurons: events, and troughs of own traces that no event explains."""

from __future__ import annotations

from bisect import bisect

import numpy as np
from numpy.typing import NDArray

from embersort.types import IntArray, Sorting
from embersort.units import ms_to_samples
from embersort.unmixing.result import OwnedBins
from embersort.unmixing.segments import Segments

REFRACTORY_MS = 0.5
"""Two spikes of one unit are not nearer than this."""


def unmixed_spikes(
    segments: Segments,
    labels: IntArray,
    bins: OwnedBins,
    peak_channel: IntArray,
    n_samples: int,
    least_share: float,
) -> Sorting:
    """Return the spikes of each unit.

    Parameters
    ----------
    segments : Segments
    labels : ndarray, shape (n_events,), int64
        Unit of each event, or -1.
    bins : OwnedBins
    peak_channel : ndarray, shape (n_units,), int64
    n_samples : int
        Length of the recording.
    least_share : float
        A trough of a unit's own trace on its peak channel is one of its spikes too, if it is at
        least this share of the median one and no event of the unit is near: a spike that another
        one hid.
    """
    trains = []
    reach = ms_to_samples(REFRACTORY_MS, segments.sampling_rate_hz)
    for unit, channel in enumerate(peak_channel):
        train = segments.events.sample_index[labels == unit]
        train = train[np.diff(train, prepend=-reach - 1) > reach]
        own = (bins.unit_index == unit) & (bins.channel_index == channel)
        sample, value = bins.sample_index[own], bins.value_uv[own]
        hidden = _hidden(train, sample, value, reach, least_share)
        trains.append(np.sort(np.concatenate([train, hidden])))
    unit_index = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    sample = np.concatenate([*trains, np.zeros(0, np.int64)])
    order = np.lexsort((unit_index, sample))
    return Sorting(
        sample_index=sample[order],
        unit_index=unit_index[order],
        unit_ids=np.arange(len(trains)),
        sampling_rate_hz=segments.sampling_rate_hz,
        n_samples=n_samples,
    )


def _hidden(
    train: IntArray,
    sample: IntArray,
    value: NDArray[np.float32],
    reach: int,
    least_share: float,
) -> IntArray:
    """Return the samples of deep troughs that are not near a spike, deepest first choice."""
    if len(train) == 0 or len(sample) == 0:
        return np.zeros(0, np.int64)
    depth_of_spikes = -value[np.isin(sample, train)]
    if len(depth_of_spikes) == 0:
        return np.zeros(0, np.int64)
    deep = np.flatnonzero(-value >= least_share * np.median(depth_of_spikes))
    deep = deep[_distance(sample[deep], train) > reach]
    chosen: list[int] = []
    for index in deep[np.argsort(value[deep], kind="stable")]:
        here = int(sample[index])
        place = bisect(chosen, here)
        if all(abs(here - other) > reach for other in chosen[max(0, place - 1) : place + 1]):
            chosen.insert(place, here)
    return np.array(chosen, np.int64)


def _distance(sample: IntArray, train: IntArray) -> IntArray:
    """Return how far each sample is from the nearest of a non-empty ordered train."""
    after = np.searchsorted(train, sample)
    right = np.abs(train[np.minimum(after, len(train) - 1)] - sample)
    left = np.abs(sample - train[np.maximum(after - 1, 0)])
    return np.minimum(left, right)
