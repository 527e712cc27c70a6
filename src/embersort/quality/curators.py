"""Measures that curators look at, computed from a finished result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from embersort.spike_pairs import REFRACTORY_MS
from embersort.types import FloatArray, IntArray, Sorting

VIOLATION_MS = REFRACTORY_MS
"""Shorter intervals are violations; ratio of Hill et al. 2011, J. Neurosci. 31:8699."""
N_BINS = 100
SMOOTH_BINS = 2.0
MIN_SPIKES = 50
"""A unit with fewer spikes has no histogram to speak of."""
MAX_COMPARED = 500
"""Spikes of each of two units that are compared in the embedding."""
SHRINKAGE = 0.1
"""Share of the mean variance added to the within-unit covariance before it is inverted."""


def isi_violations_ratio(sorting: Sorting) -> NDArray[np.float64]:
    """Return the rate of refractory violations over the rate of each unit, shape (n_units,).

    Hill et al. 2011 with no censored period, as SpikeInterface's ``isi_violations_ratio``: rate of
    violations over the unit's rate. 0 is clean; spikes at random give 0.5. NaN for a unit with
    fewer than two spikes. Cost O(n_spikes).
    """
    reach = VIOLATION_MS * 1e-3
    ratio = np.full(sorting.n_units, np.nan)
    for unit, train in enumerate(sorting.trains()):
        if len(train) > 1:
            n_short = int((np.diff(train) < reach * sorting.sampling_rate_hz).sum())
            ratio[unit] = n_short * sorting.duration_s / (2 * reach * len(train) ** 2)
    return ratio


def amplitude_cutoff(heights: FloatArray) -> tuple[float, float]:
    """Estimate which share of a unit's spikes is missed below the detection threshold.

    The histogram of heights is taken to be symmetric round its mode: what stands above the mode
    beyond the mirror image of the lowest height is missed below (Hill et al. 2011, fig. 6).

    Parameters
    ----------
    heights : ndarray, shape (n_spikes,)
        Positive.

    Returns
    -------
    missed : float
        Between 0 and 0.5; NaN with fewer than 50 spikes.
    mode : float
        The commonest height.
    """
    heights = heights[np.isfinite(heights)]
    if len(heights) < MIN_SPIKES or np.ptp(heights) == 0:
        return float("nan"), float("nan")
    counts, edges = np.histogram(heights, N_BINS)
    density = gaussian_filter1d(counts.astype(np.float64), SMOOTH_BINS, mode="nearest")
    peak = int(density.argmax())
    mode = float((edges[peak] + edges[peak + 1]) / 2)
    above = density[peak:]
    mirror = peak + int(np.abs(above - density[0]).argmin())
    return min(0.5, float(density[mirror:].sum() / density.sum())), mode


def amplitude_cutoffs(heights: FloatArray, spikes: list[IntArray]) -> NDArray[np.float64]:
    """Return the missed share of each unit, shape (n_units,); see `amplitude_cutoff`."""
    return np.array([amplitude_cutoff(np.abs(heights[at]))[0] for at in spikes])


def d_prime(one: FloatArray, other: FloatArray) -> float:
    """Return how far two clouds are apart on the line that parts them best, in their widths.

    Fisher's discriminant; ``|m1 - m2| / sqrt((v1 + v2) / 2)`` along it (Hill et al. 2011).

    Parameters
    ----------
    one, other : ndarray, shape (n_points, n_dims)

    Returns
    -------
    float
        NaN where there is nothing to compare.
    """
    if min(len(one), len(other)) < 3 or one.shape[1] == 0:
        return float("nan")
    one, other = one.astype(np.float64), other.astype(np.float64)
    within = (np.cov(one.T) + np.cov(other.T)).reshape(one.shape[1], one.shape[1]) / 2
    size = max(float(np.trace(within)) / one.shape[1], np.finfo(float).tiny)
    within += SHRINKAGE * size * np.eye(one.shape[1])
    direction = np.linalg.solve(within, one.mean(axis=0) - other.mean(axis=0))
    first, second = one @ direction, other @ direction
    width = np.sqrt((first.var() + second.var()) / 2)
    return float(abs(first.mean() - second.mean()) / width) if width > 0 else float("nan")
