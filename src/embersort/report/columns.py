"""The columns of the unit table: what each is called, its unit, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.spike_pairs import REFRACTORY_MS
from embersort.types import FloatArray, SortResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """How one column of the unit table is shown.

    Attributes
    ----------
    name : str
        Key of the column in ``units.csv``.
    title, unit, meaning : str
        What the page shows in the head of the column and in its hint.
    n_decimals : int
    follows_time : bool
        Whether the page counts it anew for the chosen range of time.
    """

    name: str
    title: str
    unit: str = ""
    meaning: str = ""
    n_decimals: int = 2
    follows_time: bool = False
    is_detail: bool = False


KNOWN_COLUMNS = (
    Column(
        name="n_spikes", title="Spikes", meaning="Number of spikes", n_decimals=0, follows_time=True
    ),
    Column(name="rate_hz", title="Rate", unit="Hz", meaning="Spikes per second", follows_time=True),
    Column(
        name="predicted_accuracy",
        title="Pred. accuracy",
        meaning="How sure the sorter is of this unit: its expected accuracy, n_match / (n_match + "
        "n_missed + n_false), learned on simulated recordings with known truth",
    ),
    Column(
        name="predicted_accuracy_low",
        title="Accuracy from",
        meaning="Lower end of the interval that holds the accuracy of nine such units in ten",
        is_detail=True,
    ),
    Column(
        name="predicted_accuracy_high",
        title="Accuracy to",
        meaning="Upper end of that interval",
        is_detail=True,
    ),
    Column(
        name="predicted_precision",
        title="Pred. precision",
        meaning="Expected share of this unit's spikes that are its neuron's",
    ),
    Column(
        name="predicted_recall",
        title="Pred. recall",
        meaning="Expected share of the neuron's spikes that are in this unit",
    ),
    Column(
        name="snr",
        title="SNR",
        n_decimals=1,
        meaning="Height of the template at its peak channel over the noise there (MAD / 0.6745)",
    ),
    Column(
        name="amplitude_uv",
        title="Amplitude",
        unit="µV",
        n_decimals=1,
        meaning="Peak-to-peak height of the template at its peak channel",
    ),
    Column(
        name="isi_violations_ratio",
        title="ISI viol. ratio",
        meaning="Rate of refractory violations over the unit's rate (Hill et al. 2011): 0 is "
        "clean, 0.5 is as many as spikes at random have",
    ),
    Column(
        name="amplitude_cutoff",
        title="Ampl. cut-off",
        meaning="Estimated share of spikes missed below the threshold, from the shape of the "
        "amplitude histogram (Hill et al. 2011)",
    ),
    Column(
        name="similar_unit",
        title="Similar unit",
        n_decimals=0,
        meaning="The unit whose template is most like this one's",
    ),
    Column(
        name="similarity",
        title="Similarity",
        meaning="Cosine of the two templates",
    ),
    Column(
        name="d_prime",
        title="d′",
        n_decimals=1,
        meaning="Distance to the similar unit on the line that parts them best, in their widths; "
        "in the embedding. Below 2 the two overlap",
    ),
    Column(
        name="refractory_fraction",
        title="Refractory",
        unit="%",
        follows_time=True,
        meaning=f"Share of intervals below {REFRACTORY_MS:g} ms; a single neuron has next to none",
    ),
    Column(
        name="presence",
        title="Presence",
        follows_time=True,
        meaning="Share of the recording's blocks of time in which the unit fires",
    ),
    Column(name="x_um", title="x", unit="µm", n_decimals=0, meaning="Place across the probe"),
    Column(name="y_um", title="y", unit="µm", n_decimals=0, meaning="Place along the probe"),
    Column(
        name="peak_channel",
        title="Channel",
        n_decimals=0,
        meaning="Position in the recording of the channel on which the template is largest",
    ),
)
COUNTED_BY_THE_PAGE = ("n_spikes", "rate_hz", "refractory_fraction", "presence")
"""These come from the counts per block, so that they follow the chosen range of time."""


def unit_columns(
    result: SortResult, more: Mapping[str, NDArray[Any]] | None = None
) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    """Return how the columns of the unit table are shown, and their values.

    What the sorter wrote into ``unit_table`` is shown as it is; place, height, signal-to-noise
    ratio and peak channel are taken from the templates where it did not say.

    Parameters
    ----------
    result : SortResult
    more : mapping of str to ndarray, shape (n_units,), optional
        Columns that the table does not hold.

    Returns
    -------
    heads : list of dict
        One :class:`Column` each, known ones first.
    values : dict of str to list
        Plain values per unit; None where there is none. The columns that follow the range of
        time are not among them.
    """
    table = {name: np.asarray(column) for name, column in result.unit_table.items()}
    for name, column in {**_from_templates(result), **(more or {})}.items():
        table.setdefault(name, column)
    known = {column.name: column for column in KNOWN_COLUMNS}
    shown = [c for c in KNOWN_COLUMNS if c.name in table or c.follows_time]
    ignored = {"unit_id", *known}
    shown += [Column(name=name, title=name) for name in table if name not in ignored]
    values = {
        column.name: [_plain(value) for value in table[column.name]]
        for column in shown
        if not column.follows_time
    }
    return [asdict(column) for column in shown], values


def peak_to_peak_uv(waveforms_uv: FloatArray) -> FloatArray:
    """Return the height of each template on each channel, shape (n_units, n_channels)."""
    if waveforms_uv.shape[1] == 0:
        return np.zeros((waveforms_uv.shape[0], waveforms_uv.shape[2]))
    return np.ptp(waveforms_uv, axis=1)


def _from_templates(result: SortResult) -> dict[str, NDArray[Any]]:
    """Derive peak channel, height, place and signal-to-noise ratio of each unit."""
    height = peak_to_peak_uv(result.templates.waveforms_uv)
    weight = height**2
    total = np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    place = weight @ result.geometry.positions_um / total
    columns = {
        "peak_channel": height.argmax(axis=1),
        "amplitude_uv": height.max(axis=1),
        "x_um": place[:, 0],
        "y_um": place[:, 1],
    }
    counts = result.sorting.spike_counts()
    if result.sorting.n_spikes:
        summed = np.bincount(
            result.sorting.unit_index, np.abs(result.spike_amplitude), minlength=len(counts)
        )
        columns["snr"] = summed / np.maximum(counts, 1)
    return columns


def _plain(value: Any) -> Any:
    """Turn a NumPy value into what JSON holds; None for what is not finite."""
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer | int):
        return int(value)
    if isinstance(value, np.floating | float):
        return round(float(value), 5) if np.isfinite(value) else None
    return str(value)
