"""Curation as the report, SpikeInterface and Phy write it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.manual.phy import read_phy
from embersort.manual.step import LABEL, Step, make_step
from embersort.types import Sorting

QUALITY = "quality"
"""Category of labels that is our column `label`."""
MAX_BYTES = 500_000_000
"""Larger than the splits of any sorting; a file beyond is something else."""


def read_step(path: str | Path, sorting: Sorting) -> Step:
    """Read what a person decided.

    Parameters
    ----------
    path : str or Path
        JSON of the report or of SpikeInterface (format 1 or 2, or sortingview's); a Phy folder,
        or a table in it; a CSV or TSV with a unit and a label in each row.
    sorting : Sorting
        What was curated.

    Raises
    ------
    BadInput
        If it cannot be read, or does not fit the sorting.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    if path.is_dir():
        return read_phy(path, sorting)
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path} is too large for a curation")
    if path.suffix == ".json":
        return _from_json(path, sorting)
    if (path.parent / "spike_clusters.npy").is_file():
        return read_phy(path.parent, sorting)
    if path.suffix in (".tsv", ".csv"):
        return make_step(sorting, labels={LABEL: read_labels(path)})
    raise BadInput(
        f"{path} is no curation that is known: a .json of the report or of SpikeInterface, Phy's "
        "cluster_group.tsv, or a Phy folder"
    )


def read_labels(path: Path) -> dict[int, str]:
    """Read a table of units and labels; ``unsorted`` is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    if not rows or len(rows[0]) < 2 or rows[0][0] not in ("cluster_id", "unit_id"):
        raise BadInput(f"{path} does not start with cluster_id (or unit_id) and a column of labels")
    labels = {}
    for number, row in enumerate(rows[1:], 2):
        if len(row) < 2:
            raise BadInput(f"{path}, line {number}: a unit and a label are expected, found {row}")
        if row[1] not in ("", "unsorted"):
            labels[_unit(row[0], f"{path}, line {number}")] = row[1]
    return labels


def _from_json(path: Path, sorting: Sorting) -> Step:
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(said, dict):
        raise BadInput(f"{path} holds no curation: a JSON object is expected")
    try:
        return _step(said, sorting)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise BadInput(f"{path} is no curation in SpikeInterface's format ({error!r})") from None
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def _step(said: dict[str, Any], sorting: Sorting) -> Step:
    version = str(said.get("format_version", "0"))
    if version not in ("0", "1", "2"):
        raise BadInput(f"curation format {version} is not known; 1 and 2 are")
    merges = said.get("merges") or said.get("merge_unit_groups") or said.get("mergeGroups") or []
    removed = said.get("removed") or said.get("removed_units") or []
    splits = [_split(entry, sorting) for entry in said.get("splits") or []]
    return make_step(
        sorting,
        labels=_labels(said),
        merges=[_merge(entry) for entry in merges],
        splits=splits,
        removed=[_unit(unit, "removed") for unit in removed],
    )


def _merge(entry: Any) -> tuple[list[int], int | None]:
    if isinstance(entry, dict):
        new = entry.get("new_unit_id")
        units, new_id = entry["unit_ids"], None if new is None else _unit(new, "new_unit_id")
    else:
        units, new_id = entry, None
    return [_unit(unit, "merges") for unit in units], new_id


def _split(entry: dict[str, Any], sorting: Sorting) -> tuple[int, list[Any], list[int] | None]:
    unit = _unit(entry["unit_id"], "splits")
    new = entry.get("new_unit_ids")
    named = None if new is None else [_unit(name, "new_unit_ids") for name in new]
    if entry.get("mode", "indices") == "indices":
        return unit, list(entry["indices"]), named
    labels = np.asarray(entry["labels"])
    n_spikes = int((sorting.unit_ids[sorting.unit_index] == unit).sum())
    if labels.shape != (n_spikes,):
        raise BadInput(f"the split of unit {unit} labels {labels.size} of {n_spikes} spikes")
    return unit, [np.flatnonzero(labels == label) for label in np.unique(labels)], named


def _labels(said: dict[str, Any]) -> dict[str, dict[int, str]]:
    by_column: dict[str, dict[int, str]] = {}
    for entry in said.get("manual_labels") or []:
        unit = _unit(entry["unit_id"], "manual_labels")
        given = entry.get("labels")
        given = {k: v for k, v in entry.items() if k != "unit_id"} if given is None else given
        for category, values in given.items():
            column = LABEL if category == QUALITY else str(category)
            values = [values] if isinstance(values, str) else values
            by_column.setdefault(column, {})[unit] = ", ".join(str(value) for value in values)
    for name, values in (said.get("labelsByUnit") or {}).items():
        by_column.setdefault(LABEL, {})[_unit(name, "labelsByUnit")] = ", ".join(values)
    return by_column


def _unit(value: Any, where: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadInput(f"{where}: {value!r} is no unit; units are whole numbers") from None
