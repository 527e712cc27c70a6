"""What was done to a result in Phy: groups, and spikes moved to other clusters."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from embersort.errors import BadInput
from embersort.manual.step import LABEL, Step
from embersort.recording.npy import load_npy
from embersort.types import IntArray, Sorting

NOISE, UNSORTED = "noise", "unsorted"


def read_phy(folder: Path, sorting: Sorting) -> Step:
    """Read what was saved in Phy of a folder that ``embersort export --to phy`` wrote.

    Parameters
    ----------
    folder : Path
        With ``spike_times.npy``, ``spike_templates.npy``, ``spike_clusters.npy``, and
        ``cluster_group.tsv`` where clusters were labelled.
    sorting : Sorting
        What was exported.

    Raises
    ------
    BadInput
        If the folder is not whole, or holds other spikes.
    """
    times, templates, clusters = (
        _row(folder / f"spike_{name}.npy") for name in ("times", "templates", "clusters")
    )
    ids = sorting.unit_ids[sorting.spike_counts() > 0]
    if not len(times) == len(templates) == len(clusters) == sorting.n_spikes or (
        len(templates) and not 0 <= templates.min() <= templates.max() < len(ids)
    ):
        raise BadInput(f"{folder} holds other spikes than the result; was it sorted again since?")
    # Spikes at one time may stand in another order: both are put in order of time, then unit.
    theirs = np.lexsort((ids[templates], times))
    named = sorting.unit_ids[sorting.unit_index]
    ours = np.lexsort((named, sorting.sample_index))
    same = np.array_equal(times[theirs], sorting.sample_index[ours])
    if not (same and np.array_equal(ids[templates][theirs], named[ours])):
        raise BadInput(f"{folder} holds other spikes than the result; was it sorted again since?")
    moved = np.empty(sorting.n_spikes, np.int64)
    moved[ours] = clusters[theirs]
    table = folder / "cluster_group.tsv"
    labels = _groups(table, set(clusters.tolist())) if table.is_file() else {}
    return Step(unit_id_of_spike=moved, labels={LABEL: labels})


def _row(path: Path) -> IntArray:
    if not path.is_file():
        raise BadInput(f"{path.parent} is no Phy folder: it has no {path.name}")
    values = load_npy(path).ravel()
    if values.dtype.kind not in "iu":
        raise BadInput(f"{path} holds {values.dtype} values, expected whole numbers")
    return values.astype(np.int64)


def _groups(path: Path, clusters: set[int]) -> dict[int, str]:
    """Read Phy's groups; of clusters that are no more, Phy keeps rows."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    said = {}
    for row in rows[1:]:
        if len(row) < 2 or not row[0].strip().isdecimal():
            raise BadInput(f"{path} holds a row {row}; a cluster and a group are expected")
        if int(row[0]) in clusters and row[1] not in ("", UNSORTED):
            said[int(row[0])] = row[1]
    return said
