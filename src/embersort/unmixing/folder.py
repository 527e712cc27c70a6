"""The result folder of an unmixing: arrays, SpikeInterface folders, picture, scores."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.output import RUN_FILE, new_folder
from embersort.recording import save_sorting, sorting_to_spikeinterface
from embersort.signal import tile_grid
from embersort.simulate.files import save_recording
from embersort.simulate.simulation import Simulation
from embersort.simulate.sources import UnitSource
from embersort.types import Recording
from embersort.units import s_to_samples
from embersort.unmixing.picture import unmixing_svg
from embersort.unmixing.result import ARRAYS_FILE, PeakTraces, Unmixing, save_unmixing
from embersort.unmixing.scores import UnmixingScores, score_unmixing, spike_scores, summary
from embersort.unmixing.stretch import take_stretch
from embersort.unmixing.truth import filtered_sources
from embersort.unmixing.unmix import Prepared, Progress, counted, say_nothing

PICTURE_FILE, SCORES_FILE = "unmixed.svg", "scores.json"
SORTING_FOLDER, TRACES_FOLDER = "sorting", "peak_traces"
SHOWN_S = 0.2
"""Length of the stretch that is drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """An unmixing held against the truth.

    Attributes
    ----------
    sources : tuple of UnitSource
        The true units' own traces, filtered.
    scores : UnmixingScores
    summary : dict
        Plain numbers, for ``scores.json`` and the terminal.
    """

    sources: tuple[UnitSource, ...]
    scores: UnmixingScores
    summary: dict[str, Any]


def score(
    prepared: Prepared,
    unmixing: Unmixing,
    simulation: Simulation,
    progress: Progress | None = None,
) -> Scored:
    """Score an unmixing of a simulated recording."""
    recording, preprocessor = prepared.front.recording, prepared.front.preprocessor
    sources = filtered_sources(simulation, preprocessor)
    n_tiles = len(tile_grid(recording.n_samples, recording.sampling_rate_hz))
    advance = counted(progress or say_nothing, "scores", n_tiles)
    scores = score_unmixing(unmixing, recording, preprocessor, sources, advance)
    truth = simulation.truth
    spikes = spike_scores(truth.sorting, np.asarray(truth.spike_overlaps), unmixing.sorting)
    return Scored(sources=sources, scores=scores, summary=summary(scores, spikes))


def shown_range(recording: Recording, shown_from_s: float | None) -> tuple[int, int]:
    """Return the samples of the stretch that is drawn: from a time, or in the middle.

    Raises
    ------
    BadInput
        If the time lies outside the recording.
    """
    length = min(s_to_samples(SHOWN_S, recording.sampling_rate_hz), recording.n_samples)
    if shown_from_s is None:
        start = (recording.n_samples - length) // 2
        return start, start + length
    start = s_to_samples(shown_from_s, recording.sampling_rate_hz)
    if not 0 <= start <= recording.n_samples - length:
        duration_s = recording.n_samples / recording.sampling_rate_hz
        raise BadInput(
            f"the picture of {SHOWN_S:g} s cannot begin at {shown_from_s:g} s of a recording of "
            f"{duration_s:g} s; give --shown-from within it"
        )
    return start, start + length


def write_unmixing(
    prepared: Prepared,
    unmixing: Unmixing,
    folder: Path,
    shown: tuple[int, int],
    facts: dict[str, Any],
    scored: Scored | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write everything, whole or not at all.

    Parameters
    ----------
    prepared : Prepared
    unmixing : Unmixing
    folder : Path
    shown : tuple of int
        Samples of the stretch that is drawn.
    facts : dict
        What ``run.json`` holds beside sizes and settings; the name of the ``recording`` at least.
    scored : Scored, optional
    overwrite : bool

    Raises
    ------
    BadInput
        If the folder exists and may not be replaced, or cannot be written.
    """
    stretch = take_stretch(
        prepared,
        unmixing,
        *shown,
        sources=() if scored is None else scored.sources,
        matched_index=None if scored is None else scored.scores.matched_index,
    )
    sorting = unmixing.sorting
    run = {
        **facts,
        "config": prepared.config.model_dump(),
        "n_units": sorting.n_units,
        "n_spikes": sorting.n_spikes,
        "n_bins": len(unmixing.bins.value_uv),
        "n_segments": prepared.embedder.segments.n_events,
        "shown_samples": list(shown),
    }
    with new_folder(folder, overwrite=overwrite, marker=RUN_FILE) as staging:
        save_unmixing(unmixing, staging / ARRAYS_FILE)
        save_sorting(sorting_to_spikeinterface(sorting), staging / SORTING_FOLDER)
        if sorting.n_units:
            save_recording(PeakTraces(unmixing=unmixing), staging / TRACES_FOLDER)
        (staging / PICTURE_FILE).write_text(unmixing_svg(stretch, str(facts["recording"])), "utf-8")
        _write_json(run, staging / RUN_FILE)
        if scored is not None:
            known = {k: v if np.isfinite(v) else None for k, v in scored.summary.items()}
            _write_json(known, staging / SCORES_FILE)


def _write_json(values: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(values, indent=1, default=float) + "\n", "utf-8")
