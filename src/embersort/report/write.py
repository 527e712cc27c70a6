"""One sort as one page: a file that opens by double-click, with no network, for years."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embersort.errors import BadInput
from embersort.quality.pairs import merge_candidates
from embersort.report import correlograms, page
from embersort.report.blocks import cut_blocks
from embersort.report.columns import unit_columns
from embersort.report.curators import curator_columns, masked_s, motion, suggestion
from embersort.report.neighbours import nearest_units, template_similarity
from embersort.report.overview import (
    pack_overview,
    pack_pair_templates,
    pack_traces,
    pack_trains,
    reach,
)
from embersort.report.truth import pack_confusion, truth_facts
from embersort.report.unit_page import UnitScene, pack_unit
from embersort.spike_pairs import REFRACTORY_MS
from embersort.types import FloatArray, Recording, SortResult

if TYPE_CHECKING:
    from embersort.evaluation.comparison import Comparison

SCHEMA = 1
"""Version of the data inside the page."""


def write_report(
    result: SortResult,
    path: Path | str,
    *,
    recording: Recording | None = None,
    comparison: Comparison | None = None,
    truth_snr: FloatArray | None = None,
    title: str = "Embersort report",
) -> Path:
    """Write the report of one sort: a single HTML file that needs nothing beside it.

    Parameters
    ----------
    path : path
        File to write; replaced at once when it is complete.
    recording : Recording, optional
        What was sorted; adds snippets, waveform density and traces.
    comparison : Comparison, optional
        Adds the page on accuracy against the truth.
    truth_snr : ndarray, shape (n_true_units,), optional
        Signal-to-noise ratio of each true unit of ``comparison``.
    title : str
        Shown at the head of the page.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    BadInput
        If recording or comparison do not belong to the result.

    Notes
    -----
    Counts are kept per block of time, spikes as a sample, so the size is bounded by the number
    of units: about 30 kB each. Cost O(n_spikes · pairs within 50 ms) and 80 short reads a unit.
    """
    _check(result, recording, comparison, truth_snr)
    scene = _scene(result, recording)
    trains = [scene.train(unit_index) for unit_index in range(result.sorting.n_units)]
    packs = {"overview": pack_overview(result, scene.blocks, trains)}
    packs["trains"] = pack_trains(result, trains)
    packs["pair-templates"] = pack_pair_templates(result, reach(result))
    if recording is not None and recording.n_samples and recording.geometry.n_channels:
        packs["traces"] = pack_traces(result, recording)
    if comparison is not None:
        packs["truth"] = pack_confusion(comparison)
    for unit_index in range(result.sorting.n_units):
        packs[f"unit-{unit_index}"] = pack_unit(scene, unit_index)
    facts = _facts(scene, title)
    facts["has_traces"] = "traces" in packs
    facts["truth"] = (
        None if comparison is None else truth_facts(comparison, truth_snr, result.spike_probability)
    )
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(_labelled(page.render_report(facts, packs), result), encoding="utf-8")
    partial.replace(target)
    return target


def _labelled(text: str, result: SortResult) -> str:
    """Return a page whose amplitudes are called counts where their gain is not known."""
    source = result.provenance.get("recording")
    if not isinstance(source, dict) or source.get("unit") != "counts":
        return text
    return text.replace("µV", "counts").replace("\\u00b5V", "counts")


def _check(
    result: SortResult,
    recording: Recording | None,
    comparison: Comparison | None,
    truth_snr: FloatArray | None,
) -> None:
    """Refuse what does not belong together."""
    if recording is not None and recording.geometry.n_channels != result.geometry.n_channels:
        raise BadInput(
            f"the recording has {recording.geometry.n_channels} channels, the sort result "
            f"{result.geometry.n_channels}; give the recording that was sorted"
        )
    if comparison is not None and len(comparison.found_ids) != result.sorting.n_units:
        raise BadInput(
            f"the comparison holds {len(comparison.found_ids)} found units, the sort result "
            f"{result.sorting.n_units}; compare this sort's own sorting with the truth"
        )
    if truth_snr is not None and (
        comparison is None or len(truth_snr) != len(comparison.truth_ids)
    ):
        raise BadInput("truth_snr needs a comparison with as many true units")


def _scene(result: SortResult, recording: Recording | None) -> UnitScene:
    """Compute what all unit pages share."""
    sorting = result.sorting
    order = np.argsort(sorting.unit_index, kind="stable")
    spikes = np.split(order, np.cumsum(sorting.spike_counts())[:-1]) if sorting.n_units else []
    similarity = template_similarity(result.templates)
    return UnitScene(
        result=result,
        recording=recording,
        blocks=cut_blocks(sorting.n_samples),
        spikes=spikes,
        similarity=similarity,
        nearest=nearest_units(similarity),
    )


def _facts(scene: UnitScene, title: str) -> dict[str, Any]:
    """Collect the plain values of the page."""
    result, sorting = scene.result, scene.result.sorting
    heads, values = unit_columns(result, curator_columns(scene))
    return {
        "schema": SCHEMA,
        "title": title,
        "sampling_rate_hz": sorting.sampling_rate_hz,
        "duration_s": sorting.duration_s,
        "n_spikes": sorting.n_spikes,
        "block_edges_s": [float(e / sorting.sampling_rate_hz) for e in scene.blocks.edges_samples],
        "unit_ids": [int(unit_id) for unit_id in sorting.unit_ids],
        "columns": heads,
        "values": values,
        "positions_um": np.round(result.geometry.positions_um, 3).tolist(),
        "shank_index": result.geometry.shank_index.tolist(),
        "n_before": result.templates.n_before,
        "reach": reach(result),
        "n_window": result.templates.waveforms_uv.shape[1],
        "interval_edges_ms": np.round(correlograms.INTERVAL_EDGES_MS, 4).tolist(),
        "lag_bin_ms": correlograms.LAG_BIN_MS,
        "refractory_ms": REFRACTORY_MS,
        "pairs": [suggestion(pair) for pair in merge_candidates(result)],
        "threshold": _threshold(result),
        "masked_s": masked_s(result),
        "motion": motion(result),
        "timings_s": {name: round(float(t), 3) for name, t in result.timings_s.items()},
        "provenance": page.plain(result.provenance),
    }


def _threshold(result: SortResult) -> float | None:
    """Return the detection threshold that the sort says it used, in units of the noise."""
    parameters = result.provenance.get("parameters", {})
    detect = parameters.get("detect", {}) if isinstance(parameters, dict) else {}
    value = detect.get("threshold") if isinstance(detect, dict) else None
    return float(value) if isinstance(value, int | float) else None
