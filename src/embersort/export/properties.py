"""What is known of each unit, under the names that other tools read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from embersort.types import SortResult

GOOD, MULTI_UNIT = "good", "mua"
WELL_DETECTED = 0.8
"""A unit of this accuracy is well detected (SpikeForest's and SpikeInterface's bound)."""
_NINE_IN_TEN = norm.ppf(0.95)
"""Standard deviations from the middle of an interval that holds nine in ten to its end."""


def unit_properties(result: SortResult) -> dict[str, NDArray[Any]]:
    """Return the columns of the unit table, and the label that they lead to.

    Returns
    -------
    dict of str to ndarray, shape (n_units,)
        ``main_channel_index``; ``classifier_label`` and ``classifier_probability`` where
        confidence was estimated (see `classify`); and every column of the unit table.
    """
    columns = dict(result.unit_table)
    waves = result.templates.waveforms_uv
    height = waves.max(axis=1, initial=0) - waves.min(axis=1, initial=0)
    if height.shape[1]:
        columns["main_channel_index"] = height.argmax(axis=1)
    if {"predicted_accuracy", "predicted_accuracy_low", "predicted_accuracy_high"} <= set(columns):
        label, probability = classify(
            columns["predicted_accuracy"],
            columns["predicted_accuracy_low"],
            columns["predicted_accuracy_high"],
        )
        columns |= {"classifier_label": label, "classifier_probability": probability}
    return columns


def classify(
    accuracy: NDArray[Any], low: NDArray[Any], high: NDArray[Any]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Label units by whether they are well detected, and say how likely that is.

    The accuracy is taken to be normal, each half as wide as its end of the interval says.

    Parameters
    ----------
    accuracy, low, high : ndarray, shape (n_units,)
        Expected accuracy, and the ends of the interval that holds nine in ten.

    Returns
    -------
    label : ndarray of str, shape (n_units,)
        ``good`` where an accuracy of 0.8 or more is likelier than less, else ``mua``.
    probability : ndarray, shape (n_units,)
        Of that label, from 0.5 to 1. NaN, with ``mua``, where confidence is not known.
    """
    side = np.where(accuracy >= WELL_DETECTED, accuracy - low, high - accuracy)
    sd = np.maximum(np.asarray(side, np.float64) / _NINE_IN_TEN, 1e-6)
    is_good = norm.cdf((accuracy - WELL_DETECTED) / sd)
    label = np.where(is_good >= 0.5, GOOD, MULTI_UNIT)
    return label, np.maximum(is_good, 1 - is_good)
