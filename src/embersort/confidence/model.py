"""The learned part of confidence: trees, the curve that calibrates them, widths of intervals."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.confidence.spike_features import SPIKE_FEATURES
from embersort.confidence.trees import Trees
from embersort.confidence.unit_features import UNIT_FEATURES
from embersort.errors import BadWeights
from embersort.types import FloatArray
from embersort.weight_file import WeightFile, WeightKind, write_weight_file

SHIPPED_FOLDER = Path(__file__).parent / "weights"
SHIPPED_NAME = "confidence.safetensors"
FORMAT = "embersort-confidence-1"
WHAT = "confidence model"
REINSTALL = "install Embersort again, or fit anew with 'embersort train --recipe confidence'"

OF_SPIKES = ("mean_probability", "low_probability")
"""Columns that follow a unit's own features where its accuracy is predicted."""
SCORES = ("accuracy", "precision", "recall")


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A curve through points, straight in between and level beyond the ends.

    Attributes
    ----------
    x, y : ndarray, shape (n_points,), float32
        ``x`` increases.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]

    def __call__(self, values: FloatArray) -> FloatArray:
        """Return the heights of the curve at some places."""
        return np.interp(values, self.x.astype(np.float64), self.y.astype(np.float64))


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidenceModel:
    """Everything that was learned.

    Attributes
    ----------
    spike : Trees
        From the features of a spike and its unit to log odds.
    calibration : Curve
        From these log odds to a probability.
    accuracy, precision, recall : Trees
        From the features of a unit to its scores.
    low, high : Curve
        From a predicted accuracy to what is added to it for the ends of its interval.
    sha256 : str
        Hash of the file that it came from; empty where it came from none.
    """

    spike: Trees
    calibration: Curve
    accuracy: Trees
    precision: Trees
    recall: Trees
    low: Curve
    high: Curve
    sha256: str = ""


def _model(file: WeightFile) -> ConfidenceModel:
    """Put a model together from the arrays of a file."""
    if file.metadata != _metadata():
        raise BadWeights(f"{file.path} was made for other features; {REINSTALL}")
    tensors = file.tensors
    return ConfidenceModel(
        spike=Trees(**_arrays("spike", Trees, tensors)),
        calibration=Curve(**_arrays("calibration", Curve, tensors)),
        accuracy=Trees(**_arrays("accuracy", Trees, tensors)),
        precision=Trees(**_arrays("precision", Trees, tensors)),
        recall=Trees(**_arrays("recall", Trees, tensors)),
        low=Curve(**_arrays("low", Curve, tensors)),
        high=Curve(**_arrays("high", Curve, tensors)),
        sha256=file.sha256,
    )


KIND = WeightKind(
    file_format=FORMAT, folder=SHIPPED_FOLDER, remedy=REINSTALL, build=_model, what=WHAT
)
load_model = KIND.load


def load_shipped() -> ConfidenceModel:
    """Read the model that came with Embersort; see `WeightKind.shipped`."""
    return KIND.shipped(SHIPPED_NAME)


def save_model(model: ConfidenceModel, path: Path) -> str:
    """Write a model in one move, and return its sha256."""
    tensors = {
        f"{part.name}.{array.name}": getattr(getattr(model, part.name), array.name)
        for part in fields(ConfidenceModel)[:-1]
        for array in fields(getattr(model, part.name))
    }
    return write_weight_file(tensors, _metadata(), path)


def _arrays(
    name: str, kind: type[Trees] | type[Curve], tensors: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    return {array.name: tensors[f"{name}.{array.name}"] for array in fields(kind)}


def _metadata() -> dict[str, str]:
    """Return what a file must say of itself to fit this code."""
    return {
        "format": FORMAT,
        "spike_features": json.dumps(SPIKE_FEATURES),
        "unit_features": json.dumps(UNIT_FEATURES + OF_SPIKES),
    }
