"""From what a sort knows to how sure it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.confidence.model import SCORES, ConfidenceModel
from embersort.confidence.spike_features import by_unit, spike_features
from embersort.confidence.templates import template_codes
from embersort.confidence.unit_features import quantiles, unit_features
from embersort.types import FloatArray, IntArray

LOW_QUANTILE = 0.1
"""Quantile of a unit's probabilities that tells of its doubtful spikes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """What confidence is computed from.

    Attributes
    ----------
    spike : ndarray, shape (n_spikes, n_spike_features + n_unit_features), float32
        Of each spike, then of its unit.
    unit : ndarray, shape (n_units, n_unit_features), float32
    """

    spike: NDArray[np.float32]
    unit: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Confidence:
    """How sure a sort may be of its spikes and units.

    Attributes
    ----------
    spike_probability : ndarray, shape (n_spikes,), float32
        That a spike is one of the neuron that its unit stands for.
    unit_columns : dict of str to ndarray, shape (n_units,)
        ``predicted_accuracy``, with ``_low`` and ``_high`` the ends of its 90 % interval,
        ``predicted_precision`` and ``predicted_recall``; between 0 and 1.
    """

    spike_probability: NDArray[np.float32]
    unit_columns: dict[str, FloatArray]


def features(evidence: Evidence) -> Features:
    """Return the features of a sort's spikes and units.

    Notes
    -----
    O(n_spikes · n_rivals · n_codes), on one thread; sums run in a fixed order.
    """
    templates = template_codes(evidence)
    of_spikes = spike_features(evidence, templates)
    of_units = unit_features(evidence, templates, of_spikes)
    unit_index = evidence.sorting.unit_index
    return Features(spike=np.concatenate([of_spikes, of_units[unit_index]], axis=1), unit=of_units)


def predict(evidence: Evidence, model: ConfidenceModel) -> Confidence:
    """Say how sure a sort may be of its spikes and units.

    Parameters
    ----------
    evidence : Evidence
    model : ConfidenceModel
        From `embersort.confidence.model.load_shipped`.
    """
    known = features(evidence)
    probability = model.calibration(model.spike.sum(known.spike))
    of_units = with_probabilities(known.unit, probability, evidence)
    scores = {
        name: np.clip(getattr(model, name).sum(of_units), 0.0, 1.0).astype(np.float64)
        for name in SCORES
    }
    accuracy = scores["accuracy"]
    return Confidence(
        spike_probability=probability.astype(np.float32),
        unit_columns={
            "predicted_accuracy": accuracy,
            "predicted_accuracy_low": np.clip(accuracy + model.low(accuracy), 0.0, 1.0),
            "predicted_accuracy_high": np.clip(accuracy + model.high(accuracy), 0.0, 1.0),
            "predicted_precision": scores["precision"],
            "predicted_recall": scores["recall"],
        },
    )


def with_probabilities(
    of_units: NDArray[np.float32], probability: FloatArray, evidence: Evidence
) -> NDArray[np.float32]:
    """Return the features of units with what their spikes' probabilities say beside them."""
    rows, edges = by_unit(evidence)
    ordered = probability[rows]
    return np.column_stack(
        [of_units, _means(ordered, edges), quantiles(ordered, edges, LOW_QUANTILE)]
    ).astype(np.float32)


def _means(values: FloatArray, edges: IntArray) -> FloatArray:
    """Return the mean of each stretch of values between edges; NaN for an empty one."""
    counts = np.diff(edges)
    unit = np.repeat(np.arange(len(counts)), counts)
    summed = np.bincount(unit, values, minlength=len(counts))
    return np.where(counts > 0, summed / np.maximum(counts, 1), np.nan)
