"""Which clusters of two epochs are one neuron: what lies at one place and looks alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.curation.registration import Registration
from embersort.motion.positions import spike_positions_um
from embersort.templates.estimate import median_templates, peak_waveforms_uv
from embersort.templates.similarity import cosines_at_lags
from embersort.templates.spikes import UnitSpikes
from embersort.types import FloatArray, IntArray

PLACE_UM = 6.0
"""Places of one neuron before and after a jump differ by about this: a centre of mass depends on
where between two contacts a neuron lies."""

SHAPE = 0.05
"""So do their waveforms on the largest channel, as one less their cosine,"""

HEIGHT = 0.25
"""and the logarithm of their heights."""

MAX_COST = 9.0
"""Sum of squares of these deviations that one neuron shows, χ² of three degrees at 3 %."""

MAX_LAG = 3
"""Samples by which waveforms may be moved onto each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterShapes:
    """What is seen of clusters, whatever the displacement of the tissue.

    Attributes
    ----------
    place_um : ndarray, shape (n_clusters, 2)
        With the displacement taken off.
    waveforms_uv : ndarray, shape (n_clusters, n_window)
        On the largest channel.
    """

    place_um: FloatArray
    waveforms_uv: FloatArray


def cluster_shapes(spikes: UnitSpikes, registration: Registration) -> ClusterShapes:
    """Return what is seen of each cluster once the motion is taken off.

    Parameters
    ----------
    spikes : UnitSpikes
        With the cluster of each as its unit.
    registration : Registration
        Of known motion.
    """
    pca, positions_um = registration.pca, registration.positions_um
    templates = median_templates(spikes, pca, len(positions_um))
    waves = peak_waveforms_uv(templates.each(), registration.whitening)
    place = spike_positions_um(spikes.pca_features, spikes.channel_index, pca, positions_um)
    um = place.astype(np.float64)
    if registration.motion is not None:
        um[:, 1] -= registration.motion.at(spikes.sample_index, um[:, 1])
    members = [np.flatnonzero(spikes.unit_index == cluster) for cluster in range(len(waves))]
    return ClusterShapes(
        place_um=np.array([np.median(um[rows], axis=0) for rows in members]).reshape(-1, 2),
        waveforms_uv=waves,
    )


def join_epochs(shapes: ClusterShapes, epoch: IntArray) -> NDArray[np.int64]:
    """Join clusters of successive epochs, each with one at most.

    Parameters
    ----------
    shapes : ClusterShapes
    epoch : ndarray, shape (n_clusters,), int64
        Non-decreasing.

    Returns
    -------
    ndarray, shape (n_clusters,), int64
        New index of each cluster, 0 … n - 1; what is joined shares one.

    Notes
    -----
    The assignment of least total cost (Kuhn 1955) between what was seen last of each neuron and the
    clusters of the next epoch, O(n³); pairs that differ by more than `MAX_COST` stay apart.
    """
    # Few recordings come here, and it is half a second to import.
    from scipy.optimize import linear_sum_assignment

    joined = np.arange(len(epoch))
    last_of: dict[int, int] = {}
    for one in np.unique(epoch):
        new = np.flatnonzero(epoch == one)
        known = list(last_of)
        if known:
            old = np.array([last_of[neuron] for neuron in known])
            cost = np.array([[_cost(shapes, int(a), int(b)) for b in new] for a in old])
            # What is not to be joined costs as much whatever it is paired with.
            pairs = zip(*linear_sum_assignment(np.minimum(cost, MAX_COST)), strict=True)
            for i, j in pairs:
                if cost[i, j] < MAX_COST:
                    joined[new[j]] = known[i]
        for cluster in new:
            last_of[int(joined[cluster])] = int(cluster)
    return np.unique(joined, return_inverse=True)[1]


def _cost(shapes: ClusterShapes, a: int, b: int) -> float:
    away = np.square((shapes.place_um[a] - shapes.place_um[b]) / PLACE_UM).sum()
    one, other = shapes.waveforms_uv[a], shapes.waveforms_uv[b]
    height = np.log(max(np.ptp(one), 1e-9) / max(np.ptp(other), 1e-9)) / HEIGHT
    shape = (1 - cosines_at_lags(one[:, None], other[:, None], MAX_LAG).max()) / SHAPE
    return float(away + height**2 + shape**2)
