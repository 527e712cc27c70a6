"""The whole task: a scene sorted with each way to embed, and compared with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from embersort.config import SortConfig
from embersort.evaluation.comparison import compare
from embersort.simulate.simulation import Simulation
from embersort.training.event_sets import held

SortedFeatures = Literal["pca", "encoder", "context"]
FEATURES: dict[str, dict[str, Any]] = {
    "pca": {"method": "pca"},
    "encoder": {"method": "encoder", "context": False},
    "context": {"method": "encoder", "context": True},
}
"""The sorter's settings for each."""
WELL = 0.8
"""Accuracy from which a unit counts as well detected."""


def sort_scores(
    simulation: Simulation, features: Sequence[SortedFeatures]
) -> dict[str, dict[str, float]]:
    """Sort a simulated recording with each kind of features.

    Returns
    -------
    dict
        For each kind the mean ``accuracy`` over true units (one-to-one), and the numbers
        ``n_well``, ``n_true`` and ``n_found`` of units.

    Notes
    -----
    Sorting uses the weights that are shipped.
    """
    from embersort.sorting import sort

    recording, truth = held(simulation.recording), simulation.truth.sorting
    scores: dict[str, dict[str, float]] = {}
    for name in features:
        result = sort(recording, SortConfig.parse({"feature": FEATURES[name]}))
        found = compare(truth, result.sorting)
        scores[name] = {
            "accuracy": float(found.accuracy.mean()) if len(found.accuracy) else float("nan"),
            "n_well": int((found.accuracy >= WELL).sum()),
            "n_true": len(found.accuracy),
            "n_found": result.sorting.n_units,
        }
    return scores
