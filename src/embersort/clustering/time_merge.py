"""Clusters in features and time that are one cluster in features alone, at any one time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.gaps import (
    N_SLOW,
    dip_between,
    fisher_line,
    slow_cosines,
    without_common_trend,
)
from embersort.clustering.isocut import isocut
from embersort.config import ClusterConfig
from embersort.types import FloatArray, IntArray

OVERLAP_SHARE = 0.02
"""Spikes within this share of the recording of one of the other set are near it in time. Chosen on
the development recordings, 2026-11-22."""

N_NEAREST = 30
"""As many of a set are taken where fewer are that near. Chosen on the development recordings,
2026-11-22."""

MAX_WAIT_SHARE = 0.1
"""None is farther than this share of the recording from the other set. Chosen on the development
recordings, 2026-11-22."""


def merge_across_time(
    points: NDArray[np.float64], when: FloatArray, labels: IntArray, config: ClusterConfig
) -> NDArray[np.int64]:
    """Join clusters that no gap parts where, or when, they meet.

    Slow functions of time beside the features part neurons that drift; but they also cut a neuron
    that stays into stretches of time, the more of them the more spikes it has.

    Parameters
    ----------
    points : ndarray, shape (n, n_dims)
        Features alone.
    when : ndarray, shape (n,)
        Time of each point as a share of the recording, ascending.
    labels : ndarray, shape (n,), int64
        Clusters found in features and slow functions of time together.
    config : ClusterConfig

    Returns
    -------
    ndarray, shape (n,), int64
        Clusters from 0 on. Two are compared by those points of each that are within `OVERLAP_SHARE`
        of the recording of a point of the other, or by the `N_NEAREST` of them; those that
        never meet are not joined, but may be linked later.
    """
    n_clusters = int(labels.max()) + 1
    members = [np.flatnonzero(labels == cluster) for cluster in range(n_clusters)]
    meetings = []
    apart = np.zeros((n_clusters, n_clusters), bool)
    for a in range(n_clusters):
        for b in range(a + 1, n_clusters):
            near_a, near_b = meeting(when, members[a], members[b])
            if min(len(near_a), len(near_b)) < config.isosplit.min_cluster_size:
                continue
            dip, distance = _between(points, when, near_a, near_b, config)
            if dip >= config.isosplit.dip_threshold:
                apart[a, b] = apart[b, a] = True
            else:
                meetings.append((distance, a, b))
    leader = np.arange(n_clusters)
    # The nearest are joined first, and none to one that was seen apart from its own.
    for _, a, b in sorted(meetings):
        own, other = leader == leader[a], leader == leader[b]
        if not apart[np.ix_(own, other)].any():
            leader[other] = leader[a]
    return np.unique(leader, return_inverse=True)[1][labels]


def _between(
    points: NDArray[np.float64], when: FloatArray, a: IntArray, b: IntArray, config: ClusterConfig
) -> tuple[float, float]:
    """Return how two sets of points dip, at rest too if they do not as they are; their distance."""
    both = np.concatenate([a, b])
    own = points[both]
    line = fisher_line(own, len(a))
    distance = float(line[len(a) :].mean() - line[: len(a)].mean())
    dip = isocut(line)[0]
    # One gap is enough.
    if dip < config.isosplit.dip_threshold:
        at_rest = without_common_trend(own, slow_cosines(when[both], N_SLOW), len(a))
        dip = max(dip, dip_between(at_rest, len(a)))
    return dip, distance


def meeting(
    when: FloatArray, a: IntArray, b: IntArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the points of either of two sets that are near in time to some point of the other."""
    return _near_in_time(when, a, b), _near_in_time(when, b, a)


def _near_in_time(when: FloatArray, of: IntArray, to: IntArray) -> NDArray[np.int64]:
    """Return the points of one set that are near in time to some point of another."""
    after = np.searchsorted(when[to], when[of])
    before = np.abs(when[of] - when[to[np.maximum(after - 1, 0)]])
    distance = np.minimum(before, np.abs(when[of] - when[to[np.minimum(after, len(to) - 1)]]))
    last = min(N_NEAREST, len(of)) - 1
    enough = min(np.partition(distance, last)[last], MAX_WAIT_SHARE)
    return of[distance <= max(enough, OVERLAP_SHARE)]
