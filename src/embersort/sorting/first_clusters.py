"""The first clusters: the probe clustered epoch by epoch, joined over the epochs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.epochs import cluster_epochs
from embersort.clustering.neighbourhoods import FeatureView, cluster_probe
from embersort.clustering.rare import with_rare_clusters
from embersort.config import ClusterConfig
from embersort.curation.epoch_join import cluster_shapes, join_epochs
from embersort.curation.multi_unit import is_multi_unit
from embersort.curation.registration import Registration
from embersort.motion.displacement import CERTAIN_UM
from embersort.motion.epochs import epoch_of
from embersort.sorting.features import EventViews
from embersort.templates.spikes import UnitSpikes
from embersort.types import UNASSIGNED, IntArray, Recording

SLOW_FROM_S = 20.0
"""In a recording shorter than this nothing is slow. Chosen on the development recordings,
2026-11-22."""

log = logging.getLogger(__name__)


def first_clusters(
    framed: EventViews,
    registration: Registration,
    source: Recording,
    config: ClusterConfig,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int64]:
    """Cluster the events of a recording.

    Parameters
    ----------
    framed : EventViews
    registration : Registration
    source : Recording
    config : ClusterConfig
    progress : callable, optional
        Called with the number of channels done since the last call.

    Returns
    -------
    ndarray, shape (n_events,), int64
        Cluster of each event, or `UNASSIGNED`.

    Notes
    -----
    After a jump a neuron may look as its neighbour did before: clusters of all times would hold
    both. So each epoch is clustered apart, and its clusters are joined to those before by their
    places less the displacement.
    """
    events, starts = framed.encoded.events, registration.epoch_starts
    fs = source.sampling_rate_hz

    def of_epoch(rows: IntArray) -> NDArray[np.int64]:
        sample = events.sample_index[rows]
        channels = events.channel_index[rows]
        views = [_of_rows(view, rows) for view in framed.views]
        found = cluster_probe(
            channels,
            source.geometry,
            views,
            _share_of_time(sample, source, config),
            config,
            progress if len(starts) == 1 else None,
            lambda inner: is_multi_unit(sample[inner], fs),
        )
        if not _is_still(sample, registration):
            # A neuron that is moved on looks rare where it hardly ever was.
            return found
        return with_rare_clusters(found, channels, source.geometry, views[0], config.radius_um)

    labels, epoch = cluster_epochs(epoch_of(events.sample_index, starts), of_epoch)
    if len(starts) == 1:
        return labels
    log.info("%d jumps of the tissue; clusters are joined over them", len(starts) - 1)
    clusters = UnitSpikes(
        sample_index=events.sample_index,
        unit_index=labels,
        channel_index=events.channel_index,
        pca_features=framed.encoded.pca_features,
    )
    joined = join_epochs(cluster_shapes(clusters, registration), epoch)
    return np.append(joined, UNASSIGNED)[labels]


def _is_still(sample_index: IntArray, registration: Registration) -> bool:
    """Say whether the tissue is not known to move over the time of some events, in order."""
    motion = registration.motion
    if motion is None or not len(sample_index):
        return True
    first, last = sample_index[[0, -1]] // motion.bin_samples
    # The first bin and the last may be those of a jump.
    inner = motion.displacement_um[first + 1 : last]
    return not len(inner) or float(np.ptp(inner, axis=0).max()) <= CERTAIN_UM


def _of_rows(view: FeatureView, rows: IntArray) -> FeatureView:
    """Return the same features for indices into some events."""
    return lambda inner: view(rows[inner])


def _share_of_time(
    sample_index: IntArray, source: Recording, config: ClusterConfig
) -> NDArray[np.float64]:
    """Return when each event is, from 0 to 1; always 0 in what is too short to change."""
    if source.n_samples < SLOW_FROM_S * source.sampling_rate_hz:
        return np.zeros(len(sample_index))
    return sample_index / source.n_samples
