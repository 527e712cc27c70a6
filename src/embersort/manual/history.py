"""Curation kept beside the sort: each step in a file, and what was sorted as it was."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.manual.apply import apply_step
from embersort.manual.step import Step
from embersort.output import read_result, sorting_hash, write_files
from embersort.recording.npy import load_npz
from embersort.types import SortResult

ORIGINAL = "original"
"""Folder of a curated result with the files of the sort."""
STEPS = "curation"
"""Folder of a curated result with one file a step."""
_KEPT = ("run.json", "units.csv", "spikes.npz", "templates.npz")


def curate_result(result: SortResult, step: Step, source: Path) -> SortResult:
    """Return a result after one more step, with an entry of it in its history.

    Parameters
    ----------
    result : SortResult
    step : Step
    source : Path
        File or folder that the step was read from; named in the history.
    """
    curated = apply_step(result, step)
    before, after = (set(r.sorting.unit_ids.tolist()) for r in (result, curated))
    entry = {
        "source": source.name,
        "applied": datetime.now(UTC).isoformat(timespec="seconds"),
        "from_sorting_sha256": sorting_hash(result.sorting),
        "sorting_sha256": sorting_hash(curated.sorting),
        "units_gone": sorted(before - after),
        "units_new": sorted(after - before),
        "n_labels": sum(len(by_unit) for by_unit in step.labels.values()),
    }
    history = [*result.provenance.get("curation", []), entry]
    return dataclasses.replace(curated, provenance={**result.provenance, "curation": history})


def write_curated(result: SortResult, steps: list[Step], earlier: Path, folder: Path) -> None:
    """Write a curated result with its steps and what was sorted into an empty folder.

    Parameters
    ----------
    result : SortResult
    steps : list of Step
        All that were applied to the sort, in order.
    earlier : Path
        The result as it lies now; the files of the sort are copied from there.
    folder : Path
    """
    write_files(result, folder)
    if not steps:
        return
    sorted_files = earlier / ORIGINAL if (earlier / ORIGINAL).is_dir() else earlier
    (folder / ORIGINAL).mkdir()
    for name in _KEPT:
        shutil.copyfile(sorted_files / name, folder / ORIGINAL / name)
    (folder / STEPS).mkdir()
    for number, step in enumerate(steps, 1):
        _write_step(step, folder / STEPS / f"{number:03d}.npz")


def undo(folder: Path) -> tuple[SortResult, list[Step]]:
    """Return the result before the last step, and the steps that are left.

    The steps are applied anew to what was sorted.

    Raises
    ------
    BadInput
        If the result was not curated, or its history does not lead to what it holds.
    """
    steps = read_steps(folder)
    if not steps:
        raise BadInput(f"{folder} was not curated; there is nothing to undo")
    history = read_result(folder).provenance.get("curation", [])
    result = read_result(folder / ORIGINAL)
    for step in steps[:-1]:
        result = apply_step(result, step)
    expected = history[-1].get("from_sorting_sha256") if history else None
    if sorting_hash(result.sorting) != expected:
        raise BadInput(
            f"{folder}: the steps in {STEPS} do not lead to what its history says; "
            f"the sort as it was is in {folder / ORIGINAL}"
        )
    provenance: dict[str, Any] = {**result.provenance}
    if history[:-1]:
        provenance["curation"] = history[:-1]
    return dataclasses.replace(result, provenance=provenance), steps[:-1]


def read_steps(folder: Path) -> list[Step]:
    """Read the steps of a curated result, in order; none for one that was not curated."""
    if not (folder / STEPS).is_dir():
        return []
    steps = []
    for path in sorted((folder / STEPS).glob("*.npz")):
        arrays = load_npz(path, ("unit_id_of_spike", "labels_json"))
        try:
            said = json.loads(bytes(arrays["labels_json"]).decode())
            labels = {c: {int(u): str(v) for u, v in by.items()} for c, by in said.items()}
            steps.append(Step(unit_id_of_spike=arrays["unit_id_of_spike"], labels=labels))
        except (KeyError, ValueError, AttributeError) as error:
            raise BadInput(f"{path} is no step of curation ({error!r})") from None
    return steps


def _write_step(step: Step, path: Path) -> None:
    said = {c: {str(u): v for u, v in by.items()} for c, by in step.labels.items()}
    np.savez_compressed(
        path,
        unit_id_of_spike=step.unit_id_of_spike,
        labels_json=np.frombuffer(json.dumps(said).encode(), np.uint8),
    )
