"""Clustering of a whole probe: one neighbourhood of channels after the other.

A unit's events peak on a few neighbouring channels, at random where two are about equally near. So
a neighbourhood is clustered with all events that peak near its central channel and have no cluster
yet, and keeps those of its clusters that peak most often on the central channel itself; the others
are left to a neighbour. The busiest channels come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.gaps import N_DIMS, N_SLOW, principal_coordinates, slow_cosines
from embersort.clustering.isosplit import isosplit
from embersort.clustering.mixture import fit_mixture
from embersort.clustering.time_merge import merge_across_time
from embersort.config import ClusterConfig
from embersort.types import UNASSIGNED, FloatArray, Geometry, IntArray

SLOW_SCALE = 3.0
"""Height of the slow cosines of time, in units of the noise. Chosen on the development recordings,
2026-11-22."""

MAX_SEEN = 2000
"""Events that say what clusters there are; the others follow their nearest. Chosen on the
development recordings, 2026-11-23."""

MAX_EVENTS = 100_000
"""Of more events in one neighbourhood only this many, evenly spread in time, are clustered: a bound
on memory."""

N_MIXTURE_COMPONENTS = 16
"""Components that a mixture of normal distributions starts from. Chosen on the development
recordings, 2026-11-23."""

MIXTURE_MAX_SEEN = 8000
"""Spikes to which a mixture is fitted, at most. Chosen on the development recordings,
2026-11-23."""

ROWS_AT_ONCE = 4096
"""Points whose distances to others are held at one time."""

FeatureView = Callable[[IntArray], FloatArray]
"""From indices of events to their features in comparable columns."""

IsMultiUnit = Callable[[IntArray], bool]
"""From indices of events, in order of time, to whether they are several neurons' for sure."""


def cluster_probe(
    channel_index: IntArray,
    geometry: Geometry,
    feature_views: Sequence[FeatureView],
    when: FloatArray,
    config: ClusterConfig,
    progress: Callable[[int], None] | None = None,
    is_multi_unit: IsMultiUnit | None = None,
) -> NDArray[np.int64]:
    """Cluster the events of a whole probe.

    Parameters
    ----------
    channel_index : ndarray, shape (n_events,), int64
        Peak channel of each event; events are in order of time.
    geometry : Geometry
    feature_views : sequence of callable
        Each gives features of any set of nearby events, in comparable columns; see `split`.
    when : ndarray, shape (n_events,)
        Time of each event as a share of the recording.
    config : ClusterConfig
    progress : callable, optional
        Called with the number of channels done since the last call.
    is_multi_unit : callable, optional
        See `split`.

    Returns
    -------
    ndarray, shape (n_events,), int64
        Cluster of each event, or `UNASSIGNED`.
    """
    labels = np.full(len(channel_index), UNASSIGNED, np.int64)
    # Where all happens at one time, time has no say.
    timed = bool(np.any(when != when[:1]))
    near = geometry.neighbours(config.radius_um)
    counts = np.bincount(channel_index, minlength=geometry.n_channels)
    busiest_first = np.argsort(-counts, kind="stable")
    n_clusters = 0
    waiting = np.ones(len(channel_index), bool)
    # What no neighbourhood wanted is clustered once more where it lies, and then kept.
    for keep_all in (False, True):
        for channel in busiest_first:
            here = np.isin(channel_index, near[channel][near[channel] >= 0])
            there = np.flatnonzero(here & waiting)
            events = _thin(there, MAX_EVENTS)
            # Those that are too many are left out for good.
            waiting[np.setdiff1d(there, events)] = False
            if len(events) < config.isosplit.min_cluster_size:
                continue
            views = [view(events) for view in feature_views]
            found = split(
                views, config, when[events] if timed else None, _within(is_multi_unit, events)
            )
            for members in found:
                peaks = channel_index[events[members]]
                most_common = np.bincount(peaks).argmax()
                if keep_all or most_common == channel:
                    labels[events[members]] = n_clusters
                    waiting[events[members]] = False
                    n_clusters += 1
            if progress is not None and not keep_all:
                progress(1)
    return labels


def split(
    views: Sequence[FloatArray],
    config: ClusterConfig,
    when: FloatArray | None = None,
    is_multi_unit: IsMultiUnit | None = None,
) -> list[IntArray]:
    """Split a set of events until no part falls apart any further, however it is looked at.

    Parameters
    ----------
    views : sequence of ndarray, shape (n_events, n_columns)
        Features of the same events in several views. What one holds together another may part,
        and parts of one neuron are easier joined later than neurons parted.
    config : ClusterConfig
    when : ndarray, shape (n_events,), optional
        Time of each event as a share of the recording, ascending, where the whole course of time is
        to be seen beside the first frame before anything else is tried.
    is_multi_unit : callable, optional
        Says of some of the events whether they are several neurons'. Those that are, though no gap
        parts them, are split by a mixture of normal distributions in the first look.

    Returns
    -------
    list of ndarray, int64
        Indices of the members of each cluster with at least ``min_cluster_size`` of them. Each
        part is looked at in its own principal dimensions, where smaller differences show.
    """
    pending = [np.arange(len(views[0]))]
    clusters = []
    while pending:
        members = pending.pop()
        if len(members) < config.isosplit.min_cluster_size:
            continue
        parts = _parts(views, members, config, when)
        if len(parts) == 1 and is_multi_unit is not None and is_multi_unit(members):
            parts = _split_by_mixture(views[0], members)
        if len(parts) == 1:
            clusters.append(members)
        else:
            pending.extend(parts)
    return clusters


def _parts(
    views: Sequence[FloatArray], members: IntArray, config: ClusterConfig, when: FloatArray | None
) -> list[IntArray]:
    """Return the parts that some events fall into in the first look that parts them."""
    if when is not None:
        points = principal_coordinates(views[0][members], N_DIMS)
        labels = _clusters_in_time(points, when[members], config)
        if labels.max() > 0:
            return _by_label(members, labels)
    for view in views:
        labels = _clusters(principal_coordinates(view[members], N_DIMS), config)
        if labels.max() > 0:
            return _by_label(members, labels)
    return [members]


def _split_by_mixture(view: FloatArray, members: IntArray) -> list[IntArray]:
    """Return the parts of events of several neurons that are too near each other for a gap."""
    points = principal_coordinates(view[members], N_DIMS)
    seen = _thin(np.arange(len(points)), MIXTURE_MAX_SEEN)
    mixture = fit_mixture(points[seen], N_MIXTURE_COMPONENTS)
    return _by_label(members, mixture.most_likely(points))


def _within(is_multi_unit: IsMultiUnit | None, events: IntArray) -> IsMultiUnit | None:
    """Return the same test for indices into some events."""
    return None if is_multi_unit is None else lambda members: is_multi_unit(events[members])


def _by_label(members: IntArray, labels: IntArray) -> list[IntArray]:
    return [members[labels == label] for label in range(labels.max() + 1)]


def _clusters_in_time(
    points: NDArray[np.float64], when: FloatArray, config: ClusterConfig
) -> NDArray[np.int64]:
    """Return clusters told apart by features and slow time, less those that time alone parts."""
    in_time = np.concatenate([points, slow_columns(when)], axis=1)
    labels = _clusters(in_time, config)
    return merge_across_time(points, when, labels, config) if labels.max() > 0 else labels


def _clusters(points: FloatArray, config: ClusterConfig) -> NDArray[np.int64]:
    """Return the cluster of each point; of many points, an even choice says what clusters are.

    The more points, the smaller the dents in a cloud that count as gaps, down to those that jitter
    and overlaps of spikes leave in every neuron's. A fixed number at most makes the clustering of
    an hour that of a minute.
    """
    seen = _thin(np.arange(len(points)), MAX_SEEN)
    labels = isosplit(points[seen], config.isosplit)
    if labels.max() == 0:
        return np.zeros(len(points), np.int64)
    return labels if len(seen) == len(points) else labels[_nearest(points, points[seen])]


def _nearest(points: FloatArray, among: FloatArray) -> NDArray[np.int64]:
    """Return for each point the index of the nearest of some others."""
    half_square = 0.5 * np.square(among).sum(axis=1)
    nearest = np.empty(len(points), np.int64)
    for first in range(0, len(points), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        nearest[rows] = np.argmax(points[rows] @ among.T - half_square, axis=1)
    return nearest


def slow_columns(when: FloatArray) -> NDArray[np.float64]:
    """Return slow cosines of time, shape (n_events, n_slow).

    Side by side with features they part neurons that drift into each other's place at different
    times: their courses are separate lines in features and time, though one cloud in features.
    Cosines of evenly spread times pile up at their ends, so that a busy neuron may be cut into a
    few stretches of time, which `merge_across_time` joins again.
    """
    return SLOW_SCALE * slow_cosines(when, N_SLOW)


def _thin(events: IntArray, most: int) -> IntArray:
    """Return at most ``most`` events, evenly spread."""
    if len(events) <= most:
        return events
    return events[np.linspace(0, len(events) - 1, most).round().astype(np.int64)]
