"""Unmix the talk's example, score it, and set template matching and ideal masks beside it.

    python benchmarks/unmixing.py --seeds 0 1 2 --duration 60
    python benchmarks/unmixing.py --seeds 0 1 2 --duration 60 --split heldout

prints the tables of ``benchmarks/studies/unmixing.md``: 32 channels at 30 kHz, 40 units,
5 to 10 Hz.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from embersort import sort
from embersort.cli.terminal import format_table
from embersort.config import RunConfig, SortConfig
from embersort.embedding.segment_weights import (
    load_neighbour_encoder,
    load_segment_weights,
    load_shipped_segment,
)
from embersort.evaluation.comparison import compare
from embersort.evaluation.separation import si_sdr_from_products
from embersort.recording import ArrayRecording
from embersort.signal import tile_grid
from embersort.simulate import demo_scene, simulate
from embersort.simulate.render import SpikeTable
from embersort.simulate.sources import UnitSource
from embersort.simulate.templates import LocalTemplates, build_template_set
from embersort.types import SortResult
from embersort.unmixing.folder import score
from embersort.unmixing.scores import spike_scores
from embersort.unmixing.unmix import Networks, UnmixConfig, masked, prepare

ONE = RunConfig(n_workers=1)
SIGNALS = {
    "own traces, as recorded": "si_sdr_db",
    "own traces, as expected": "expected_si_sdr_db",
    "ideal binary mask": "ideal_si_sdr_db",
    "the mixture": "mixture_si_sdr_db",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--duration", type=float, default=60.0)
    parser.add_argument("--split", default="all", choices=["all", "heldout"])
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    segment = (
        load_segment_weights(arguments.weights) if arguments.weights else load_shipped_segment()
    )
    networks = Networks(encoder=load_neighbour_encoder(), segment=segment)
    signals: dict[str, list[np.ndarray]] = {}
    rows = []
    for seed in arguments.seeds:
        scene = demo_scene(seed)
        cells = scene.cells.model_copy(update={"split": arguments.split})
        scene = scene.model_copy(update={"duration_s": arguments.duration, "cells": cells})
        found, row = run_scene(simulate(scene), networks)
        rows.append(row)
        print(f"seed {seed}: {row}", flush=True)
        for name, values in found.items():
            signals.setdefault(name, []).append(values)
    print(format_table(signal_table(signals), numbers=True))
    names = list(rows[0])
    means = [f"{np.mean([row[name] for row in rows]):.3f}" for name in names]
    print(format_table(list(zip(names, means, strict=True))))


def run_scene(simulation, networks):
    """Return the SI-SDR of each true unit by kind of signal, and the scores of the scene."""
    lazy = simulation.recording
    recording = ArrayRecording(
        traces=lazy.read(0, lazy.n_samples),
        sampling_rate_hz=lazy.sampling_rate_hz,
        geometry=lazy.geometry,
    )
    started = time.process_time()
    prepared = prepare(recording, networks, UnmixConfig(run=ONE))
    unmixing = masked(prepared)
    unmix_s = time.process_time() - started
    scored = score(prepared, unmixing, simulation)
    started = time.process_time()
    result = sort(recording, SortConfig(run=ONE))
    sort_s = time.process_time() - started
    signals = {name: getattr(scored.scores, field) for name, field in SIGNALS.items()}
    signals["templates of embersort sort"] = template_si_sdr(result, scored.sources, simulation)
    truth = simulation.truth
    sorted_spikes = spike_scores(truth.sorting, np.asarray(truth.spike_overlaps), result.sorting)
    labels = prepared.labels
    row = {
        "units": unmixing.sorting.n_units,
        "bin purity": scored.scores.purity.purity,
        "bin completeness": scored.scores.purity.completeness,
        **{f"unmix {name}": scored.summary[name] for name in sorted_spikes},
        "events assigned": float(np.mean(labels >= 0)) if len(labels) else 0.0,
        **{f"sort {name}": value for name, value in sorted_spikes.items()},
        "unmix CPU s": unmix_s,
        "sort CPU s": sort_s,
    }
    return signals, row


def template_si_sdr(result: SortResult, sources, simulation) -> np.ndarray:
    """Return the SI-SDR of each true unit when each matched spike is its unit's template."""
    truth = simulation.truth.sorting
    matched = compare(truth, result.sorting).matched_index
    si_sdr_db = np.full(len(sources), -np.inf)
    for unit in np.flatnonzero(matched >= 0):
        estimate, sums = template_source(result, int(matched[unit])), np.zeros(3)
        n_channels = result.geometry.n_channels
        for tile in tile_grid(truth.n_samples, truth.sampling_rate_hz):
            dense = np.zeros((2, tile.stop - tile.start, n_channels))
            dense[0][:, sources[unit].channels] = sources[unit].read(tile.start, tile.stop)
            dense[1][:, estimate.channels] = estimate.read(tile.start, tile.stop)
            sums += (dense[0] ** 2).sum(), (dense[1] ** 2).sum(), (dense[0] * dense[1]).sum()
        si_sdr_db[unit] = si_sdr_from_products(*sums)
    return si_sdr_db


def template_source(result: SortResult, unit: int) -> UnitSource:
    """Return a sorted unit as a source: its template at each spike, scaled to the spike."""
    waveform = result.templates.waveforms_uv[unit]
    channels = np.flatnonzero(np.abs(waveform).max(axis=0) > 0)
    spikes = np.flatnonzero(result.sorting.unit_index == unit)
    height = result.spike_amplitude[spikes]
    n = len(spikes)
    local = LocalTemplates(
        values_uv=np.ascontiguousarray(waveform[None, None][..., channels]),
        channels=np.arange(len(channels)),
    )
    n_window = waveform.shape[0]
    return UnitSource(
        spikes=SpikeTable(
            sample_index=result.sorting.sample_index[spikes],
            template_index=np.zeros(n, np.int64),
            shift=np.zeros(n, np.float32),
            amplitude=(height / np.median(height)).astype(np.float32),
            grid_index=np.zeros(n, np.int64),
            grid_share=np.zeros(n, np.float32),
        ),
        templates=build_template_set([local], np.zeros(1), result.templates.n_before, n_window),
        channels=channels,
    )


def signal_table(signals: dict[str, list[np.ndarray]]) -> list[list[str]]:
    """Return one line per kind of signal: units with one, median over all and over those."""
    lines = [["signal", "units", "median of all", "median of those"]]
    for name, parts in signals.items():
        values = np.concatenate(parts)
        known = values[np.isfinite(values)]
        lines.append(
            [
                name,
                f"{len(known)} of {len(values)}",
                f"{np.median(values):.1f} dB",
                f"{np.median(known):.1f} dB" if len(known) else "",
            ]
        )
    return lines


if __name__ == "__main__":
    main()
