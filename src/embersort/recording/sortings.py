"""Sortings in and out: SpikeInterface objects and folders, Embersort folders, Phy."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from embersort.errors import BadInput
from embersort.types import Sorting


def sorting_to_spikeinterface(sorting: Sorting) -> Any:
    """Return a sorting as a SpikeInterface sorting of one segment.

    Returns
    -------
    spikeinterface.core.NumpySorting
    """
    from spikeinterface.core import NumpySorting

    return NumpySorting.from_samples_and_labels(
        samples_list=[np.asarray(sorting.sample_index)],
        labels_list=[np.asarray(sorting.unit_ids[sorting.unit_index])],
        sampling_frequency=sorting.sampling_rate_hz,
        unit_ids=np.asarray(sorting.unit_ids),
    )


def save_sorting(si_sorting: Any, folder: Path) -> None:
    """Write a SpikeInterface sorting, with its properties, as a new SpikeInterface folder."""
    with warnings.catch_warnings():
        # It says that the sorting was made in memory, which is so.
        warnings.filterwarnings("ignore", message="The extractor is not serializable")
        si_sorting.save(folder=folder)


def sorting_from_spikeinterface(
    si_sorting: Any, n_samples: int | None = None, *, segment: int = 0
) -> Sorting:
    """Return one segment of a SpikeInterface sorting.

    Unit names that are not whole numbers become 0, 1, … in their order.

    Parameters
    ----------
    si_sorting : spikeinterface.BaseSorting
    n_samples : int, optional
        Length of the recording; else just enough to hold the last spike.
    segment : int
        Which segment.
    """
    names = list(si_sorting.get_unit_ids())
    try:
        ids = np.array([int(name) for name in names], np.int64)
    except ValueError:
        ids = np.arange(len(names))
    if len(np.unique(ids)) != len(ids):
        ids = np.arange(len(names))
    trains = [
        np.asarray(si_sorting.get_unit_spike_train(unit_id=name, segment_index=segment), np.int64)
        for name in names
    ]
    sample = np.concatenate([np.zeros(0, np.int64), *trains])
    unit = np.repeat(np.arange(len(names)), [len(train) for train in trains])
    order = np.lexsort((unit, sample))
    if n_samples is None:
        n_samples = int(sample.max(initial=-1)) + 1
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=ids,
        sampling_rate_hz=float(si_sorting.get_sampling_frequency()),
        n_samples=n_samples,
    )


def load_sorting(path: str | Path) -> Sorting:
    """Read a sorting from disk.

    Parameters
    ----------
    path : str or Path
        The folder of ``embersort sort`` or ``embersort simulate``, a SpikeInterface sorting
        folder or Zarr, a SpikeInterface or Embersort ``.npz``, or a Phy or Kilosort folder.

    Raises
    ------
    BadInput
        If there is nothing at ``path``, or nothing that is a sorting.
    """
    path = Path(path)
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    for arrays in (path / "spikes.npz", path / "truth.npz", path):
        if arrays.suffix == ".npz" and arrays.is_file():
            found = _from_npz(arrays)
            if found is not None:
                return found
    for folder in (path / "sorting", path / "truth", path):
        if (folder / "si_folder.json").is_file() or folder.suffix == ".zarr":
            return _from_spikeinterface_folder(folder)
    if (path / "params.py").is_file():
        from spikeinterface.extractors import read_phy

        return _read_with(read_phy, path, "Phy folder")
    if path.suffix == ".npz":
        from spikeinterface.extractors import read_npz_sorting

        return _read_with(read_npz_sorting, path, "SpikeInterface .npz")
    raise BadInput(
        f"{path} holds no sorting; expected a folder of embersort sort or simulate, "
        "a SpikeInterface sorting folder, a .npz or a Phy folder"
    )


def _from_npz(path: Path) -> Sorting | None:
    """Read an Embersort ``.npz``; None if the file holds something else."""
    names = ("sample_index", "unit_index", "unit_ids", "sampling_rate_hz", "n_samples")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not set(names) <= set(arrays.files):
                return None
            sample, unit, ids, rate, n_samples = (arrays[name] for name in names)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read ({error}); is it truncated?") from None
    return Sorting(
        sample_index=sample,
        unit_index=unit,
        unit_ids=ids,
        sampling_rate_hz=float(rate),
        n_samples=int(n_samples),
    )


def _from_spikeinterface_folder(folder: Path) -> Sorting:
    from spikeinterface.core import BaseSorting, load

    def read(path: Path) -> Any:
        loaded = load(path)
        if not isinstance(loaded, BaseSorting):
            raise BadInput(f"{path} holds a {type(loaded).__name__}, expected a sorting")
        return loaded

    return _read_with(read, folder, "SpikeInterface folder")


def _read_with(read: Any, path: Path, kind: str) -> Sorting:
    try:
        return sorting_from_spikeinterface(read(path))
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001 - readers of other people's formats raise anything
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BadInput(f"{path} cannot be read as a {kind}: {text}") from None
