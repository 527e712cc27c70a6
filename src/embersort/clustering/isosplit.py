"""ISO-SPLIT: clusters are what no line can cut, so their number need not be known."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.clustering.isocut import isocut
from embersort.config import IsoSplitConfig
from embersort.types import FloatArray

MAX_ROUNDS = 500
"""A bound on the rounds of comparisons; real data settle in a few dozen."""

TWO_MEANS_ROUNDS = 3
"""Refinements when a parcel is halved; parcels need not be optimal."""


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
    labels = _parcels(points, config.n_parcels, config.parcel_size)
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
def _parcels(x: NDArray[np.float64], n_parcels: int, size: int) -> NDArray[np.int64]:
    """Halve the widest parcel until there are enough, or none is larger than ``size``."""
    n, n_dims = x.shape
    labels = np.zeros(n, np.int64)
    centre = np.zeros((n_parcels, n_dims))
    radius = np.zeros(n_parcels)
    count = np.zeros(n_parcels, np.int64)
    members = np.arange(n)
    first = np.zeros(n_parcels + 1, np.int64)
    count[0] = n
    _measure(x, members, 0, n, centre, radius, 0)
    n_made = 1
    while n_made < n_parcels:
        widest, largest = -1, 0.0
        for p in range(n_made):
            if count[p] > size and radius[p] > largest:
                widest, largest = p, radius[p]
        if widest < 0:
            break
        start, stop = first[widest], first[widest] + count[widest]
        middle = _halve(x, members, start, stop, centre[widest])
        first[n_made], count[n_made] = middle, stop - middle
        count[widest] = middle - start
        _measure(x, members, start, middle, centre, radius, widest)
        _measure(x, members, middle, stop, centre, radius, n_made)
        n_made += 1
    for p in range(n_made):
        for i in range(first[p], first[p] + count[p]):
            labels[members[i]] = p
    return labels


@njit(nogil=True, cache=True)
def _measure(
    x: NDArray[np.float64],
    members: NDArray[np.int64],
    start: int,
    stop: int,
    centre: NDArray[np.float64],
    radius: NDArray[np.float64],
    p: int,
) -> None:
    """Store the mean of a parcel and the distance of its farthest member."""
    centre[p] = 0
    for i in range(start, stop):
        centre[p] += x[members[i]]
    centre[p] /= max(stop - start, 1)
    farthest = 0.0
    for i in range(start, stop):
        farthest = max(farthest, _square_distance(x[members[i]], centre[p]))
    radius[p] = np.sqrt(farthest)


@njit(nogil=True, cache=True)
def _square_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    total = 0.0
    for k in range(len(a)):
        total += (a[k] - b[k]) ** 2
    return total


@njit(nogil=True, cache=True)
def _halve(
    x: NDArray[np.float64],
    members: NDArray[np.int64],
    start: int,
    stop: int,
    centre: NDArray[np.float64],
) -> int:
    """Reorder the members of a parcel so that its two halves follow each other; return the border.

    The halves grow from the member farthest from the centre and the one farthest from that.
    """
    one = _farthest(x, members, start, stop, centre)
    two = _farthest(x, members, start, stop, x[one])
    a, b = x[one].copy(), x[two].copy()
    side = np.zeros(stop - start, np.bool_)
    for _ in range(TWO_MEANS_ROUNDS):
        sum_a, sum_b = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        n_a = 0
        for i in range(start, stop):
            point = x[members[i]]
            near_a = _square_distance(point, a) <= _square_distance(point, b)
            side[i - start] = near_a
            if near_a:
                sum_a += point
                n_a += 1
            else:
                sum_b += point
        if n_a == 0 or n_a == stop - start:
            break
        a, b = sum_a / n_a, sum_b / (stop - start - n_a)
    ordered = np.concatenate((members[start:stop][side], members[start:stop][~side]))
    members[start:stop] = ordered
    middle = start + int(side.sum())
    # Equal points cannot be told apart; any border will do.
    if middle == start or middle == stop:
        middle = (start + stop) // 2
    return middle


@njit(nogil=True, cache=True)
def _farthest(
    x: NDArray[np.float64],
    members: NDArray[np.int64],
    start: int,
    stop: int,
    place: NDArray[np.float64],
) -> int:
    best, index = -1.0, members[start]
    for i in range(start, stop):
        distance = _square_distance(x[members[i]], place)
        if distance > best:
            best, index = distance, members[i]
    return index


@njit(nogil=True, cache=True)
def _compare_all(
    x: NDArray[np.float64], labels: NDArray[np.int64], threshold: float, min_size: int
) -> None:
    """Compare nearest pairs of clusters until none is left that has not been compared."""
    n_clusters = labels.max() + 1
    n_dims = x.shape[1]
    centre = np.zeros((n_clusters, n_dims))
    covariance = np.zeros((n_clusters, n_dims, n_dims))
    count = np.zeros(n_clusters, np.int64)
    for k in range(n_clusters):
        _describe(x, np.flatnonzero(labels == k), centre, covariance, count, k)
    # A pair need not be compared again until one of the two has changed.
    compared = np.zeros((n_clusters, n_clusters), np.bool_)
    for _ in range(MAX_ROUNDS):
        pairs = _nearest_pairs(centre, count, compared)
        if len(pairs) == 0:
            break
        for pair in pairs:
            a, b = pair[0], pair[1]
            if count[a] == 0 or count[b] == 0:
                continue
            compared[a, b] = compared[b, a] = True
            in_a, in_b = np.flatnonzero(labels == a), np.flatnonzero(labels == b)
            moved = _compare_pair(
                x, labels, in_a, in_b, centre, covariance, threshold, min_size, a, b
            )
            if moved:
                _describe(x, np.flatnonzero(labels == a), centre, covariance, count, a)
                _describe(x, np.flatnonzero(labels == b), centre, covariance, count, b)
                compared[a, :] = compared[:, a] = False
                compared[b, :] = compared[:, b] = False
                if count[b] > 0:
                    compared[a, b] = compared[b, a] = True


@njit(nogil=True, cache=True)
def _describe(
    x: NDArray[np.float64],
    members: NDArray[np.int64],
    centre: NDArray[np.float64],
    covariance: NDArray[np.float64],
    count: NDArray[np.int64],
    k: int,
) -> None:
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
            distance = _square_distance(centre[a], centre[b])
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
def _compare_pair(
    x: NDArray[np.float64],
    labels: NDArray[np.int64],
    in_a: NDArray[np.int64],
    in_b: NDArray[np.int64],
    centre: NDArray[np.float64],
    covariance: NDArray[np.float64],
    threshold: float,
    min_size: int,
    a: int,
    b: int,
) -> bool:
    """Join two clusters or share their points out anew; say whether any point has moved."""
    n_a, n_b, n_dims = len(in_a), len(in_b), x.shape[1]
    if n_a < min_size or n_b < min_size:
        labels[in_b] = a
        return True
    pooled = (n_a * covariance[a] + n_b * covariance[b]) / (n_a + n_b)
    mean_variance = np.trace(pooled) / n_dims
    ridge = n_dims / (n_a + n_b)
    for d in range(n_dims):
        pooled[d, d] += ridge * mean_variance + 1e-300
    direction = np.linalg.solve(pooled, centre[b] - centre[a])
    direction /= np.sqrt((direction**2).sum()) + 1e-300
    both = np.concatenate((in_a, in_b))
    projection = np.zeros(len(both))
    for i in range(len(both)):
        for d in range(n_dims):
            projection[i] += x[both[i], d] * direction[d]
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
