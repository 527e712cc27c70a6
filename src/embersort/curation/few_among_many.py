"""Spikes of a neuron of many that were matched to one of a few beside it are given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.core_spread import nearer_to_many
from embersort.curation.registration import Registration
from embersort.curation.spikes import MatchedSpikes
from embersort.spread import spread_places
from embersort.types import FloatArray, IntArray

MOST_FEW = 0.1
"""A unit of fewer spikes than this share of another's is a few beside many: of the many, one in a
hundred that match the wrong template are a tenth of the few."""

MIN_SIMILARITY = 0.7
"""Templates less alike than this are not taken for each other."""


MOST_SEEN = 2000
"""So many spikes, evenly spread in time, say how those of a large unit spread."""


def give_back_spikes(spikes: MatchedSpikes, registration: Registration) -> MatchedSpikes:
    """Return matched spikes, those of large units no longer in small ones beside them."""
    unit_index = give_back(
        spikes.matches.unit_index, spikes.means, features_of(spikes, registration)
    )
    return replace(spikes, matches=replace(spikes.matches, unit_index=unit_index))


def features_of(
    spikes: MatchedSpikes, registration: Registration
) -> Callable[[IntArray], FloatArray]:
    """Return what gives the features of any set of nearby spikes in comparable columns."""

    def frame(rows: IntArray) -> FloatArray:
        return registration.pca.on_shared_channels(
            spikes.pca_features[rows], spikes.channel_index[rows]
        )

    return frame


def give_back(
    labels: IntArray, templates: FloatArray, frame: Callable[[IntArray], FloatArray]
) -> NDArray[np.int64]:
    """Return labels in which spikes of large units are no longer in small ones beside them.

    Parameters
    ----------
    labels : ndarray, shape (n_spikes,), int64
        Unit of each spike, or `UNASSIGNED`.
    templates : ndarray, shape (n_units, n_window, n_channels)
        White.
    frame : callable
        Features of any set of spikes of neighbouring units, in comparable columns.

    Notes
    -----
    A template fits at any height that the amplitude prior allows, so that templates which differ
    in height, too, are told apart by less than they differ. All columns of the cleaned snippets
    tell more: a spike goes to the nearer of the two in the spread of the larger.
    """
    labels = np.array(labels, np.int64)
    counts = np.bincount(labels[labels >= 0], minlength=len(templates))
    flat = templates.reshape(len(templates), int(np.prod(templates.shape[1:])))
    energy = np.square(flat).sum(axis=1)
    alike = 2 * flat @ flat.T / np.maximum(energy[:, None] + energy[None, :], 1e-9)
    for small in np.flatnonzero(counts):
        beside = (counts * MOST_FEW > counts[small]) & (alike[small] >= MIN_SIMILARITY)
        for large in np.flatnonzero(beside):
            few, many = np.flatnonzero(labels == small), np.flatnonzero(labels == large)
            many = many[spread_places(len(many), MOST_SEEN)]
            points = np.asarray(frame(np.concatenate([few, many])), np.float64)
            labels[few[nearer_to_many(points[: len(few)], points[len(few) :])]] = large
    return labels
