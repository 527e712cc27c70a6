"""A result as SpikeInterface's SortingAnalyzer, with templates and quality metrics."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embersort.config import FilterConfig
from embersort.errors import BadInput
from embersort.export.properties import unit_properties
from embersort.recording import native_spikeinterface, sorting_to_spikeinterface
from embersort.types import Recording, SortResult

_log = logging.getLogger(__name__)

HIGHEST_SHARE = 0.45
"""The upper edge of the pass band stays below this share of the sampling rate."""
SPARSE_UM = 100.0
"""A unit's waveforms are kept on the channels this near to its main channel."""
EXTENSIONS: dict[str, dict[str, Any]] = {
    "random_spikes": {"max_spikes_per_unit": 500, "seed": 0},
    "waveforms": {"ms_before": 1.0, "ms_after": 2.0},
    "templates": {},
    "noise_levels": {"random_slices_kwargs": {"seed": 0}},
    "principal_components": {"n_components": 3, "mode": "by_channel_local"},
    "spike_amplitudes": {},
    "unit_locations": {"method": "monopolar_triangulation"},
    "correlograms": {},
    "template_similarity": {},
    "template_metrics": {},
    "quality_metrics": {},
}
"""What is computed, in this order, with settings that are the same each time."""


def make_analyzer(
    result: SortResult,
    recording: Recording,
    folder: Path | None = None,
    *,
    format: Literal["binary_folder", "zarr", "memory"] = "memory",
    extensions: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Return a SortingAnalyzer of a result.

    Its recording is band-passed as for the report. Our confidence, ``classifier_label`` and
    ``classifier_probability`` among it, are properties of its units.

    Parameters
    ----------
    result : SortResult
    recording : Recording
        What was sorted.
    folder : Path, optional
        Where it is kept, if it is.
    format : str
    extensions : dict, optional
        What is computed; all of `EXTENSIONS` if not given.

    Raises
    ------
    BadInput
        If no unit has a spike.
    """
    from spikeinterface.core import create_sorting_analyzer
    from spikeinterface.preprocessing import bandpass_filter

    if not result.sorting.n_spikes:
        raise BadInput("the result holds no spikes, so there is nothing to export")
    native = native_spikeinterface(recording)
    band = FilterConfig()
    high_hz = min(band.high_hz, HIGHEST_SHARE * recording.sampling_rate_hz)
    filtered = bandpass_filter(
        native, freq_min=min(band.low_hz, high_hz / 2), freq_max=high_hz, dtype="float32"
    )
    sorting = sorting_to_spikeinterface(result.sorting)
    for name, column in unit_properties(result).items():
        sorting.set_property(name, np.asarray(column))
    if "main_channel_index" in sorting.get_property_keys():
        index = sorting.get_property("main_channel_index")
        sorting.set_property("main_channel_id", native.channel_ids[index])
    with warnings.catch_warnings():
        # Of units with too few spikes for a metric; the metric is then NaN, which says it.
        warnings.simplefilter("ignore")
        analyzer = create_sorting_analyzer(
            sorting,
            filtered,
            folder=folder,
            format=format,
            overwrite=folder is not None,
            sparse=result.geometry.n_channels > 1,
            method="radius",
            radius_um=SPARSE_UM,
            return_in_uV=native.has_scaleable_traces(),
            n_jobs=1,
            progress_bar=False,
        )
        for name, settings in (EXTENSIONS if extensions is None else extensions).items():
            _compute(analyzer, name, settings)
    return analyzer


def export_analyzer(
    result: SortResult,
    recording: Recording,
    folder: Path,
    *,
    format: Literal["binary_folder", "zarr"] = "binary_folder",
) -> None:
    """Write a SortingAnalyzer into a new folder, as plain files or as Zarr.

    Parameters
    ----------
    folder : Path
        What it holds is replaced. For Zarr its name ends in ``.zarr``.
    """
    analyzer = make_analyzer(result, recording, folder, format=format)
    # Metrics need the components, but SpikeInterface keeps their model as a pickle, and nothing of
    # ours may run code when it is opened.
    analyzer.delete_extension("principal_components")


def _compute(analyzer: Any, name: str, settings: dict[str, Any]) -> None:
    """Compute one extension; one that a recording has too little for is left out, with a word."""
    try:
        analyzer.compute(name, n_jobs=1, progress_bar=False, **settings)
    except Exception as error:
        if name in ("random_spikes", "waveforms", "templates"):
            raise
        _log.warning("SpikeInterface could not compute %s (%s); it is left out", name, error)
