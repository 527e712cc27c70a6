"""Rare neurons: a few events of one shape, far from all others, inside a large cluster.

ISO-SPLIT looks along axes of large variance, and a dozen events among hundreds have little. Seen
from each cluster's own spread, they lie outside; and unlike collisions and noise, which lie
outside each in its own direction, they lie together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.core_spread import TINY, chi_square_quantile, core_whitening
from embersort.clustering.neighbourhoods import FeatureView
from embersort.spread import spread_places
from embersort.types import Geometry, IntArray

MIN_EVENTS = 8
"""Fewer that lie together may do so by chance; matching finds the rest of a neuron's spikes."""

MIN_SEPARATION = 6.0
"""Standard deviations from the nearest cluster: half-way, noise takes one event in 700 across."""

OUTSIDE = 0.975
"""Events farther from their cluster than this share of its own are outside."""

TOGETHER = 0.95
"""Two events of one neuron are nearer to each other than this share of such pairs."""

BELONGS = 0.999
"""An event belongs to a group if this share of the group's own would be as near, and no cluster
is nearer."""

MIN_CORE = 30
"""With fewer events a cluster has no spread of its own."""

MOST_OUTSIDE, MOST_EVENTS = 1500, 20_000
"""So many events are looked at in one neighbourhood, evenly spread in time."""

MOST_OF_CLUSTER = 600
"""So many events of a cluster, evenly spread in time, say how its events spread."""

ROUNDS = 4
"""In which a group's members are found; groups settle in two or three."""


def with_rare_clusters(
    labels: IntArray,
    channel_index: IntArray,
    geometry: Geometry,
    view: FeatureView,
    radius_um: float,
) -> NDArray[np.int64]:
    """Make clusters of their own of rare events that lie together outside of all clusters.

    Parameters
    ----------
    labels : ndarray, shape (n_events,), int64
        Cluster of each event, or `UNASSIGNED`; events are in order of time.
    channel_index : ndarray, shape (n_events,), int64
        Peak channel of each.
    geometry : Geometry
    view : callable
        Features of any set of nearby events, in comparable columns.
    radius_um : float
        Events that peak this near to a channel are looked at together.

    Returns
    -------
    ndarray, shape (n_events,), int64
        With new clusters after the old ones.
    """
    labels = np.array(labels, np.int64)
    near = geometry.neighbours(radius_um)
    for channel in range(geometry.n_channels):
        here = np.flatnonzero(np.isin(channel_index, near[channel][near[channel] >= 0]))
        if len(here) < MIN_CORE:
            continue
        events = here[spread_places(len(here), MOST_EVENTS)]
        seen = _seen_from_clusters(np.asarray(view(events), np.float64), labels[events])
        if seen is None:
            continue
        for members in _groups(seen):
            group = events[members]
            if np.bincount(channel_index[group]).argmax() == channel:
                labels[group] = labels.max() + 1
    # A cluster all of whose events are in groups is none any more.
    left, renamed = np.unique(labels, return_inverse=True)
    return renamed - int(np.searchsorted(left, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """Events in units of how clusters spread, which is the same in all directions.

    Attributes
    ----------
    points : ndarray, shape (n_events, n_columns)
    centres : ndarray, shape (n_clusters, n_columns)
    square : ndarray, shape (n_events,)
        Squared distance to the nearest centre.
    """

    points: NDArray[np.float64]
    centres: NDArray[np.float64]
    square: NDArray[np.float64]


def _seen_from_clusters(columns: NDArray[np.float64], labels: IntArray) -> _Seen | None:
    """Return the events as seen from their clusters; None where none has a spread of its own."""
    counts = np.bincount(labels[labels >= 0]) if (labels >= 0).any() else np.zeros(0, np.int64)
    clusters = np.flatnonzero(counts >= MIN_CORE)
    n_columns = columns.shape[1]
    if len(columns) < 4 * n_columns or not len(clusters):
        return None
    members = [np.flatnonzero(labels == cluster) for cluster in clusters]
    centres = np.array([np.median(columns[rows], axis=0) for rows in members])
    away = [
        columns[rows[spread_places(len(rows), MOST_OF_CLUSTER)]] - centre
        for rows, centre in zip(members, centres, strict=True)
    ]
    turn = core_whitening(away)
    if turn is None:
        return None
    points, centres = columns @ turn, centres @ turn
    square = _squares(points, centres).min(axis=1)
    # The core spreads less than the whole: the median event is to be as far off as a normal one.
    scale = float(np.median(square) / chi_square_quantile(0.5, n_columns))
    root = np.sqrt(max(scale, TINY))
    return _Seen(points=points / root, centres=centres / root, square=square / root**2)


def _squares(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return squared distances, shape (n_points, n_others)."""
    mixed = np.square(points).sum(axis=1)[:, None] - 2 * points @ others.T
    return np.maximum(mixed + np.square(others).sum(axis=1), 0)


def _groups(seen: _Seen) -> list[IntArray]:
    """Return the groups of events that lie together and far from every cluster."""
    n_columns = seen.points.shape[1]
    outside = np.flatnonzero(seen.square > chi_square_quantile(OUTSIDE, n_columns))
    outside = outside[spread_places(len(outside), MOST_OUTSIDE)]
    pairs = _squares(seen.points[outside], seen.points[outside])
    together = pairs < 2 * chi_square_quantile(TOGETHER, n_columns)
    free = np.ones(len(outside), bool)
    taken = np.zeros(len(seen.points), bool)
    groups = []
    while free.any():
        n_near = (together[:, free].sum(axis=1)) * free
        seed = int(n_near.argmax())
        if n_near[seed] < MIN_EVENTS:
            break
        first = free & together[seed]
        free &= ~first
        members = _settle(seen, outside[first])
        if members is not None and not taken[members].any():
            taken[members] = True
            groups.append(members)
    return groups


def _settle(seen: _Seen, members: IntArray) -> IntArray | None:
    """Return the events of a group that starts from some; None if it is no rare neuron's."""
    n_columns = seen.points.shape[1]
    for _ in range(ROUNDS):
        n = len(members)
        centre = seen.points[members].mean(axis=0)
        square = np.square(seen.points - centre).sum(axis=1)
        # A member is nearer to its own mean than it would be to that of the others.
        square[members] *= (n / (n - 1)) ** 2
        own = square < (1 + 1 / n) * chi_square_quantile(BELONGS, n_columns)
        found = np.flatnonzero(own & (square < seen.square))
        if len(found) < MIN_EVENTS:
            return None
        if np.array_equal(found, members):
            break
        members = found
    centre = seen.points[members].mean(axis=0)
    apart = _squares(centre[None], seen.centres).min()
    # The mean of a few lies as far off by chance as this.
    apart -= n_columns / len(members)
    return members if apart >= MIN_SEPARATION**2 else None
