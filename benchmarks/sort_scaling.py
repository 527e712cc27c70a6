"""How processor time and memory of a sort grow with duration and with channels.

    OPENBLAS_NUM_THREADS=1 python benchmarks/sort_scaling.py [--seconds 60 180 600]
        [--channels 32 128 384] [--kinds static drifting] [--workers 1]

Every duration with the first number of channels, then every other number of channels with the first
duration. Scenes are rendered as they are read, so that none is held; the time that this takes is
taken off. A process each; its peak memory includes the packages and the scene.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time

import numpy as np

from embersort.cli.profile import CountedRecording
from embersort.config import RunConfig, SortConfig
from embersort.evaluation.comparison import compare
from embersort.machine import peak_memory_mb
from embersort.simulate import Scene, simulate
from embersort.sorting import sort
from embersort.types import Recording

KINDS = {"static": {"kind": "none"}, "drifting": {"kind": "sine", "amplitude_um": 20.0}}
UNITS_PER_CHANNEL = 0.8
WARM_UP_S = 5.0


class TimedReads(CountedRecording):
    """A recording that counts the processor time of its reading."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self.cpu_s = 0.0

    def read(self, start_sample: int, stop_sample: int) -> np.ndarray:
        """Return traces in microvolt."""
        started = time.thread_time()
        traces = super().read(start_sample, stop_sample)
        with self._lock:
            self.cpu_s += time.thread_time() - started
        return traces


def scene(kind: str, seconds: float, n_channels: int) -> Scene:
    """Return a scene of a size."""
    return Scene.parse(
        {
            "seed": 1,
            "duration_s": seconds,
            "probe": {"n_channels": n_channels},
            "cells": {"n_units": round(UNITS_PER_CHANNEL * n_channels), "split": "heldout"},
            "drift": KINDS[kind],
        }
    )


def measure(kind: str, seconds: float, n_channels: int, workers: int) -> str:
    """Sort a scene; return a row of the table."""
    config = SortConfig(run=RunConfig(n_workers=workers))
    sort(simulate(scene(kind, WARM_UP_S, n_channels)).recording, config)
    simulation = simulate(scene(kind, seconds, n_channels))
    recording = TimedReads(simulation.recording)
    started = time.process_time()
    found = sort(recording, config).sorting
    cpu_s = time.process_time() - started - recording.cpu_s
    accuracy = compare(simulation.truth.sorting, found).accuracy.mean()
    return (
        f"| {kind} | {n_channels} | {seconds:g} | {found.n_spikes} | {cpu_s:.1f} "
        f"| {1000 * cpu_s / (seconds * n_channels):.2f} | {recording.cpu_s:.1f} "
        f"| {peak_memory_mb() or float('nan'):.0f} | {accuracy:.2f} |"
    )


def main() -> None:
    """Print a row per size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[60.0, 180.0, 600.0])
    parser.add_argument("--channels", type=int, nargs="+", default=[32, 128, 384])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    sizes = [(seconds, options.channels[0]) for seconds in options.seconds]
    sizes += [(options.seconds[0], n_channels) for n_channels in options.channels[1:]]
    print(
        "| scene | channels | s | spikes | CPU s | CPU ms per s and channel | CPU s of rendering "
        f"| peak MB | accuracy |\n|{'---|' * 9}"
    )
    for kind in options.kinds:
        for seconds, n_channels in sizes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                row = pool.apply(measure, (kind, seconds, n_channels, options.workers))
            print(row, flush=True)


if __name__ == "__main__":
    main()
