"""From labels and codes to templates, and from matches to a sorting without duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.features import TemporalPca
from embersort.sorting.passes import EncodedEvents
from embersort.types import IntArray

DUPLICATE_MS = 0.3
"""No neuron fires twice within this time, nor does a matcher see one spike twice."""


def templates_from_codes(
    encoded: EncodedEvents, labels: IntArray, stage: TemporalPca, n_channels: int
) -> NDArray[np.float32]:
    """Return a white template for each cluster, from the median of its codes.

    Parameters
    ----------
    encoded : EncodedEvents
    labels : ndarray, shape (n_events,), int64
        Cluster of each event, or -1.
    stage : TemporalPca
    n_channels : int

    Returns
    -------
    ndarray, shape (n_clusters, n_window, n_channels), float32
        A median forgets the minority of snippets in which another spike is near. Only the events
        that peak on the cluster's commonest channel count: they share their local channels.
    """
    n_clusters = int(labels.max(initial=-1)) + 1
    n_window, n_components = stage.basis.shape
    templates = np.zeros((n_clusters, n_window, n_channels), np.float32)
    channel_index = encoded.events.channel_index
    for cluster in range(n_clusters):
        members = np.flatnonzero(labels == cluster)
        main = np.bincount(channel_index[members]).argmax()
        members = members[channel_index[members] == main]
        code = np.median(encoded.codes[members], axis=0).reshape(-1, n_components)
        local = stage.neighbours[main]
        used = local >= 0
        templates[cluster][:, local[used]] = (stage.basis @ code.T)[:, used]
    return templates


def without_duplicates(
    sample_index: IntArray, unit_index: IntArray, gain: NDArray[np.float32], n_samples: int
) -> NDArray[np.bool_]:
    """Say which spikes to keep: of two of one unit nearer than ``n_samples``, the better fit.

    Spikes are in order of time; ties go to the earlier.
    """
    keep = np.ones(len(sample_index), bool)
    for unit in np.unique(unit_index):
        rows = np.flatnonzero(unit_index == unit)
        last = -1
        for row in rows:
            if last >= 0 and sample_index[row] - sample_index[last] < n_samples:
                worse = row if gain[row] <= gain[last] else last
                keep[worse] = False
                if worse == row:
                    continue
            last = row
    return keep
