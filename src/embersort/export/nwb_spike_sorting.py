"""What the NWB extension ndx-spikesorting has a place for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.types import SortResult

LEAST_SHARE = 0.05
"""Channels with less than this share of a template's largest height do not belong to it."""


def add_spike_sorting(file: Any, result: SortResult) -> None:
    """Add templates on their channels, places and likeness of units, if the extension is installed.

    Parameters
    ----------
    file : pynwb.NWBFile
        With electrodes and units, in the order of the result.
    result : SortResult
        With at least one unit, and templates.
    """
    try:
        import ndx_spikesorting as ndx
        from hdmf.common import DynamicTableRegion
    except ImportError:
        return
    reach = template_channels(result)
    parts = {"templates": _templates(ndx, file, result, reach)}
    if {"x_um", "y_um"} <= set(result.unit_table):
        place = np.column_stack([result.unit_table["x_um"], result.unit_table["y_um"]])
        parts["unit_locations"] = ndx.UnitLocations(name="unit_locations", data=place)
    flat = result.templates.waveforms_uv.reshape(result.sorting.n_units, -1).astype(np.float64)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = flat / np.where(norm > 0, norm, 1)
    likeness = ndx.TemplateSimilarity(name="template_similarity", data=unit @ unit.T)
    parts["template_similarity"] = likeness
    container = ndx.SpikeSortingContainer(
        name="spike_sorting",
        sampling_frequency=float(result.sorting.sampling_rate_hz),
        electrodes=file.create_electrode_table_region(
            region=list(range(result.geometry.n_channels)), description="all channels"
        ),
        units_region=DynamicTableRegion(
            name="units_region",
            data=list(range(result.sorting.n_units)),
            description="all units",
            table=file.units,
        ),
        sparsity_mask=reach,
    )
    container.spike_sorting_extensions = ndx.SpikeSortingExtensions(name="extensions", **parts)
    module = file.create_processing_module(
        name="ecephys", description="Spike sorting, and what follows from it"
    )
    module.add(container)


def template_channels(result: SortResult) -> NDArray[np.bool_]:
    """Return which channels each template reaches, shape (n_units, n_channels)."""
    height = np.ptp(result.templates.waveforms_uv, axis=1)
    largest = height.max(axis=1, keepdims=True)
    return (height >= LEAST_SHARE * largest) & (largest > 0)


def _templates(ndx: Any, file: Any, result: SortResult, reach: NDArray[np.bool_]) -> Any:
    from hdmf.common import DynamicTableRegion, VectorData, VectorIndex

    _, channel = np.nonzero(reach)
    rows = result.templates.waveforms_uv.transpose(0, 2, 1)[reach]
    data = VectorData(name="data", data=rows, description="one channel of one unit a row")
    return ndx.Templates(
        name="templates",
        peak_sample_index=int(result.templates.n_before),
        data=data,
        data_index=VectorIndex(name="data_index", data=reach.sum(axis=1).cumsum(), target=data),
        electrodes=DynamicTableRegion(
            name="electrodes",
            data=channel.tolist(),
            description="channel of each row",
            table=file.electrodes,
        ),
    )
