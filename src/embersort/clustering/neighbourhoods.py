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

from embersort.clustering.isosplit import isosplit
from embersort.config import ClusterConfig
from embersort.types import UNASSIGNED, FloatArray, Geometry, IntArray

CommonFrame = Callable[[IntArray], FloatArray]
"""From indices of events to their features in comparable columns."""


def cluster_probe(
    channel_index: IntArray,
    geometry: Geometry,
    frames: Sequence[CommonFrame],
    when: FloatArray,
    config: ClusterConfig,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int64]:
    """Cluster the events of a whole probe.

    Parameters
    ----------
    channel_index : ndarray, shape (n_events,), int64
        Peak channel of each event; events are in order of time.
    geometry : Geometry
    frames : sequence of callable
        Each gives features of any set of nearby events, in comparable columns; see `split`.
    when : ndarray, shape (n_events,)
        Time of each event as a share of the recording.
    config : ClusterConfig
    progress : callable, optional
        Called with the number of channels done since the last call.

    Returns
    -------
    ndarray, shape (n_events,), int64
        Cluster of each event, or `UNASSIGNED`.
    """
    labels = np.full(len(channel_index), UNASSIGNED, np.int64)
    # Where all happens at one time, time has no say.
    slow = slow_columns(when, config) if np.any(when != when[:1]) else None
    near = geometry.neighbours(config.radius_um)
    counts = np.bincount(channel_index, minlength=geometry.n_channels)
    busiest_first = np.argsort(-counts, kind="stable")
    n_clusters = 0
    # What no neighbourhood wanted is clustered once more where it lies, and then kept.
    for keep_all in (False, True):
        for channel in busiest_first:
            here = np.isin(channel_index, near[channel][near[channel] >= 0])
            events = np.flatnonzero(here & (labels == UNASSIGNED))
            events = _thin(events, config.max_events)
            if len(events) < config.isosplit.min_cluster_size:
                continue
            looks = [frame(events) for frame in frames]
            for members in split(looks, config, None if slow is None else slow[events]):
                peaks = channel_index[events[members]]
                most_common = np.bincount(peaks).argmax()
                if keep_all or most_common == channel:
                    labels[events[members]] = n_clusters
                    n_clusters += 1
            if progress is not None and not keep_all:
                progress(1)
    return labels


def split(
    looks: Sequence[FloatArray], config: ClusterConfig, slow: FloatArray | None = None
) -> list[IntArray]:
    """Split a set of events until no part falls apart any further, however it is looked at.

    Parameters
    ----------
    looks : sequence of ndarray, shape (n_events, n_columns)
        Features of the same events in several frames. What one holds together another may part,
        and parts of one neuron are easier joined later than neurons parted.
    config : ClusterConfig
    slow : ndarray, shape (n_events, n_slow), optional
        What `slow_columns` gives, where the whole course of time is to be seen beside the first
        frame before anything else is tried.

    Returns
    -------
    list of ndarray, int64
        Indices of the members of each cluster with at least ``min_cluster_size`` of them. Each
        part is looked at in its own principal dimensions, where smaller differences show.
    """
    pending = [np.arange(len(looks[0]))]
    clusters = []
    while pending:
        members = pending.pop()
        if len(members) < config.isosplit.min_cluster_size:
            continue
        parts = _parts(looks, members, config, slow)
        if len(parts) == 1:
            clusters.append(members)
        else:
            pending.extend(parts)
    return clusters


def _parts(
    looks: Sequence[FloatArray], members: IntArray, config: ClusterConfig, slow: FloatArray | None
) -> list[IntArray]:
    """Return the parts that some events fall into in the first look that parts them."""
    for look in range(-1 if slow is not None else 0, len(looks)):
        points = principal(looks[max(look, 0)][members], config.n_dims)
        if slow is not None and look < 0:
            points = np.concatenate([points, slow[members]], axis=1)
        labels = isosplit(points, config.isosplit)
        n_parts = labels.max() + 1
        if n_parts > 1:
            return [members[labels == part] for part in range(n_parts)]
    return [members]


def slow_columns(when: FloatArray, config: ClusterConfig) -> NDArray[np.float64]:
    """Return slow cosines of time, shape (n_events, n_slow).

    Side by side with features they part neurons that drift into each other's place at different
    times: their courses are separate lines in features and time, though one cloud in features.
    Cosines of evenly spread times pile up at their ends, so that a busy neuron may be cut into a
    few stretches of time; they are copies of one template and are joined as such later.
    """
    return config.slow_scale * cosines(when, config.n_slow)


def cosines(when: FloatArray, n: int) -> NDArray[np.float64]:
    """Return the slowest ``n`` cosines on the interval from 0 to 1, shape (n_events, n)."""
    return np.cos(np.asarray(when, np.float64)[:, None] * np.arange(1, n + 1) * np.pi)


def principal(frame: FloatArray, n_dims: int) -> NDArray[np.float64]:
    """Return the coordinates along the principal axes of largest variance, O(n · n_columns²)."""
    centred = np.asarray(frame, np.float64) - frame.mean(axis=0, dtype=np.float64)
    n_dims = min(n_dims, centred.shape[1])
    if n_dims == centred.shape[1]:
        return centred
    vectors = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :n_dims]
    return centred @ vectors


def _thin(events: IntArray, most: int) -> IntArray:
    """Return at most ``most`` events, evenly spread."""
    if len(events) <= most:
        return events
    return events[np.linspace(0, len(events) - 1, most).round().astype(np.int64)]
