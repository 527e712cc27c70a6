"""Sorted scenes with known truth: what confidence is learned from."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from embersort.confidence.evidence import Evidence
from embersort.config import Config
from embersort.evaluation.comparison import FoundScores, compare
from embersort.recording import ArrayRecording
from embersort.simulate.families import FAMILIES, family_scene
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.training.scenes import SceneDraw, Split, draw_scene
from embersort.types import BoolArray, Events, FloatArray, Geometry, Recording, Sorting

SortEvidence = Callable[[Recording], Evidence]
"""Sorts a recording; what is learned depends on nothing else of the sorter."""

FIRST_INDEX = 10_000
"""Drawn scenes from here on: the spike networks were trained on, and scored by, lower ones."""

LEFT_OUT = ("large-array",)
"""Families that cost more than they teach."""
EASIEST, HARDEST = 0.1, 0.9
"""Difficulties between which the scenes of a family are spread."""
DURATION_STREAM, ORDER_STREAM = 3, 4
"""First words of the seeds from which durations, and the order of scenes, are drawn."""


class CaseDraw(Config):
    """Which scenes are sorted."""

    scene: SceneDraw = SceneDraw(duration_s=40.0, max_channels=16)
    """Ranges of the drawn scenes."""
    min_duration_s: float = Field(12.0, gt=0)
    """Shortest scene; durations are log-uniform up to that of ``scene``."""
    n_drawn: int = Field(200, ge=0)
    """Scenes drawn at random."""
    n_per_family: int = Field(12, ge=0)
    """Scenes of each family, evenly spread from easy to hard."""
    max_scenes: int = Field(0, ge=0)
    """Only the first so many of all these, which are a fair sample of them; 0 means all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One sorted scene.

    Attributes
    ----------
    name : str
    evidence : Evidence
    spike_correct : ndarray, shape (n_spikes,), bool
        Whether each spike is one of the true unit that its unit agrees most with.
    scores : FoundScores
        Of each found unit.
    matched_accuracy : ndarray, shape (n_units,), float64
        Accuracy by the one-to-one rule; 0 where a unit answers no true one.
    """

    name: str
    evidence: Evidence
    spike_correct: BoolArray
    scores: FoundScores
    matched_accuracy: FloatArray


def draw_scenes(draw: CaseDraw, split: Split) -> list[Scene]:
    """Return the scenes of a split: drawn ones and those of families, of its cells alone.

    They come in an order drawn at random, always the same.
    """
    scenes = [draw_scene(draw.scene, split, FIRST_INDEX + index) for index in range(draw.n_drawn)]
    middle = (np.arange(draw.n_per_family) + 0.5) / max(draw.n_per_family, 1)
    difficulties = (EASIEST + (HARDEST - EASIEST) * middle).round(3).tolist()
    scenes += [
        family_scene(family, difficulty, seed=FIRST_INDEX + index)
        for family in FAMILIES
        if family not in LEFT_OUT
        for index, difficulty in enumerate(difficulties)
    ]
    order = np.random.default_rng(ORDER_STREAM).permutation(len(scenes))
    chosen = order[: draw.max_scenes or None]
    return [_fitted(scenes[index], draw, split) for index in chosen]


def make_case(recording: Recording, truth: Sorting, name: str, sort: SortEvidence) -> Case:
    """Sort a recording and judge what was found."""
    evidence = sort(recording)
    found = compare(truth, evidence.sorting)
    matched = np.zeros(evidence.sorting.n_units)
    answered = found.matched_index >= 0
    matched[found.matched_index[answered]] = found.accuracy[answered]
    return Case(
        name=name,
        evidence=evidence,
        spike_correct=found.found_spike_agrees,
        scores=found.found_scores,
        matched_accuracy=matched,
    )


def scene_cases(scenes: list[Scene], folder: Path, sort: SortEvidence) -> Iterator[Case]:
    """Sort scenes, or read those that an earlier run has sorted.

    Parameters
    ----------
    scenes : list of Scene
    folder : Path
        One file per scene. Use another one after a change of the sorter.
    sort : callable
    """
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        content = hashlib.sha256(scene.model_dump_json().encode()).hexdigest()
        path = folder / f"{scene.name}-{content[:12]}.npz"
        if path.exists():
            yield load_case(path)
            continue
        made = simulate(scene)
        case = make_case(_held(made.recording), made.truth.sorting, scene.name, sort)
        save_case(case, path)
        yield case


def save_case(case: Case, path: Path) -> None:
    """Write a case in one move."""
    evidence, sorting = case.evidence, case.evidence.sorting
    facts = {"name": case.name, "rate_hz": sorting.sampling_rate_hz, "n_samples": sorting.n_samples}
    arrays = {name: getattr(evidence, name) for name in _ARRAYS}
    arrays |= {name: getattr(case.scores, name) for name in _SCORES}
    handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez(
            file,
            facts=json.dumps(facts),
            sample_index=sorting.sample_index,
            unit_index=sorting.unit_index,
            event_sample=evidence.events.sample_index,
            event_channel=evidence.events.channel_index,
            event_amplitude=evidence.events.amplitude,
            positions_um=evidence.geometry.positions_um,
            shank_index=evidence.geometry.shank_index,
            spike_correct=case.spike_correct,
            matched_accuracy=case.matched_accuracy,
            **arrays,
        )
    Path(unfinished).replace(path)


def load_case(path: Path) -> Case:
    """Read what `save_case` has written."""
    with np.load(path, allow_pickle=False) as file:
        values = {name: file[name] for name in file.files}
    facts = json.loads(str(values["facts"]))
    sorting = Sorting(
        sample_index=values["sample_index"],
        unit_index=values["unit_index"],
        unit_ids=np.arange(len(values["snr"])),
        sampling_rate_hz=facts["rate_hz"],
        n_samples=facts["n_samples"],
    )
    events = Events(
        sample_index=values["event_sample"],
        channel_index=values["event_channel"],
        amplitude=values["event_amplitude"],
    )
    geometry = Geometry(positions_um=values["positions_um"], shank_index=values["shank_index"])
    return Case(
        name=facts["name"],
        evidence=Evidence(
            sorting=sorting,
            events=events,
            geometry=geometry,
            **{name: values[name] for name in _ARRAYS},
        ),
        spike_correct=values["spike_correct"],
        scores=FoundScores(**{name: values[name] for name in _SCORES}),
        matched_accuracy=values["matched_accuracy"],
    )


_ARRAYS = ("gain", "scale", "codes", "channel_index", "basis", "neighbours", "means", "snr")
_SCORES = ("accuracy", "precision", "recall")


def _fitted(scene: Scene, draw: CaseDraw, split: Split) -> Scene:
    """Return a scene with the cells of its split and a duration of its own."""
    share = np.random.default_rng([DURATION_STREAM, scene.seed]).random()
    duration_s = draw.min_duration_s * (draw.scene.duration_s / draw.min_duration_s) ** share
    cells = scene.cells.model_copy(update={"split": split})
    return scene.model_copy(update={"cells": cells, "duration_s": round(duration_s, 1)})


def _held(recording: Recording) -> Recording:
    """Return the recording rendered once; scenes are small."""
    return ArrayRecording(
        traces=recording.read(0, recording.n_samples),
        sampling_rate_hz=recording.sampling_rate_hz,
        geometry=recording.geometry,
    )
