"""ISO-SPLIT: clusters are what no line can cut, so their number need not be known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.clustering.isocut import isocut
from embersort.clustering.parcels import parcels, square_distance
from embersort.config import IsoSplitConfig
from embersort.types import FloatArray

N_PARCELS = 200
"""Parcels to start from. As in the ISO-SPLIT of MountainSort 5."""

PARCEL_SIZE = 10
"""Parcels of this size are not halved further. As in the ISO-SPLIT of MountainSort 5."""

MAX_ROUNDS = 500
"""A bound on the rounds of comparisons; real data settle in a few dozen."""

TINY = 1e-300
"""Keeps clusters of equal points from a division by zero."""


class _Clusters(NamedTuple):
    """What the comparisons need to know of each cluster; kept up to date in place.

    Attributes
    ----------
    centre : ndarray, shape (n_clusters, n_dims), float64
    covariance : ndarray, shape (n_clusters, n_dims, n_dims), float64
    n_members : ndarray, shape (n_clusters,), int64
        0 once a cluster has joined another.
    """

    centre: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_members: NDArray[np.int64]


def isosplit(features: FloatArray, config: IsoSplitConfig) -> NDArray[np.int64]:
    """Cluster points without being told how many clusters there are.

    Parameters
    ----------
    features : ndarray, shape (n, n_dims)
        At most about ten dimensions: the test looks along lines between cluster centres.
    config : IsoSplitConfig

    Returns
    -------
    ndarray, shape (n,), int64
        Cluster of each point, 0 … n_clusters - 1 in order of first appearance.

    Notes
    -----
    Magland and Barnett 2015 (arXiv:1508.04841): many small parcels; the nearest pairs are projected
    on the line between their centres, whitened by their pooled covariance, and joined if the
    projection is unimodal or else redistributed at its cut, until no pair is left to compare.
    Unlike theirs, parcels are made deterministically, by halving the widest one. About
    O(n · (n_dims · n_parcels + log n)).
    """
    points = np.ascontiguousarray(features, dtype=np.float64)
    if len(points) == 0:
        return np.zeros(0, np.int64)
    labels = parcels(points, N_PARCELS, PARCEL_SIZE)
    _compare_all(points, labels, config.dip_threshold, config.min_cluster_size)
    return _by_first_appearance(labels)


@njit(nogil=True, cache=True)
def _by_first_appearance(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    names = np.full(labels.max() + 1, -1, np.int64)
    renamed = np.empty_like(labels)
    n = 0
    for i in range(len(labels)):
        if names[labels[i]] < 0:
            names[labels[i]] = n
            n += 1
        renamed[i] = names[labels[i]]
    return renamed


@njit(nogil=True, cache=True)
def _compare_all(
    x: NDArray[np.float64], labels: NDArray[np.int64], threshold: float, min_size: int
) -> None:
    """Compare nearest pairs of clusters until none is left that has not been compared."""
    n_clusters = labels.max() + 1
    n_dims = x.shape[1]
    clusters = _Clusters(
        np.zeros((n_clusters, n_dims)),
        np.zeros((n_clusters, n_dims, n_dims)),
        np.zeros(n_clusters, np.int64),
    )
    count = clusters.n_members
    for k in range(n_clusters):
        _describe(x, np.flatnonzero(labels == k), clusters, k)
    # A pair need not be compared again until one of the two has changed.
    compared = np.zeros((n_clusters, n_clusters), np.bool_)
    for _ in range(MAX_ROUNDS):
        pairs = _nearest_pairs(clusters.centre, count, compared)
        if len(pairs) == 0:
            break
        for pair in pairs:
            a, b = pair[0], pair[1]
            if count[a] == 0 or count[b] == 0:
                continue
            compared[a, b] = compared[b, a] = True
            if min(count[a], count[b]) < min_size:
                labels[labels == b] = a
                moved = True
            else:
                moved = _share_out(x, labels, clusters, a, b, threshold)
            if moved:
                _describe(x, np.flatnonzero(labels == a), clusters, a)
                _describe(x, np.flatnonzero(labels == b), clusters, b)
                compared[a, :] = compared[:, a] = False
                compared[b, :] = compared[:, b] = False
                if count[b] > 0:
                    compared[a, b] = compared[b, a] = True


@njit(nogil=True, cache=True)
def _describe(
    x: NDArray[np.float64], members: NDArray[np.int64], clusters: _Clusters, k: int
) -> None:
    centre, covariance, count = clusters.centre, clusters.covariance, clusters.n_members
    n, n_dims = len(members), x.shape[1]
    count[k] = n
    centre[k] = 0
    covariance[k] = 0
    if n == 0:
        return
    for i in members:
        centre[k] += x[i]
    centre[k] /= n
    for i in members:
        for d in range(n_dims):
            for e in range(d + 1):
                covariance[k, d, e] += (x[i, d] - centre[k, d]) * (x[i, e] - centre[k, e])
    for d in range(n_dims):
        for e in range(d + 1):
            covariance[k, d, e] /= n
            covariance[k, e, d] = covariance[k, d, e]


@njit(nogil=True, cache=True)
def _nearest_pairs(
    centre: NDArray[np.float64], count: NDArray[np.int64], compared: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return pairs of clusters that are each other's nearest among those not yet compared."""
    n = len(centre)
    nearest = np.full(n, -1, np.int64)
    for a in range(n):
        best = np.inf
        if count[a] == 0:
            continue
        for b in range(n):
            if b == a or count[b] == 0 or compared[a, b]:
                continue
            distance = square_distance(centre[a], centre[b])
            if distance < best:
                best, nearest[a] = distance, b
    pairs = np.empty((n, 2), np.int64)
    n_pairs = 0
    for a in range(n):
        b = nearest[a]
        if b > a and nearest[b] == a:
            pairs[n_pairs, 0], pairs[n_pairs, 1] = a, b
            n_pairs += 1
    return pairs[:n_pairs]


@njit(nogil=True, cache=True)
def _share_out(
    x: NDArray[np.float64],
    labels: NDArray[np.int64],
    clusters: _Clusters,
    a: int,
    b: int,
    threshold: float,
) -> bool:
    """Join two clusters or share their points out anew; say whether any point has moved."""
    in_a, in_b = np.flatnonzero(labels == a), np.flatnonzero(labels == b)
    both = np.concatenate((in_a, in_b))
    projection = _project(x, both, clusters, a, b)
    dip, cut = isocut(projection)
    if dip < threshold:
        labels[in_b] = a
        return True
    moved = False
    for i in range(len(both)):
        new = a if projection[i] < cut else b
        if labels[both[i]] != new:
            labels[both[i]] = new
            moved = True
    return moved


@njit(nogil=True, cache=True)
def _project(
    x: NDArray[np.float64], points: NDArray[np.int64], clusters: _Clusters, a: int, b: int
) -> NDArray[np.float64]:
    """Return the places of points on the line on which two clusters are farthest apart."""
    n_dims = x.shape[1]
    n_a, n_b = clusters.n_members[a], clusters.n_members[b]
    pooled = (n_a * clusters.covariance[a] + n_b * clusters.covariance[b]) / (n_a + n_b)
    mean_variance = np.trace(pooled) / n_dims
    ridge = n_dims / (n_a + n_b)
    for d in range(n_dims):
        pooled[d, d] += ridge * mean_variance + TINY
    direction = np.linalg.solve(pooled, clusters.centre[b] - clusters.centre[a])
    direction /= np.sqrt((direction**2).sum()) + TINY
    projection = np.zeros(len(points))
    for i in range(len(points)):
        for d in range(n_dims):
            projection[i] += x[points[i], d] * direction[d]
    return projection
