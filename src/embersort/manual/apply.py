"""A step of curation applied to a result."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.manual.step import Step
from embersort.quality.metrics import unit_table
from embersort.types import Sorting, SortResult, Templates


def apply_step(result: SortResult, step: Step) -> SortResult:
    """Return a result after a step of curation.

    Units that the step does not change keep all that is known of them. Of new units, spikes,
    rate, place, height, refractory violations and presence are measured anew. Their template is
    the mean of those of the spikes' old units, and their predicted accuracy is not known (NaN).

    Parameters
    ----------
    result : SortResult
    step : Step
        For as many spikes as the result has.

    Raises
    ------
    BadInput
        If the step is for another number of spikes.

    Notes
    -----
    Cost O(n_spikes + n_units · n_samples · n_channels).
    """
    sorting = result.sorting
    if len(step.unit_id_of_spike) != sorting.n_spikes:
        raise BadInput(
            f"the curation is of {len(step.unit_id_of_spike)} spikes, the result has "
            f"{sorting.n_spikes}; apply it to the result that it was made on"
        )
    kept = step.unit_id_of_spike >= 0
    empty = sorting.unit_ids[sorting.spike_counts() == 0]
    ids = np.union1d(step.unit_id_of_spike[kept], empty)
    new_index = np.searchsorted(ids, step.unit_id_of_spike[kept])
    curated = dataclasses.replace(
        sorting, sample_index=sorting.sample_index[kept], unit_index=new_index, unit_ids=ids
    )
    # How many spikes each unit has from each old one.
    share = np.zeros((len(ids), sorting.n_units))
    np.add.at(share, (new_index, sorting.unit_index[kept]), 1)
    same = _unchanged(share, ids, sorting)
    templates = _mixed(result.templates, share, same)
    table = _table(result, curated, templates, same)
    return dataclasses.replace(
        result,
        sorting=curated,
        templates=templates,
        spike_amplitude=result.spike_amplitude[kept],
        spike_probability=result.spike_probability[kept],
        spike_position_um=result.spike_position_um[kept],
        embedding=result.embedding[kept],
        unit_table=_labelled(table, ids, step),
    )


def _unchanged(share: NDArray[np.float64], ids: Any, sorting: Sorting) -> NDArray[np.int64]:
    """Return the position of the old unit that each unit is still, or -1 for a new one."""
    old = {int(unit): index for index, unit in enumerate(sorting.unit_ids)}
    counts = sorting.spike_counts()
    same = np.full(len(ids), -1)
    for index, unit in enumerate(ids):
        before = old.get(int(unit), -1)
        if before >= 0 and share[index, before] == share[index].sum() == counts[before]:
            same[index] = before
    return same


def _mixed(templates: Templates, share: NDArray[np.float64], same: NDArray[np.int64]) -> Templates:
    """Return a template for each unit: its own, or the mean over its spikes' old units."""
    waves = templates.waveforms_uv
    total = np.maximum(share.sum(axis=1, keepdims=True), 1)
    mixed = np.tensordot(share / total, waves, axes=1).astype(np.float32)
    mixed[same >= 0] = waves[same[same >= 0]]
    return Templates(waveforms_uv=mixed, n_before=templates.n_before)


def _table(
    result: SortResult, curated: Sorting, templates: Templates, same: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Return the unit table: what was known of units that stay, what is measured of new ones."""
    measured = unit_table(curated, templates.waveforms_uv, _noise_uv(result), result.geometry)
    is_new = same < 0
    table: dict[str, NDArray[Any]] = {}
    for name, column in result.unit_table.items():
        if not is_new.any():
            table[name] = np.asarray(column)[same]
            continue
        column = np.asarray(column)
        if name in measured:
            kind = measured[name].dtype
            values = column[same].astype(kind) if len(column) else np.zeros(len(same), kind)
            table[name] = np.where(is_new, measured[name], values)
        elif column.dtype.kind in "USb":
            table[name] = np.where(is_new, column.dtype.type(), column[same])
        else:
            table[name] = np.where(is_new, np.nan, column[same].astype(np.float64))
    return table


def _noise_uv(result: SortResult) -> NDArray[np.float64]:
    """Return the noise of each channel as the units' signal-to-noise ratios tell it."""
    waves = result.templates.waveforms_uv
    noise = np.zeros(result.geometry.n_channels)
    snr = np.asarray(result.unit_table.get("snr", np.zeros(len(waves))), np.float64)
    depth = np.abs(waves).max(axis=1, initial=0)
    if not depth.size:
        return noise
    peak = np.argmax(waves.max(axis=1) - waves.min(axis=1), axis=1)
    known = np.isfinite(snr) & (snr > 0)
    noise[peak[known]] = depth[np.flatnonzero(known), peak[known]] / snr[known]
    known_noise = noise[noise > 0]
    noise[noise == 0] = np.median(known_noise) if len(known_noise) else 0.0
    return noise


def _labelled(
    table: dict[str, NDArray[Any]], ids: NDArray[np.int64], step: Step
) -> dict[str, NDArray[Any]]:
    """Return the table with the labels of a step; units that it does not name keep theirs."""
    after = dict(table)
    for column, by_unit in step.labels.items():
        before = after.get(column, np.full(len(ids), ""))
        said = [by_unit.get(int(unit), str(old)) for unit, old in zip(ids, before, strict=True)]
        after[column] = np.array(said, dtype=np.str_)
    return after
