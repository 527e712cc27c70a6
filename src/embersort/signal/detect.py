"""Troughs that stand out from the noise, each once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import DetectConfig
from embersort.types import Events, Geometry
from embersort.units import ms_to_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Detector:
    """What detection needs to know of a recording.

    Attributes
    ----------
    threshold : float
        Least depth of a trough, in units of the noise.
    exclude_samples : int
        Half width in time of the zone that a trough rules.
    neighbours : ndarray, shape (n_channels, n_near), int64
        The zone in space; padded with -1.
    """

    threshold: float
    exclude_samples: int
    neighbours: NDArray[np.int64]


def make_detector(geometry: Geometry, sampling_rate_hz: float, config: DetectConfig) -> Detector:
    """Return the detector for a probe and sampling rate."""
    return Detector(
        threshold=config.threshold,
        exclude_samples=max(1, ms_to_samples(config.exclude_ms, sampling_rate_hz)),
        neighbours=geometry.neighbours(config.exclude_um),
    )


def detect(white: NDArray[np.float32], margin: int, detector: Detector) -> Events:
    """Find the troughs below the threshold that are the deepest of their zone.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
        White traces of unit noise.
    margin : int
        Samples at either end in which troughs rule others but are not reported; at least
        ``exclude_samples``, so that neighbouring tiles agree.
    detector : Detector

    Returns
    -------
    Events
        Sample indices count from the start of ``white``. Of equally deep troughs the earlier, then
        the one on the lower channel, rules.

    Notes
    -----
    O(n_samples · n_channels), plus the zone's size for each sample below the threshold.
    """
    sample, channel, depth = _troughs(
        white,
        margin,
        np.float32(detector.threshold),
        detector.exclude_samples,
        detector.neighbours,
    )
    return Events(sample_index=sample, channel_index=channel, amplitude=depth)


@njit(nogil=True, cache=True)
def _troughs(
    x: NDArray[np.float32],
    margin: int,
    threshold: np.float32,
    reach: int,
    neighbours: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    n_samples, n_channels = x.shape
    samples, channels = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    depths = [np.float32(0) for _ in range(0)]
    for t in range(margin, n_samples - margin):
        lowest = np.float32(0)
        for c in range(n_channels):
            lowest = min(lowest, x[t, c])
        if lowest > -threshold:
            continue
        for c in range(n_channels):
            if x[t, c] <= -threshold and _rules(x, t, c, reach, neighbours[c]):
                samples.append(np.int64(t))
                channels.append(np.int64(c))
                depths.append(x[t, c])
    return np.array(samples), np.array(channels), np.array(depths)


@njit(nogil=True, cache=True)
def _rules(x: NDArray[np.float32], t: int, c: int, reach: int, near: NDArray[np.int64]) -> bool:
    """Say whether no sample of the zone is deeper; the earlier, then the lower channel wins."""
    depth = x[t, c]
    for other in near:
        if other < 0:
            break
        for s in range(max(0, t - reach), min(len(x), t + reach + 1)):
            value = x[s, other]
            if value < depth:
                return False
            if value == depth and (s < t or (s == t and other < c)):
                return False
    return True
