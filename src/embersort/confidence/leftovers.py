"""Events that no spike explains: what a unit may have missed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.types import IntArray
from embersort.units import ms_to_samples

EXPLAINED_MS = 0.8
EXPLAINED_UM = 150.0
"""A spike explains the events that peak so near to it in time and space."""
NEAR_UM = 40.0
"""An event may be a unit's if it peaks within this distance of the unit's main channel."""
MIN_SHARE, MAX_SHARE = 0.6, 1.6
"""And if it has this share of the unit's depth."""


def leftovers(evidence: Evidence, main_channel: IntArray) -> NDArray[np.float64]:
    """Count the events that could be a unit's, but are near no spike of any unit.

    Parameters
    ----------
    evidence : Evidence
    main_channel : ndarray, shape (n_units,), int64

    Returns
    -------
    ndarray, shape (n_units,), float64
        An event counts for every unit that is near enough and of about its depth.

    Notes
    -----
    O(n_events · n_units) at worst.
    """
    sorting, events = evidence.sorting, evidence.events
    distance_um = np.ascontiguousarray(evidence.geometry.distances_um(), np.float64)
    explained = _explained(
        events.sample_index,
        events.channel_index,
        sorting.sample_index,
        main_channel[sorting.unit_index],
        distance_um <= EXPLAINED_UM,
        ms_to_samples(EXPLAINED_MS, sorting.sampling_rate_hz),
    )
    return _count(
        events.channel_index[~explained],
        np.abs(events.amplitude[~explained]).astype(np.float64),
        distance_um <= NEAR_UM,
        main_channel,
        np.maximum(evidence.snr, 1.0),
    )


@njit(cache=True, nogil=True)
def _explained(
    event_sample: IntArray,
    event_channel: IntArray,
    spike_sample: IntArray,
    spike_channel: IntArray,
    is_near: NDArray[np.bool_],
    window_samples: int,
) -> NDArray[np.bool_]:
    """Say of each event whether there is a spike near it; both are in order of time."""
    result = np.zeros(len(event_sample), np.bool_)
    low = 0
    for e in range(len(event_sample)):
        while low < len(spike_sample) and spike_sample[low] < event_sample[e] - window_samples:
            low += 1
        j = low
        while j < len(spike_sample) and spike_sample[j] <= event_sample[e] + window_samples:
            result[e] |= is_near[spike_channel[j], event_channel[e]]
            j += 1
    return result


@njit(cache=True, nogil=True)
def _count(
    event_channel: IntArray,
    event_depth: NDArray[np.float64],
    is_near: NDArray[np.bool_],
    unit_channel: IntArray,
    unit_depth: NDArray[np.float64],
) -> NDArray[np.float64]:
    counts = np.zeros(len(unit_channel))
    for e in range(len(event_channel)):
        for u in range(len(counts)):
            share = event_depth[e] / unit_depth[u]
            if is_near[unit_channel[u], event_channel[e]] and MIN_SHARE <= share <= MAX_SHARE:
                counts[u] += 1
    return counts
