"""The many small parcels from which ISO-SPLIT starts, made without chance."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

TWO_MEANS_ROUNDS = 3
"""Refinements when a parcel is halved; parcels need not be optimal."""


@njit(nogil=True, cache=True)
def parcels(x: NDArray[np.float64], n_parcels: int, size: int) -> NDArray[np.int64]:
    """Halve the widest parcel until there are enough, or none is larger than ``size``.

    Returns
    -------
    ndarray, shape (n,), int64
        Parcel of each point; O(n · n_dims · log n_parcels) where parcels are about equal.
    """
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
        farthest = max(farthest, square_distance(x[members[i]], centre[p]))
    radius[p] = np.sqrt(farthest)


@njit(nogil=True, cache=True)
def square_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the squared Euclidean distance of two points."""
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
            near_a = square_distance(point, a) <= square_distance(point, b)
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
    if middle in (start, stop):
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
        distance = square_distance(x[members[i]], place)
        if distance > best:
            best, index = distance, members[i]
    return index
