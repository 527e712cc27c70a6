"""Is there a gap between two sets of points, on the line that separates them best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.isocut import isocut
from embersort.types import FloatArray

N_DIMS = 10
"""Principal dimensions in which a set of spikes is clustered, and two sets are compared. Chosen on
the development recordings, 2026-11-22."""

N_SLOW = 3
"""Slow cosines of time that stand for what drifts. Chosen on the development recordings,
2026-11-22."""

SMALLEST_VARIANCE = 1e-9
"""Far below that of any feature in units of the noise; sets of equal points have none."""

TREND_RIDGE = 1e-3
"""Variance of a slow function below which it is not trusted to say how features follow it."""


def principal_coordinates(frame: FloatArray, n_dims: int) -> NDArray[np.float64]:
    """Return the coordinates along the principal axes of largest variance, O(n · n_columns²)."""
    centred = np.asarray(frame, np.float64) - frame.mean(axis=0, dtype=np.float64)
    n_dims = min(n_dims, centred.shape[1])
    if n_dims == centred.shape[1]:
        return centred
    vectors = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :n_dims]
    return centred @ vectors


def dip_between(points: NDArray[np.float64], n_a: int) -> float:
    """Return the dip of two sets of points, the first of ``n_a``, on the line of `fisher_line`."""
    return isocut(fisher_line(points, n_a))[0]


def fisher_line(points: NDArray[np.float64], n_a: int) -> NDArray[np.float64]:
    """Return the places of two sets of points on Fisher's line (1936), the first of ``n_a``.

    In units of their spread about their own means on that line, which is shrunk towards a multiple
    of the identity as far as few points require.
    """
    in_a, in_b = points[:n_a], points[n_a:]
    spread = about_their_means(points, n_a)
    pooled = spread.T @ spread / len(points)
    width = pooled.shape[0]
    pooled += (np.trace(pooled) / len(points) + SMALLEST_VARIANCE) * np.eye(width)
    direction = np.linalg.solve(pooled, in_b.mean(0) - in_a.mean(0))
    length = np.sqrt(direction @ pooled @ direction)
    return points @ (direction / max(length, np.finfo(float).tiny))


def without_common_trend(
    points: NDArray[np.float64], slow: FloatArray, n_a: int
) -> NDArray[np.float64]:
    """Return points less what follows slow functions of time within both sets alike."""
    trend = about_their_means(slow, n_a)
    ridge = TREND_RIDGE * len(trend) * np.eye(trend.shape[1])
    slope = np.linalg.solve(trend.T @ trend + ridge, trend.T @ about_their_means(points, n_a))
    return np.asarray(points - slow @ slope, np.float64)


def slow_cosines(when: FloatArray, n: int) -> NDArray[np.float64]:
    """Return the slowest ``n`` cosines on the interval from 0 to 1, shape (n_events, n)."""
    return np.cos(np.asarray(when, np.float64)[:, None] * np.arange(1, n + 1) * np.pi)


def about_their_means(points: FloatArray, n_a: int) -> FloatArray:
    """Return the points of two sets, the first of ``n_a``, each less the mean of its own."""
    in_a, in_b = points[:n_a], points[n_a:]
    return np.concatenate([in_a - in_a.mean(axis=0), in_b - in_b.mean(axis=0)])
