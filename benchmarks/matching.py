"""Template matching by itself: accuracy given the true templates, and the speed of the scores.

    python benchmarks/matching.py [--seconds 20] [--units 24] [--seed 7]

The templates are the medians of the white snippets at the true times, so that nothing but the
matching decides. The scenes differ in how often spikes overlap.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from threadpoolctl import threadpool_limits

from embersort.config import MatchConfig, SortConfig
from embersort.evaluation.comparison import compare
from embersort.matching.bank import make_bank
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.score import score_templates
from embersort.matching.single_fit import fit_criteria
from embersort.signal import Window, cut_snippets, make_front
from embersort.simulate import Scene, simulate
from embersort.simulate.trains import TrainsConfig
from embersort.templates.sparse import sparse
from embersort.types import Sorting

SCENES = {
    "usual (5 to 10 Hz)": TrainsConfig(),
    "busy (15 to 40 Hz)": TrainsConfig(rate_min_hz=15, rate_max_hz=40),
    "synchronous (half of the spikes)": TrainsConfig(synchrony=0.5),
}


class Whitened:
    """White traces of a simulation, tile by tile, with a margin on either side."""

    def __init__(self, recording) -> None:
        front = make_front(recording, SortConfig())
        self.window, self.tiles, self.margin = front.window, front.tiles(), front.extra
        self.traces = [front.white_tile(tile) for tile in self.tiles]

    def templates(self, truth: Sorting) -> np.ndarray:
        """Return the median white snippet of each true unit."""
        n_channels = self.traces[0].shape[1]
        whole = Window(
            n_before=self.window.n_before,
            n_after=self.window.n_after,
            neighbours=np.tile(np.arange(n_channels), (n_channels, 1)),
        )
        snippets = [[] for _ in range(truth.n_units)]
        for tile, traces in zip(self.tiles, self.traces, strict=True):
            rows = (truth.sample_index >= tile.start) & (truth.sample_index < tile.stop)
            sample = truth.sample_index[rows] - tile.start + self.margin
            cut = cut_snippets(traces, sample, np.zeros(len(sample), np.int64), whole)
            for unit in range(truth.n_units):
                snippets[unit].append(cut[truth.unit_index[rows] == unit])
        return np.stack([np.median(np.concatenate(part), axis=0) for part in snippets])


def match(white: Whitened, bank, truth: Sorting) -> tuple[Sorting, float]:
    """Return the spikes found, and the seconds that finding them took."""
    samples, units = [], []
    terms = fit_criteria(MatchConfig(), truth.sampling_rate_hz)
    match_templates(white.traces[0][:3000], bank, terms)
    start = time.perf_counter()
    for tile, traces in zip(white.tiles, white.traces, strict=True):
        matches, _ = match_templates(traces, bank, terms)
        sample = matches.sample_index + tile.start - white.margin
        inside = (sample >= tile.start) & (sample < tile.stop)
        samples.append(sample[inside])
        units.append(matches.unit_index[inside])
    seconds = time.perf_counter() - start
    found = Sorting(
        sample_index=np.concatenate(samples),
        unit_index=np.concatenate(units),
        unit_ids=truth.unit_ids,
        sampling_rate_hz=truth.sampling_rate_hz,
        n_samples=truth.n_samples,
    )
    return found, seconds


def multiply_adds_per_second(white: Whitened, bank) -> float:
    """Return the rate of the scores, projection and all, the best of five rounds."""
    n_samples = len(white.traces[0])
    work = bank.temporal.size * (n_samples - bank.n_window + 1)
    best = 0.0
    for _ in range(5):
        start = time.perf_counter()
        score_templates(white.traces[0], bank)
        best = max(best, work / (time.perf_counter() - start))
    return best


def main() -> None:
    """Print a row per scene."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--units", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    print("| scene | overlapping | accuracy | precision | recall | s | GMAC/s |")
    print("|---|---|---|---|---|---|---|")
    for name, trains in SCENES.items():
        scene = Scene.parse({"cells": {"n_units": options.units}, "seed": options.seed})
        scene = scene.model_copy(update={"trains": trains, "duration_s": options.seconds})
        simulation = simulate(scene)
        truth = simulation.truth.sorting
        white = Whitened(simulation.recording)
        bank = make_bank(sparse(white.templates(truth)), white.window.n_before)
        with threadpool_limits(limits=1):
            found, seconds = match(white, bank, truth)
            rate = multiply_adds_per_second(white, bank)
        score = compare(truth, found)
        print(
            f"| {name} | {simulation.truth.spike_overlaps.mean():.0%} "
            f"| {score.accuracy.mean():.4f} | {score.precision.mean():.4f} "
            f"| {score.recall.mean():.4f} | {seconds:.2f} "
            f"| {rate / 1e9:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
