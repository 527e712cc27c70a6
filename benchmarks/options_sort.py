"""The whole task with either feature stage: sort scenes of held-out cells, compare with the truth.

    python benchmarks/options_sort.py --seeds 3

prints the last table of ``benchmarks/studies/embedding.md``, by the one-to-one rule.
"""

from __future__ import annotations

import argparse
import time

from embersort.config import SortConfig
from embersort.evaluation.comparison import compare
from embersort.recording import ArrayRecording
from embersort.simulate.families import family_scene
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.sorting.recipe import sort
from embersort.training.options_page import mean_interval

FAMILIES = (("noise", 0.5), ("drift", 0.4), ("bursting", 0.5), ("overlap", 0.5))
METHODS = ("pca", "encoder")
DURATION_S = 60.0
TETRODE = {"probe": {"kind": "tetrode"}, "cells": {"n_units": 7, "min_snr": 5.0}}


def main() -> None:
    """Print one line per scene and method, then the mean gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    gains: list[float] = []
    print(
        "| scene | method | accuracy | well detected | units | CPU s |\n|---|---|---|---|---|---|"
    )
    for seed in range(arguments.seeds):
        for scene in scenes(seed):
            accuracy = [sorted_accuracy(scene, method) for method in METHODS]
            gains.append(accuracy[1] - accuracy[0])
    mean, low, high = mean_interval(gains)
    print(f"\nencoder - pca: {mean:+.3f} [{low:+.3f}, {high:+.3f}] over {len(gains)} scenes")


def scenes(seed: int) -> list[Scene]:
    """Return the scenes of one seed, all of cells that training never saw."""
    drawn = [family_scene(family, difficulty, seed=seed) for family, difficulty in FAMILIES]
    drawn.append(Scene.parse({"name": "tetrode", "seed": seed, **TETRODE}))
    return [
        scene.model_copy(
            update={
                "duration_s": DURATION_S,
                "cells": scene.cells.model_copy(update={"split": "heldout"}),
            }
        )
        for scene in drawn
    ]


def sorted_accuracy(scene: Scene, method: str) -> float:
    """Sort a scene, print its line, return the mean accuracy over its units."""
    simulation = simulate(scene)
    recording = ArrayRecording(
        traces=simulation.recording.read(0, simulation.recording.n_samples),
        sampling_rate_hz=scene.sampling_rate_hz,
        geometry=simulation.recording.geometry,
    )
    start = time.process_time()
    result = sort(recording, SortConfig.parse({"feature": {"method": method}}))
    seconds = time.process_time() - start
    found = compare(simulation.truth.sorting, result.sorting)
    well = int((found.accuracy >= 0.8).sum())
    print(
        f"| {scene.name}, seed {scene.seed} | {method} | {found.accuracy.mean():.3f} "
        f"| {well} / {len(found.accuracy)} | {result.sorting.n_units} | {seconds:.0f} |",
        flush=True,
    )
    return float(found.accuracy.mean())


if __name__ == "__main__":
    main()
