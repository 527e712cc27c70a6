"""The learned part of confidence: trees, the curve that calibrates them, widths of intervals."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from embersort.confidence.spike_features import SPIKE_FEATURES
from embersort.confidence.trees import Trees
from embersort.confidence.unit_features import UNIT_FEATURES
from embersort.errors import BadWeights
from embersort.types import FloatArray

SHIPPED_FOLDER = Path(__file__).parent / "weights"
SHIPPED_NAME = "confidence.safetensors"
MANIFEST_NAME = "manifest.json"
FORMAT = "embersort-confidence-1"
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


def load_shipped() -> ConfidenceModel:
    """Read the model that came with Embersort.

    Raises
    ------
    BadWeights
        If it is missing, or not the file that was shipped.
    """
    path = SHIPPED_FOLDER / MANIFEST_NAME
    try:
        expected = json.loads(path.read_text(encoding="utf-8"))[SHIPPED_NAME]
    except (OSError, ValueError, KeyError):
        raise BadWeights(f"{path} is missing or broken; {REINSTALL}") from None
    return load_model(SHIPPED_FOLDER / SHIPPED_NAME, sha256=expected)


def load_model(path: Path, *, sha256: str | None = None) -> ConfidenceModel:
    """Read a model.

    Parameters
    ----------
    path : Path
    sha256 : str, optional
        Refuse any other file than the one with this hash.

    Raises
    ------
    BadWeights
        If the file is missing, truncated, altered, or was made for other features.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise BadWeights(f"model {path} cannot be read ({error.strerror}); {REINSTALL}") from None
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise BadWeights(
            f"model {path} is not the file that was shipped "
            f"(sha256 {found[:12]}…, expected {sha256[:12]}…); {REINSTALL}"
        )
    try:
        tensors = load(content)
        n_header = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + n_header])["__metadata__"]
        model = _model(tensors, found)
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadWeights(f"{path} is not a whole confidence model ({error}); {REINSTALL}") from None
    if metadata != _metadata():
        raise BadWeights(f"{path} was made for other features; {REINSTALL}")
    return model


def save_model(model: ConfidenceModel, path: Path) -> str:
    """Write a model in one move, and return its sha256."""
    tensors = {
        f"{part.name}.{array.name}": getattr(getattr(model, part.name), array.name)
        for part in fields(ConfidenceModel)[:-1]
        for array in fields(getattr(model, part.name))
    }
    content = save(tensors, metadata=_metadata())
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return hashlib.sha256(content).hexdigest()


def _model(tensors: dict[str, NDArray[Any]], sha256: str) -> ConfidenceModel:
    """Put a model together from the arrays of a file."""
    return ConfidenceModel(
        spike=Trees(**_arrays("spike", Trees, tensors)),
        calibration=Curve(**_arrays("calibration", Curve, tensors)),
        accuracy=Trees(**_arrays("accuracy", Trees, tensors)),
        precision=Trees(**_arrays("precision", Trees, tensors)),
        recall=Trees(**_arrays("recall", Trees, tensors)),
        low=Curve(**_arrays("low", Curve, tensors)),
        high=Curve(**_arrays("high", Curve, tensors)),
        sha256=sha256,
    )


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
