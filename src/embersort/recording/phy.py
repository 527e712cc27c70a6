"""Sortings in a folder of Phy or Kilosort, read without running its ``params.py``."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from embersort.errors import BadInput
from embersort.recording.literals import read_literals
from embersort.recording.npy import load_npy, whole_row
from embersort.types import IntArray, Sorting

CLUSTER_ID = "cluster_id"
NEW_ID = "si_unit_id"
"""Column in which SpikeInterface keeps what a unit was called before it went to Phy."""


def read_phy(folder: Path) -> Sorting:
    """Read a Phy folder: times, clusters, and which clusters its tables list.

    Clusters that the tables leave out are left out; those without spikes are kept.

    Raises
    ------
    BadInput
        If a file is missing, damaged, or of another form, or ``params.py`` is more than values.
    """
    rate_hz = read_literals(folder / "params.py").get("sample_rate")
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float):
        raise BadInput(f"{folder / 'params.py'} gives no sample_rate in Hz")
    sample = whole_numbers(folder / "spike_times.npy")
    name = "spike_clusters.npy"
    cluster = whole_numbers(folder / (name if (folder / name).is_file() else "spike_templates.npy"))
    if sample.shape != cluster.shape:
        raise BadInput(f"{folder} gives {len(sample)} spike times for {len(cluster)} clusters")
    listed = _listed_clusters(folder)
    clusters = np.unique(cluster) if listed is None else np.unique(np.array([*listed], np.int64))
    unit = np.searchsorted(clusters, cluster)
    known = np.isin(cluster, clusters)
    sample, unit = sample[known], unit[known]
    ids = clusters if listed is None else _new_ids(clusters, listed)
    return sorting_in_time(sample, unit, ids, float(rate_hz))


def sorting_in_time(sample: IntArray, unit: IntArray, ids: IntArray, rate_hz: float) -> Sorting:
    """Return the sorting of spikes in any order; it ends with the last of them."""
    order = np.lexsort((unit, sample))
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=ids,
        sampling_rate_hz=rate_hz,
        n_samples=int(sample.max(initial=-1)) + 1,
    )


def whole_numbers(path: Path) -> IntArray:
    """Return a file's numbers as one row of int64; fractions that are zero are dropped.

    Raises
    ------
    BadInput
        If they are something else than whole numbers.
    """
    return whole_row(load_npy(path).ravel(), str(path))


def _listed_clusters(folder: Path) -> dict[int, str] | None:
    """Return the clusters that all tables list, each with its earlier name; None without tables."""
    tables = sorted(path for path in folder.iterdir() if path.suffix in (".csv", ".tsv"))
    whole = [path for path in tables if "cluster_info" in path.name]
    read = [_clusters_of(path) for path in (whole if len(whole) == 1 else tables)]
    listed = [table for table in read if table is not None]
    if not listed:
        return None
    shared = set.intersection(*(set(table) for table in listed))
    names = {cluster: name for table in listed for cluster, name in table.items() if name}
    return {cluster: names.get(cluster, "") for cluster in shared}


def _clusters_of(path: Path) -> dict[int, str] | None:
    """Return the clusters of a table with their earlier names; None if it has no such column."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            names = rows.fieldnames or []
            key = CLUSTER_ID if CLUSTER_ID in names else "id" if "cluster_info" in path.name else ""
            if key not in names:
                return None
            return {int(float(row[key])): row.get(NEW_ID) or "" for row in rows}
    except (OSError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as a table of clusters: {error}") from None


def _new_ids(clusters: IntArray, listed: dict[int, str]) -> IntArray:
    """Return the earlier names where each cluster has one of its own, else the clusters."""
    try:
        ids = np.array([int(float(listed[int(cluster)])) for cluster in clusters], np.int64)
    except (ValueError, OverflowError):
        return clusters
    return ids if len(np.unique(ids)) == len(ids) else clusters
