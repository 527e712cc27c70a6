"""Clustering epoch by epoch: after a jump of the tissue a neuron may look like its neighbour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from embersort.types import UNASSIGNED, IntArray


def cluster_epochs(
    epoch: IntArray, cluster: Callable[[IntArray], NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cluster the events of each epoch apart.

    Parameters
    ----------
    epoch : ndarray, shape (n_events,), int64
        Of each event.
    cluster : callable
        From indices of events to their clusters, or `UNASSIGNED`.

    Returns
    -------
    labels : ndarray, shape (n_events,), int64
        Cluster of each event, or `UNASSIGNED`.
    epoch_of_cluster : ndarray, shape (n_clusters,), int64
    """
    labels = np.full(len(epoch), UNASSIGNED, np.int64)
    epoch_of_cluster: list[int] = []
    for one in np.unique(epoch):
        rows = np.flatnonzero(epoch == one)
        found = cluster(rows)
        labels[rows] = np.where(found >= 0, found + len(epoch_of_cluster), UNASSIGNED)
        epoch_of_cluster += [int(one)] * (int(found.max(initial=-1)) + 1)
    return labels, np.array(epoch_of_cluster, np.int64)
