"""Spikes of a large unit that were matched to a small one beside it go back to the large one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.core_spread import nearer_to_many
from embersort.clustering.neighbourhoods import FeatureView
from embersort.curation.registration import Registration
from embersort.curation.spikes import MatchedSpikes
from embersort.spread import spread_places
from embersort.templates.similarity import similarity_matrix
from embersort.types import FloatArray, IntArray

MOST_FEW = 0.1
"""A unit of fewer spikes than this share of another's is small beside it: of the large one, one
spike in a hundred that matches the wrong template makes a tenth of the small one's."""

MIN_SIMILARITY = 0.7
"""Templates less alike than this are not taken for each other."""

MOST_SEEN = 2000
"""So many spikes, evenly spread in time, say how those of a large unit spread."""


def reassign_matches(spikes: MatchedSpikes, registration: Registration) -> MatchedSpikes:
    """Return matched spikes, those of large units no longer in small ones beside them."""
    unit_index = reassign_to_large(
        spikes.matches.unit_index, spikes.means, registration.component_view(spikes)
    )
    return replace(spikes, matches=replace(spikes.matches, unit_index=unit_index))


def reassign_to_large(
    labels: IntArray, templates: FloatArray, view: FeatureView
) -> NDArray[np.int64]:
    """Return labels in which spikes of large units are no longer in small ones beside them.

    Parameters
    ----------
    labels : ndarray, shape (n_spikes,), int64
        Unit of each spike, or `UNASSIGNED`.
    templates : ndarray, shape (n_units, n_window, n_channels)
        White.
    view : callable
        Features of any set of spikes of neighbouring units, in comparable columns.

    Notes
    -----
    A template fits at any height that the amplitude prior allows, so that templates which differ
    in height, too, are told apart by less than they differ. All columns of the cleaned snippets
    tell more: a spike goes to the nearer of the two in the spread of the larger.
    """
    labels = np.array(labels, np.int64)
    counts = np.bincount(labels[labels >= 0], minlength=len(templates))
    if not len(templates):
        return labels
    alike = similarity_matrix(templates)
    for small in np.flatnonzero(counts):
        beside = (counts * MOST_FEW > counts[small]) & (alike[small] >= MIN_SIMILARITY)
        for large in np.flatnonzero(beside):
            few, many = np.flatnonzero(labels == small), np.flatnonzero(labels == large)
            many = many[spread_places(len(many), MOST_SEEN)]
            points = np.asarray(view(np.concatenate([few, many])), np.float64)
            labels[few[nearer_to_many(points[: len(few)], points[len(few) :])]] = large
    return labels
