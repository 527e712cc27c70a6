"""``load_sorting``: sortings from files and folders, each read by us after a look at its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.recording.folders import check_zarr, class_named_in, read_json
from embersort.recording.npy import load_npy, load_npz, npz_names, reason, whole_row
from embersort.recording.phy import read_phy, sorting_in_time
from embersort.recording.sortings import sorting_from_spikeinterface
from embersort.recording.trust import no_pickles, untrusted
from embersort.types import Sorting

_OURS = ("sample_index", "unit_index", "unit_ids", "sampling_rate_hz", "n_samples")


def load_sorting(path: str | Path, *, trust: bool = False) -> Sorting:
    """Read a sorting from disk.

    Parameters
    ----------
    path : str or Path
        The folder of ``embersort sort`` or ``embersort simulate``, a SpikeInterface sorting
        folder or Zarr, a SpikeInterface or Embersort ``.npz``, or a Phy or Kilosort folder.
    trust : bool
        Whether a SpikeInterface folder of a class that we do not know is loaded by
        SpikeInterface, which runs what the folder names.

    Raises
    ------
    BadInput
        If there is nothing at ``path``, or nothing that is a sorting.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    for arrays in (path / "spikes.npz", path / "truth.npz", path):
        if arrays.suffix == ".npz" and arrays.is_file() and set(_OURS) <= npz_names(arrays):
            return _from_ours(arrays)
    for folder in (path / "sorting", path / "truth", path):
        found = _from_spikeinterface(folder, trust=trust)
        if found is not None:
            return found
    if (path / "params.py").is_file():
        return read_phy(path)
    if path.suffix == ".npz":
        return _from_spikeinterface_npz(path)
    raise BadInput(
        f"{path} holds no sorting; expected a folder of embersort sort or simulate, "
        "a SpikeInterface sorting folder, a .npz or a Phy folder"
    )


def _from_spikeinterface(folder: Path, *, trust: bool) -> Sorting | None:
    """Read a folder of SpikeInterface by the form that it is in; None if it is none."""
    if folder.suffix == ".zarr" and folder.is_dir():
        return _from_zarr(folder)
    if (folder / "numpysorting_info.json").is_file():
        return _from_numpy_folder(folder)
    if (folder / "npz.json").is_file():
        return _from_spikeinterface_npz(folder / "sorting_cached.npz")
    if (folder / "si_folder.json").is_file():
        return _from_other_folder(folder, trust=trust)
    return None


def _from_ours(path: Path) -> Sorting:
    arrays = load_npz(path, _OURS)
    rate, n_samples = arrays["sampling_rate_hz"], arrays["n_samples"]
    if rate.size != 1 or n_samples.size != 1 or rate.dtype.kind not in "iuf":
        raise BadInput(f"{path}: sampling_rate_hz and n_samples must be one number each")
    try:
        return Sorting(
            sample_index=whole_row(arrays["sample_index"], "sample_index"),
            unit_index=whole_row(arrays["unit_index"], "unit_index"),
            unit_ids=whole_row(arrays["unit_ids"], "unit_ids"),
            sampling_rate_hz=float(rate.item()),
            n_samples=int(whole_row(n_samples.reshape(1), "n_samples")[0]),
        )
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def _from_spikeinterface_npz(path: Path) -> Sorting:
    """Read the first segment of a ``.npz`` of SpikeInterface."""
    names = ("unit_ids", "sampling_frequency", "spike_indexes_seg0", "spike_labels_seg0")
    arrays = load_npz(path, names)
    if missing := sorted(set(names) - set(arrays)):
        raise BadInput(
            f"{path} cannot be read as a SpikeInterface .npz: it has no {', '.join(missing)}"
        )
    ids, labels = arrays["unit_ids"].ravel(), arrays["spike_labels_seg0"].ravel()
    if ids.dtype.kind not in "iufUS" or labels.dtype.kind not in "iufUS":
        raise BadInput(f"{path}: units are named by {ids.dtype}, expected numbers or text")
    if len(labels) and (ids.dtype.kind in "US") != (labels.dtype.kind in "US"):
        raise BadInput(f"{path}: spikes name units by {labels.dtype}, the units are {ids.dtype}")
    unique, first = np.unique(ids, return_index=True)
    if not np.isin(labels, unique).all():
        raise BadInput(f"{path}: spikes of units that it does not list")
    place = np.searchsorted(unique, labels) if len(labels) else np.zeros(0, np.int64)
    rate = arrays["sampling_frequency"]
    return _sorting(
        whole_row(arrays["spike_indexes_seg0"].ravel(), f"{path}, spike_indexes_seg0"),
        first[place],
        ids.tolist(),
        rate.ravel()[0] if rate.size == 1 and rate.dtype.kind in "iuf" else None,
        path,
    )


def _from_numpy_folder(folder: Path) -> Sorting:
    """Read the first segment of the folder of a saved SpikeInterface sorting."""
    info = read_json(folder / "numpysorting_info.json")
    names = info.get("unit_ids") if isinstance(info, dict) else None
    if not isinstance(names, list) or not all(isinstance(n, str | int | float) for n in names):
        raise BadInput(f"{folder / 'numpysorting_info.json'} does not list the units")
    spikes = load_npy(folder / "spikes.npy")
    fields = ("sample_index", "unit_index", "segment_index")
    if spikes.dtype.names is None or not set(fields) <= set(spikes.dtype.names):
        raise BadInput(f"{folder / 'spikes.npy'} holds no spikes with {', '.join(fields)}")
    sample, unit, segment = (
        whole_row(spikes[name].ravel(), f"{folder / 'spikes.npy'}, {name}") for name in fields
    )
    here = segment == 0
    return _sorting(sample[here], unit[here], names, info.get("sampling_frequency"), folder)


def _sorting(sample: Any, unit: Any, names: list[Any], rate_hz: Any, where: Path) -> Sorting:
    """Return a sorting whose units are named by whole numbers, or numbered."""
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float | np.number):
        raise BadInput(f"{where} gives no sampling rate")
    try:
        ids = np.array([int(name) for name in names], np.int64)
    except (ValueError, OverflowError):
        ids = np.arange(len(names))
    if len(np.unique(ids)) != len(ids):
        ids = np.arange(len(names))
    try:
        return sorting_in_time(sample, unit, ids, float(rate_hz))
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _from_zarr(folder: Path) -> Sorting:
    from spikeinterface.core.zarrextractors import read_zarr_sorting

    check_zarr(folder)
    return _read_with(read_zarr_sorting, folder)


def _from_other_folder(folder: Path, *, trust: bool) -> Sorting:
    """Read what names a class of SpikeInterface; only of those who are trusted."""
    named = class_named_in(folder)
    if not trust:
        raise untrusted(folder / "si_folder.json", f"a {named or 'class without a name'}")
    from spikeinterface.core import BaseSorting, load

    def read(path: Path) -> Any:
        loaded = load(path)
        if not isinstance(loaded, BaseSorting):
            raise BadInput(f"{path} holds a {type(loaded).__name__}, expected a sorting")
        return loaded

    return _read_with(read, folder, trust=True)


def _read_with(read: Any, path: Path, *, trust: bool = False) -> Sorting:
    try:
        if trust:
            return sorting_from_spikeinterface(read(path))
        with no_pickles(path):
            return sorting_from_spikeinterface(read(path))
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001 - readers of other people's formats raise anything
        raise BadInput(f"{path} cannot be read by SpikeInterface: {reason(error)}") from None
