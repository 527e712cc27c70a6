"""Sortings as SpikeInterface objects, and back."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

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
