"""Where events are looked for: in the traces before they are whitened, or in the white ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.detect import Detector, detect
from embersort.types import Events, FloatArray

MUCH_HIGHER = 1.1
"""White traces are looked at where the typical event stands this much higher above the noise in
them. Without shared noise it stands lower: 0.80 to 0.95 on the development recordings."""

LEAST_EVENTS = 20
"""Fewer events say nothing."""


def white_is_better(ratios: FloatArray) -> bool:
    """Say whether the typical event stands higher above the noise in white traces than before.

    Parameters
    ----------
    ratios : ndarray, shape (n_events,)
        As `height_ratios` gives them.
    """
    return len(ratios) >= LEAST_EVENTS and bool(np.median(ratios) > MUCH_HIGHER)


def height_ratios(
    plain: NDArray[np.float32], white: NDArray[np.float32], margin: int, detector: Detector
) -> FloatArray:
    """Return how much higher each event is in white traces than before.

    Parameters
    ----------
    plain, white : ndarray, shape (n_samples, n_channels), float32
        The same stretch before and after whitening, both in units of the noise.
    margin : int
        Samples at either end in which no event is looked for.
    detector : Detector

    Returns
    -------
    ndarray, shape (n_events,)
        Of all events that are found in either, each once. One that only the one shows has in the
        other the height of the largest deflection in its zone.
    """
    in_plain, in_white = detect(plain, margin, detector), detect(white, margin, detector)
    twin = zone_heights(plain, in_white, detector)
    alone = twin < detector.threshold
    before = np.concatenate([np.abs(in_plain.amplitude), twin[alone]])
    after = np.concatenate(
        [zone_heights(white, in_plain, detector), np.abs(in_white.amplitude)[alone]]
    )
    return np.divide(after, before, where=before > 0, out=np.full(len(before), np.inf))


def zone_heights(traces: NDArray[np.float32], events: Events, detector: Detector) -> FloatArray:
    """Return the largest deflection in the zone of each event, shape (n_events,)."""
    reach = np.arange(-detector.exclude_samples, detector.exclude_samples + 1)
    rows = np.clip(events.sample_index[:, None] + reach, 0, len(traces) - 1)
    heights = np.zeros(events.n_events)
    for channels in detector.neighbours.T:
        near = channels[events.channel_index]
        there = np.flatnonzero(near >= 0)
        height = np.abs(traces[rows[there], near[there, None]]).max(axis=1, initial=0)
        heights[there] = np.maximum(heights[there], height)
    return heights
