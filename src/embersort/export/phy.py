"""A result as a folder that Phy's template GUI opens."""

from __future__ import annotations

import csv
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import MissingDependency
from embersort.export.analyzer import EXTENSIONS, make_analyzer
from embersort.export.properties import unit_properties
from embersort.types import Recording, SortResult

_log = logging.getLogger(__name__)

_USED = ("random_spikes", "waveforms", "templates", "principal_components", "spike_amplitudes")
_SHOWN = {
    "predicted_accuracy": "accuracy",
    "predicted_precision": "precision",
    "predicted_recall": "recall",
    "classifier_label": "classifier_label",
    "classifier_probability": "classifier_probability",
    "snr": "snr",
    "refractory_fraction": "refractory",
    "presence": "presence",
}
"""Columns of the unit table, and their name in Phy's cluster view."""
_FOUR_DIGITS = 4


def export_phy(
    result: SortResult, recording: Recording, folder: Path, *, copy_recording: bool = False
) -> None:
    """Write a result as a Phy folder.

    Clusters have our unit ids, so that what Phy saves can be applied to the result. The traces are
    read from the recording's own file where that is flat binary with all channels; else, or with
    ``copy_recording``, they are copied.

    Parameters
    ----------
    folder : Path
        Must not exist.

    Raises
    ------
    MissingDependency
        If pandas is absent, which SpikeInterface writes the tables with.
    """
    try:
        import pandas  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "the export to Phy needs pandas: pip install 'embersort[export]'"
        ) from None
    from spikeinterface.exporters import export_to_phy

    extensions = {name: EXTENSIONS[name] for name in _USED}
    analyzer = make_analyzer(result, recording, extensions=extensions)
    native = analyzer.recording.get_parent()
    own_file = None if copy_recording else _flat_file(native)
    export_to_phy(
        analyzer,
        folder,
        copy_binary=False,
        add_quality_metrics=False,
        add_template_metrics=False,
        use_relative_path=True,
        verbose=False,
        n_jobs=1,
        progress_bar=False,
    )
    if own_file is None:
        own_file = _copy(native, folder)
    _write_params(folder / "params.py", native, own_file)
    _name_clusters(result, folder)
    _write_tables(result, folder)


def _flat_file(native: Any) -> dict[str, Any] | None:
    """Return where the traces lie, if Phy can read them there."""
    if not native.is_binary_compatible():
        return None
    how = native.get_binary_description()
    paths = how["file_paths"]
    fits = len(paths) == 1 and how["time_axis"] == 0
    return {"path": Path(paths[0]).absolute(), "offset": how["file_offset"] or 0} if fits else None


def _copy(native: Any, folder: Path) -> dict[str, Any]:
    from spikeinterface.core import write_binary_recording

    path = folder / "recording.dat"
    write_binary_recording(native, file_paths=path, n_jobs=1, progress_bar=False)
    return {"path": Path(path.name), "offset": 0}


def _write_params(path: Path, native: Any, file: dict[str, Any]) -> None:
    # Phy runs this file: every value is written as a literal of its own kind.
    values = {
        "dat_path": os.fspath(file["path"]),
        "n_channels_dat": int(native.get_num_channels()),
        "dtype": np.dtype(native.get_dtype()).name,
        "offset": int(file["offset"]),
        "sample_rate": float(native.get_sampling_frequency()),
        "hp_filtered": bool(native.is_filtered()),
    }
    path.write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()), "utf-8")


def _name_clusters(result: SortResult, folder: Path) -> None:
    """Give clusters our unit ids in place of positions; templates keep their positions."""
    position = np.load(folder / "spike_templates.npy")
    ids = result.sorting.unit_ids[result.sorting.spike_counts() > 0]
    np.save(folder / "spike_clusters.npy", ids[position.ravel()].astype(np.int32))
    for table in folder.glob("cluster_*.tsv"):
        table.unlink()


def _write_tables(result: SortResult, folder: Path) -> None:
    columns = unit_properties(result)
    has_spikes = result.sorting.spike_counts() > 0
    ids = result.sorting.unit_ids[has_spikes]
    groups = columns.get("label", np.full(result.sorting.n_units, "unsorted"))[has_spikes]
    _write_table(folder, "group", ids, np.where(groups == "", "unsorted", groups))
    for name, shown in _SHOWN.items():
        if name in columns:
            _write_table(folder, shown, ids, np.asarray(columns[name])[has_spikes])


def _write_table(folder: Path, name: str, ids: NDArray[Any], values: NDArray[Any]) -> None:
    with (folder / f"cluster_{name}.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["cluster_id", name])
        for unit, value in zip(ids.tolist(), values.tolist(), strict=True):
            writer.writerow([unit, round(value, _FOUR_DIGITS) if type(value) is float else value])
