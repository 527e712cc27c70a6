"""What can be asked of two sets of spikes: is there a gap, do they keep out of each other's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.correlogram import Coincidence, coincidence
from embersort.clustering.isocut import isocut
from embersort.clustering.neighbourhoods import principal
from embersort.config import MergeConfig
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

TINY_COURSE = 1e-3
"""Variance of a slow function below which it is not trusted to say how features follow it."""

UnitFrame = Callable[[IntArray], FloatArray]
"""From indices of spikes to their features in comparable columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """Spikes with a unit each, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
    sampling_rate_hz : float
    """

    sample_index: IntArray
    unit_index: IntArray
    sampling_rate_hz: float


def coincide(spikes: Labelled, a: IntArray, b: IntArray, config: MergeConfig) -> bool:
    """Say whether two sets fire within a refractory period as often as strangers do.

    Where too few such pairs are to be expected, the correlogram abstains: False.
    """
    pairs = _refractory_pairs(spikes, a, b, config.censored_ms, config)
    enough = pairs.n_expected >= config.min_expected
    return enough and pairs.n_seen > config.max_coincidence * pairs.n_expected


def exclude(spikes: Labelled, a: IntArray, b: IntArray, config: MergeConfig) -> bool:
    """Say whether two sets keep each other's refractory period, as one neuron's spikes do.

    Where too few pairs are to be expected, nothing is proven: False.
    """
    pairs = _refractory_pairs(spikes, a, b, config.half_censored_ms, config)
    enough = pairs.n_expected >= config.min_expected
    return enough and pairs.n_seen <= config.max_half_coincidence * pairs.n_expected


def _refractory_pairs(
    spikes: Labelled, a: IntArray, b: IntArray, censored_ms: float, config: MergeConfig
) -> Coincidence:
    """Count the pairs of two sets that are nearer than a refractory period, not censored."""
    fs = spikes.sampling_rate_hz
    return coincidence(
        spikes.sample_index[a],
        spikes.sample_index[b],
        ms_to_samples(censored_ms, fs),
        ms_to_samples(config.refractory_ms, fs),
    )


def projection_dip(
    frame: UnitFrame, a: IntArray, b: IntArray, n_dims: int, slow: FloatArray | None = None
) -> float:
    """Return the dip of two sets of spikes on the line that separates them best.

    Parameters
    ----------
    frame : callable
        Gives features of any set of spikes of neighbouring parts, in comparable columns.
    a, b : ndarray, int64
        Indices of the spikes of each set.
    n_dims : int
        Principal dimensions in which the line is sought.
    slow : ndarray, shape (n_spikes, n_slow), optional
        Slow functions of the time of all spikes, to be taken out first.
    """
    both = np.concatenate([a, b])
    points = principal(frame(both), n_dims)
    return dip_between(points, len(a), None if slow is None else slow[both])


def dip_between(points: NDArray[np.float64], n_first: int, slow: FloatArray | None = None) -> float:
    """Return the dip of two sets of points on the line that separates them best.

    Parameters
    ----------
    points : ndarray, shape (n, n_dims), float64
        In the principal dimensions of both sets together.
    n_first : int
        Points of the first set, which come first.
    slow : ndarray, shape (n, n_slow), optional
        Slow functions of the points' times. What follows them in both sets alike is taken out
        first: two neurons that drift side by side would hide the gap between them.

    Notes
    -----
    The line is Fisher's (1936); its covariance is shrunk towards a multiple of the identity as far
    as few points require. Spikes that have no column in common, on channels too far apart, cannot
    be compared: their dip is infinite.
    """
    if points.shape[1] == 0:
        return np.inf
    if slow is not None:
        points = _at_rest(points, slow, n_first)
    first, second = points[:n_first], points[n_first:]
    spread = _about_their_means(points, n_first)
    pooled = spread.T @ spread / len(points)
    width = pooled.shape[0]
    shrink = width / len(points) * np.trace(pooled) / width + np.finfo(float).tiny
    direction = np.linalg.solve(pooled + shrink * np.eye(width), second.mean(0) - first.mean(0))
    return isocut(points @ direction)[0]


def _at_rest(points: NDArray[np.float64], slow: FloatArray, n_a: int) -> NDArray[np.float64]:
    """Return points less what follows slow functions of time within both sets alike."""
    course = _about_their_means(slow, n_a)
    ridge = TINY_COURSE * len(course) * np.eye(course.shape[1])
    slope = np.linalg.solve(course.T @ course + ridge, course.T @ _about_their_means(points, n_a))
    return np.asarray(points - slow @ slope, np.float64)


def _about_their_means(points: FloatArray, n_a: int) -> FloatArray:
    """Return the points of two sets, the first of ``n_a``, each less the mean of its own."""
    in_a, in_b = points[:n_a], points[n_a:]
    return np.concatenate([in_a - in_a.mean(axis=0), in_b - in_b.mean(axis=0)])
