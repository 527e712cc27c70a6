"""Pure detection: which proposed events are spikes, by height, by matched filter, by network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from embersort.evaluation.detection import detection_curve
from embersort.simulate.simulation import Simulation
from embersort.training.event_sets import LabelledSnippets
from embersort.training.labels import LEAST_SNR
from embersort.types import FloatArray

N_SHAPES = 12
"""Filters of the matched filter: about as many as units near a channel."""
MAX_LEARNED = 4000
"""Events that the filters are learned from."""
STRONG_SHARE = 0.5
"""Share of the events, the highest, that the filters are learned from."""


def detection_scores(
    simulation: Simulation, found: LabelledSnippets, spike_logit: NDArray[np.float32]
) -> dict[str, dict[str, float]]:
    """Score three detectors on the same proposed events.

    Returns
    -------
    dict
        For ``threshold``, ``matched filter`` and ``event head`` the area under precision against
        recall, and the recall at a precision of 0.95.
    """
    near = found.depth.T >= LEAST_SNR
    rankings = {
        "threshold": None,
        "matched filter": matched_filter(found.snippets),
        "event head": spike_logit,
    }
    scores = {}
    for name, score in rankings.items():
        curve = detection_curve(found.events, simulation.truth.sorting, score=score, near=near)
        scores[name] = {
            "average_precision": curve.average_precision,
            "recall_at_95": curve.recall_at_precision(0.95),
        }
    return scores


def matched_filter(snippets: NDArray[np.float32]) -> FloatArray:
    """Return the largest output of a bank of matched filters, in units of noise.

    Parameters
    ----------
    snippets : ndarray, shape (n_events, n_window, n_local), float32
        White traces, peak channel first.

    Returns
    -------
    ndarray, shape (n_events,), float64

    Notes
    -----
    The filters are learned from the recording itself, without truth: means of clusters (k-means)
    of its higher events, brought to unit norm. In white noise the correlation with a shape is the
    best linear detector of it (Turin 1960, "An introduction to matched filters").
    """
    if not len(snippets):
        return np.zeros(0)
    rows = snippets.reshape(len(snippets), -1).astype(np.float64)
    by_height = np.argsort(snippets.min(axis=(1, 2)), kind="stable")
    strong = by_height[: max(1, round(STRONG_SHARE * len(rows)))]
    step = np.linspace(0, len(strong) - 1, min(len(strong), MAX_LEARNED)).round().astype(np.int64)
    learned = rows[strong[step]]
    learned = learned / np.maximum(np.linalg.norm(learned, axis=1, keepdims=True), 1e-12)
    n_shapes = min(N_SHAPES, len(learned))
    shapes = kmeans2(learned, n_shapes, minit="++", rng=np.random.default_rng(0))[0]
    shapes = shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-12)
    return (rows @ shapes.T).max(axis=1)
