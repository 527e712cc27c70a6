"""A result as a file of Neurodata Without Borders (NWB)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import MissingDependency
from embersort.export.nwb_spike_sorting import add_spike_sorting
from embersort.export.properties import unit_properties
from embersort.types import SortResult

_log = logging.getLogger(__name__)

UNKNOWN_START = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of a session that is not known; NWB wants one."""
VOLT_PER_UV = np.float32(1e-6)
"""Mean waveforms of NWB are in volt."""
DESCRIPTIONS = {
    "rate_hz": "Spikes per second",
    "snr": "Depth of the template over the noise of its peak channel (MAD / 0.6745)",
    "amplitude_uv": "Peak-to-peak height of the template, in microvolt",
    "refractory_fraction": "Share of intervals below the refractory period",
    "presence": "Share of blocks of time in which the unit fires",
    "predicted_accuracy": "Expected n_match / (n_match + n_missed + n_false)",
    "predicted_accuracy_low": "Lower end of the interval that holds nine such units in ten",
    "predicted_accuracy_high": "Upper end of the interval that holds nine such units in ten",
    "predicted_precision": "Expected share of the unit's spikes that are its neuron's",
    "predicted_recall": "Expected share of the neuron's spikes that are in the unit",
    "classifier_label": "good where an accuracy of 0.8 is likelier reached than not, else mua",
    "classifier_probability": "Probability of classifier_label",
    "main_channel_index": "Position of the channel on which the template is largest",
    "x_um": "Place across the probe, in micrometre",
    "y_um": "Place along the probe, in micrometre",
    "label": "Label given by hand",
}


def export_nwb(result: SortResult, path: Path, *, session_start: datetime | None = None) -> None:
    """Write units, electrodes, templates and confidence to an NWB file. No traces are needed.

    Where ndx-spikesorting is installed, templates on their channels, places and likeness of units
    are written as it defines them, beside the mean waveforms of the units table.

    Parameters
    ----------
    path : Path
    session_start : datetime, optional
        Start of the recording; 1970 if not known, with a warning.

    Raises
    ------
    MissingDependency
        If pynwb is absent.
    """
    try:
        from pynwb import NWBHDF5IO, NWBFile
    except ImportError:
        raise MissingDependency(
            "the export to NWB needs pynwb: pip install 'embersort[nwb]'"
        ) from None
    if session_start is None:
        _log.warning("when the session began is not known; NWB says 1970, give --session-start")
    source = result.provenance.get("recording", {})
    identity = str(result.provenance.get("sorting_sha256", "unknown"))
    file = NWBFile(
        session_description=f"Spike sorting of {source.get('path', 'a recording')} by Embersort",
        identifier=identity,
        session_start_time=session_start or UNKNOWN_START,
        notes=f"Embersort {result.provenance.get('version', '')}".strip(),
    )
    _add_electrodes(file, result)
    _add_units(file, result)
    if result.sorting.n_units and result.templates.waveforms_uv.shape[1]:
        add_spike_sorting(file, result)
    with NWBHDF5IO(path, "w") as out:
        out.write(file)


def _add_electrodes(file: Any, result: SortResult) -> None:
    device = file.create_device("probe")
    groups = {
        int(shank): file.create_electrode_group(
            f"shank{shank}", description=f"shank {shank}", location="unknown", device=device
        )
        for shank in np.unique(result.geometry.shank_index)
    }
    for axis, where in (("rel_x", "across"), ("rel_y", "along")):
        file.add_electrode_column(axis, f"Place {where} the probe, in micrometre")
    for (x_um, y_um), shank in zip(
        result.geometry.positions_um, result.geometry.shank_index, strict=True
    ):
        file.add_electrode(
            group=groups[int(shank)], location="unknown", rel_x=float(x_um), rel_y=float(y_um)
        )


def _add_units(file: Any, result: SortResult) -> None:
    columns = {name: column for name, column in unit_properties(result).items() if name != "id"}
    for name in columns:
        file.add_unit_column(name, DESCRIPTIONS.get(name, name.replace("_", " ")))
    file.add_unit_column("spike_probability", "Probability that each spike is its unit's", index=1)
    rate_hz, order = result.sorting.sampling_rate_hz, _spikes_by_unit(result)
    duration_s = result.sorting.duration_s
    for unit, unit_id in enumerate(result.sorting.unit_ids):
        file.add_unit(
            id=int(unit_id),
            spike_times=result.sorting.sample_index[order[unit]] / rate_hz,
            obs_intervals=[[0.0, duration_s]],
            waveform_mean=result.templates.waveforms_uv[unit] * VOLT_PER_UV,
            electrodes=list(range(result.geometry.n_channels)),
            spike_probability=result.spike_probability[order[unit]].astype(np.float64),
            **{name: _plain(column[unit]) for name, column in columns.items()},
        )
    if result.sorting.n_units:
        file.units.waveform_rate = rate_hz


def _spikes_by_unit(result: SortResult) -> list[NDArray[np.int64]]:
    order = np.argsort(result.sorting.unit_index, kind="stable")
    return np.split(order, np.cumsum(result.sorting.spike_counts())[:-1])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
