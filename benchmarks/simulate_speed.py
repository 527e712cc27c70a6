"""How fast scenes are made and rendered: wall and CPU seconds, memory, beside other generators.

    python benchmarks/simulate_speed.py [--seconds 30] [--workers 2] [--others]
                                        [--only rendering|events]

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
from embersort.training.scenes import SceneDraw, draw_scene

SMALL = {"probe": {"n_channels": 32}, "cells": {"n_units": 40}}
LARGE = {
    "probe": {"n_channels": 384, "n_columns": 2, "pitch_um": 20.0, "column_pitch_um": 32.0},
    "cells": {"n_units": 300},
    "drift": {"kind": "sine", "amplitude_um": 20.0},
    "trains": {"rate_min_hz": 2.0, "rate_max_hz": 10.0},
}
CHUNK_S = 2.0
N_BATCHES = 40


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


def training_events(scenes: list[Scene], workers: int) -> dict:
    """Make scenes, detect, cut and label their events, as training does; then draw batches.

    ``n_events`` counts each event once, ``delivered`` every time that it stands in a local set.
    """
    from embersort.training.event_sets import make_event_sets
    from embersort.training.spike_batches import BatchConfig, draw_batch

    short = [scene.model_copy(update={"duration_s": 3.0}) for scene in scenes]
    draw_batch(list(make_event_sets(short, 1)), BatchConfig(n_events=64), 0, 0)
    wall, cpu = time.perf_counter(), time.process_time()
    sets = list(make_event_sets(scenes, workers))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n_events = sum(events.n_events for events in sets)
    batch_cpu = time.process_time()
    batches = [draw_batch(sets, BatchConfig(), 0, step) for step in range(N_BATCHES)]
    batch_cpu = time.process_time() - batch_cpu
    delivered = sum(int(batch.event_mask.sum()) for batch in batches)
    return {
        "recorded_s": sum(scene.duration_s for scene in scenes),
        "n_events": n_events,
        "all_wall_s": wall,
        "all_cpu_s": cpu,
        "events_per_wall_s": n_events / wall,
        "events_per_cpu_s": n_events / cpu,
        "delivered_per_cpu_s": delivered / batch_cpu,
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


def report_rendering(seconds: float, workers: int) -> None:
    """Print one line per scene rendered."""
    report(f"32 channels, 40 units, {seconds:g} s", render, SMALL, seconds, workers)
    report(f"32 channels, 40 units, {4 * seconds:g} s", render, SMALL, 4 * seconds, workers)
    report(
        f"384 channels, 300 units, drift, {seconds / 3:g} s", render, LARGE, seconds / 3, workers
    )


def report_events(seconds: float, workers: int) -> None:
    """Print two lines for a busy scene of our own and two for scenes as training draws them.

    The second of each has noise from hashed counters instead of NumPy's Philox.
    """
    busy = {**SMALL, "trains": {"rate_min_hz": 10.0, "rate_max_hz": 30.0}, "duration_s": seconds}
    scenes = [Scene.parse({**busy, "seed": seed}) for seed in range(2 * workers)]
    drawn = [draw_scene(SceneDraw(), "train", index) for index in range(4 * workers)]
    for generator in ("philox", "hashed"):
        for name, group in ((f"32 channels, 40 units, {seconds:g} s", scenes), ("recipe", drawn)):
            noisy = [_with_generator(scene, generator) for scene in group]
            report(f"events, {name}, {generator}", training_events, noisy, workers)


def _with_generator(scene: Scene, generator: str) -> Scene:
    noise = scene.noise.model_copy(update={"generator": generator})
    return scene.model_copy(update={"noise": noise})


def main() -> None:
    """Print one JSON line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--only", choices=("rendering", "events"))
    options = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print(json.dumps({"load_average": os.getloadavg(), "cores": os.cpu_count()}), flush=True)
    if options.only != "events":
        report_rendering(options.seconds, options.workers)
    if options.only != "rendering":
        report_events(options.seconds, options.workers)
    if options.others:
        report("SpikeInterface, 32 channels, 40 units", spikeinterface_generator, options.seconds)


if __name__ == "__main__":
    main()
