"""What the report computes of a result for curators: columns, suggestions, masked stretches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.quality.curators import (
    MAX_COMPARED,
    amplitude_cutoffs,
    d_prime,
    isi_violations_ratio,
)
from embersort.quality.pairs import Pair
from embersort.report.snippets import spread
from embersort.report.unit_page import UnitScene
from embersort.types import SortResult


def curator_columns(scene: UnitScene) -> dict[str, NDArray[Any]]:
    """Return the columns that a sort does not write, shape (n_units,) each."""
    result, sorting = scene.result, scene.result.sorting
    columns: dict[str, NDArray[Any]] = {"isi_violations_ratio": isi_violations_ratio(sorting)}
    if sorting.n_units == 0:
        return columns
    columns["amplitude_cutoff"] = amplitude_cutoffs(result.spike_amplitude, scene.spikes)
    if scene.nearest.shape[1]:
        most = scene.nearest[:, 0]
        columns["similar_unit"] = sorting.unit_ids[most]
        columns["similarity"] = scene.similarity[np.arange(sorting.n_units), most]
        if result.embedding.shape[1]:
            columns["d_prime"] = np.array([_apart(scene, *pair) for pair in enumerate(most)])
    return columns


def _apart(scene: UnitScene, unit: int, other: int) -> float:
    chosen = [
        scene.spikes[which][spread(len(scene.spikes[which]), MAX_COMPARED)]
        for which in (unit, other)
    ]
    return d_prime(*(np.nan_to_num(scene.result.embedding[spikes]) for spikes in chosen))


def suggestion(pair: Pair) -> dict[str, Any]:
    """Return a suggested merge as plain values."""
    return {"units": [pair.first, pair.second], "words": pair.words}


def masked_s(result: SortResult) -> list[list[float]]:
    """Return the stretches that were masked as artefacts, each as start and stop in seconds."""
    masked = getattr(result, "masked", None)
    if masked is None:
        masked = result.provenance.get("masked", [])
    rate_hz = result.sorting.sampling_rate_hz
    try:
        stretches = np.asarray(masked, np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        return []
    return np.round(stretches / rate_hz, 4).tolist()


def motion(result: SortResult) -> dict[str, Any] | None:
    """Return the estimated motion as plain values, where the sort says it."""
    said = result.provenance.get("motion")
    if not isinstance(said, dict):
        return None
    names = ("time_s", "depth_um", "displacement_um")
    if not set(names) <= set(said):
        return None
    time_s, depth_um, displacement_um = (np.asarray(said[name], np.float64) for name in names)
    if displacement_um.shape != (len(time_s), len(depth_um)):
        return None
    return {name: np.round(said[name], 2).tolist() for name in names}
