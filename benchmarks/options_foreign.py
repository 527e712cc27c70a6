"""Pure clustering on recordings of other simulators, which training never saw.

    python benchmarks/options_foreign.py FOLDER [FOLDER …]

FOLDER is a recording as the benchmark stores it (traces.raw, recording.json, truth.npz). The height
of each unit on each channel is measured from the traces at its own spikes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from embersort.benchmark.exchange import StoredRecording, open_stored
from embersort.config import ClusterConfig, DetectConfig, RunConfig, SortConfig
from embersort.embedding.stage import joined_frame, make_encoder_stage
from embersort.embedding.weights import Weights, load_shipped, load_weights
from embersort.evaluation.clustering import score_clustering
from embersort.recording import ArrayRecording
from embersort.signal.pca import fit_pca
from embersort.training.event_sets import detected_snippets
from embersort.training.labels import label_events
from embersort.training.options import cluster
from embersort.training.options_page import mean_interval
from embersort.types import Sorting
from options_heldout import SORTER, sorter_clusters

N_COMPONENTS = 6
MAX_EVENTS = 1500
EXCERPT_S = 60.0
MAX_SPIKES = 200
"""Spikes of a unit from which its height is measured."""
N_NEIGHBOURHOODS = 6
LEAST_EVENTS = 200


def main() -> None:
    """Print a table for each recording."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, help="weight file; default: those shipped")
    arguments = parser.parse_args()
    weights = load_weights(arguments.weights) if arguments.weights else load_shipped()
    for folder in arguments.folders:
        rows = score_recording(folder, weights)
        print(f"\n{folder.name[:12]}: {len(rows)} neighbourhoods")
        print("| features | ARI | unit accuracy | ARI - PCA |\n|---|---|---|---|")
        for name in rows[0] if rows else ():
            ari = [row[name][0] for row in rows]
            gains = [row[name][0] - row["PCA"][0] for row in rows]
            accuracy = [row[name][1] for row in rows]
            print(f"| {name} | {shown(ari)} | {shown(accuracy)} | {shown(gains)} |", flush=True)


def score_recording(folder: Path, weights: Weights) -> list[dict[str, tuple[float, float]]]:
    """Score each kind of features on the busiest channels' neighbourhoods."""
    stored = open_stored(folder)
    recording, truth = excerpt(stored)
    geometry = recording.geometry
    config = SortConfig(detect=DetectConfig(threshold=4.5), run=RunConfig(n_workers=1))
    events, snippets, window = detected_snippets(recording, config)
    depth = measured_depth(recording, truth)
    label = label_events(events, truth, np.ones((truth.n_spikes, 1)), depth).label
    stage = make_encoder_stage(
        weights,
        geometry,
        window.neighbours,
        n_window=snippets.shape[1],
        n_before=window.n_before,
        sampling_rate_hz=recording.sampling_rate_hz,
    )
    channel = events.channel_index
    codes = stage.encode(snippets, channel)
    in_context = stage.in_context(codes, events)
    pca = fit_pca(snippets[:, :, 0], window.neighbours, N_COMPONENTS)
    rows, free = [], np.ones(geometry.n_channels, bool)
    distance = geometry.distances_um()
    cluster_config = ClusterConfig()
    for centre in np.argsort(-np.bincount(channel, minlength=geometry.n_channels), kind="stable"):
        if not free[centre] or len(rows) == N_NEIGHBOURHOODS:
            continue
        near = distance[centre] <= cluster_config.radius_um
        free &= ~near
        chosen = np.flatnonzero(near[channel])
        if len(chosen) < LEAST_EVENTS or len(np.unique(label[chosen][label[chosen] >= 0])) < 2:
            continue
        step = np.linspace(0, len(chosen) - 1, min(len(chosen), MAX_EVENTS)).round().astype(int)
        chosen = chosen[step]
        components = pca.on_shared_channels(
            pca.encode(snippets[chosen], channel[chosen]), channel[chosen]
        )
        alone = stage.on_shared_channels(codes[chosen], channel[chosen])
        context = stage.on_shared_channels(in_context[chosen], channel[chosen])
        frames = {
            "PCA": components,
            "encoder": alone,
            "context": context,
            "PCA + encoder": joined_frame(components, alone),
            "PCA + context": joined_frame(components, context),
        }
        answers = {
            name: cluster(frame, "isosplit", 0, cluster_config) for name, frame in frames.items()
        }
        answers[SORTER] = sorter_clusters(components, context, cluster_config)
        rows.append({name: score(label[chosen], answer) for name, answer in answers.items()})
    return rows


def excerpt(stored: StoredRecording) -> tuple[ArrayRecording, Sorting]:
    """Return the first minute of a stored recording, and of its truth."""
    n_samples = min(stored.n_samples, round(EXCERPT_S * stored.sampling_rate_hz))
    truth = stored.truth()
    inside = truth.sample_index < n_samples
    traces = stored.traces()[:n_samples].astype(np.float32) * np.float32(stored.uv_per_count)
    return (
        ArrayRecording(
            traces=traces, sampling_rate_hz=stored.sampling_rate_hz, geometry=stored.geometry
        ),
        Sorting(
            sample_index=truth.sample_index[inside],
            unit_index=truth.unit_index[inside],
            unit_ids=truth.unit_ids,
            sampling_rate_hz=truth.sampling_rate_hz,
            n_samples=n_samples,
        ),
    )


def score(label: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return adjusted Rand index and mean unit accuracy."""
    result = score_clustering(np.maximum(label, -1), found)
    return result.adjusted_rand, result.mean_accuracy


def measured_depth(recording, truth: Sorting) -> np.ndarray:
    """Return the trough of each unit's mean spike on each channel, over the noise there."""
    from embersort.simulate.band import band_pass

    traces = band_pass(recording.read(0, recording.n_samples), recording.sampling_rate_hz)
    noise = np.median(np.abs(traces), axis=0) / 0.6745
    reach = round(0.5e-3 * recording.sampling_rate_hz)
    depth = np.zeros((truth.n_units, traces.shape[1]))
    for unit, train in enumerate(truth.trains()):
        inside = train[(train > reach) & (train < len(traces) - reach)][:MAX_SPIKES]
        if len(inside):
            mean = np.mean([traces[s - reach : s + reach + 1] for s in inside], axis=0)
            depth[unit] = -mean.min(axis=0) / noise
    return depth


def shown(values: list[float]) -> str:
    """Return mean and 95 % interval."""
    mean, low, high = mean_interval(values)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
