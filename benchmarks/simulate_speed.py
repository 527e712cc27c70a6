"""How fast scenes are made and rendered: wall and CPU seconds, memory, beside other generators.

    python benchmarks/simulate_speed.py [--seconds 30] [--workers 2] [--others]

``--others`` also times SpikeInterface's generator on a recording of the same size; for MEArec's
see simulate_mearec.py.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from embersort.simulate import Scene, simulate

SMALL = {"probe": {"n_channels": 32}, "cells": {"n_units": 40}}
LARGE = {
    "probe": {"n_channels": 384, "n_columns": 2, "pitch_um": 20.0, "column_pitch_um": 32.0},
    "cells": {"n_units": 300},
    "drift": {"kind": "sine", "amplitude_um": 20.0},
    "trains": {"rate_min_hz": 2.0, "rate_max_hz": 10.0},
}
CHUNK_S = 2.0


def render(values: dict, seconds: float, workers: int) -> dict:
    """Make a scene and read all of it, chunk by chunk, on threads."""
    scene = Scene.parse({**values, "duration_s": seconds})
    simulate(scene.model_copy(update={"duration_s": 1.0})).recording.read(0, 9000)
    wall, cpu = time.perf_counter(), time.process_time()
    recording = simulate(scene).recording
    made_wall, made_cpu = time.perf_counter() - wall, time.process_time() - cpu
    step = int(CHUNK_S * recording.sampling_rate_hz)
    starts = range(0, recording.n_samples, step)

    def read(start: int) -> float:
        return float(recording.read(start, min(start + step, recording.n_samples))[0, 0])

    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(read, starts))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "make_wall_s": made_wall,
        "make_cpu_s": made_cpu,
        "render_wall_s": wall,
        "render_cpu_s": cpu,
        "times_real_time_wall": seconds / wall,
        "times_real_time_per_core": seconds / cpu,
    }


def training_events(seconds: float) -> dict:
    """Make a scene, detect, cut and label its events, as training does, on one thread."""
    from embersort.training.event_sets import make_event_set

    values = {**SMALL, "trains": {"rate_min_hz": 10.0, "rate_max_hz": 30.0}}
    make_event_set(simulate(Scene.parse({**values, "duration_s": 3.0})))
    wall, cpu = time.perf_counter(), time.process_time()
    events = make_event_set(simulate(Scene.parse({**values, "duration_s": seconds})))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "n_events": events.n_events,
        "all_wall_s": wall,
        "all_cpu_s": cpu,
        "events_per_s_and_core": events.n_events / cpu,
    }


def spikeinterface_generator(seconds: float) -> dict:
    """Time SpikeInterface's lazy generator: 32 channels, 40 units."""
    from spikeinterface.core import generate_ground_truth_recording

    wall, cpu = time.perf_counter(), time.process_time()
    recording, _ = generate_ground_truth_recording(
        durations=[seconds], sampling_frequency=30000.0, num_channels=32, num_units=40, seed=0
    )
    step = int(CHUNK_S * 30000)
    for start in range(0, int(seconds * 30000), step):
        recording.get_traces(start_frame=start, end_frame=min(start + step, int(seconds * 30000)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"all_wall_s": wall, "all_cpu_s": cpu, "times_real_time_per_core": seconds / cpu}


def report(name: str, function: Callable[..., dict], *arguments: object) -> None:
    """Run in a process of its own and print one JSON line with its peak memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        figures, peak_mb = pool.apply(_measured, (function, arguments))
    figures = {key: round(value, 3) for key, value in figures.items()}
    print(json.dumps({"what": name, **figures, "peak_mb": round(peak_mb)}), flush=True)


def _measured(function: Callable[..., dict], arguments: tuple) -> tuple[dict, float]:
    figures = function(*arguments)
    return figures, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one JSON line per recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--others", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    seconds, workers = options.seconds, options.workers
    report(f"32 channels, 40 units, {seconds:g} s", render, SMALL, seconds, workers)
    report(f"32 channels, 40 units, {4 * seconds:g} s", render, SMALL, 4 * seconds, workers)
    report(
        f"384 channels, 300 units, drift, {seconds / 3:g} s", render, LARGE, seconds / 3, workers
    )
    report("labelled training events, 32 channels, 40 units", training_events, seconds)
    if options.others:
        report("SpikeInterface, 32 channels, 40 units", spikeinterface_generator, seconds)


if __name__ == "__main__":
    main()
