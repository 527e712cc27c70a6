"""Score the shipped networks on scenes of cells, probes and noise that training never saw.

    python benchmarks/options_heldout.py --first 100 --scenes 12 --cache held_out

prints the tables of ``benchmarks/studies/embedding.md``. Scenes are simulated once and cached.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embersort.clustering.neighbourhoods import split
from embersort.config import ClusterConfig
from embersort.embedding.architecture import ContextConfig
from embersort.embedding.context import apply_context
from embersort.embedding.stage import EncoderStage, joined_frame
from embersort.embedding.weights import Weights, load_shipped, load_weights
from embersort.evaluation.clustering import ClusteringScore, score_clustering
from embersort.signal.pca import fit_pca
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.training.event_codes import encode_event_set, snippets_as_sorted
from embersort.training.event_sets import EventSet, load_event_set, make_event_set, save_event_set
from embersort.training.options import cluster
from embersort.training.options_page import mean_interval
from embersort.training.scenes import SceneDraw, draw_scene
from embersort.types import Events

N_COMPONENTS = 6
MAX_EVENTS = 1500
SORTER = "as the sorter looks"
"""Components and context, one after the other."""
SPOILT_CONTEXTS: dict[str, dict[str, float]] = {
    "context, ±0.5 s": {"window_s": 0.5},
    "context, ±5 s": {"window_s": 5.0},
    "context, nearest alone": {"n_bins": 0},
}
SORTING_THRESHOLD = 5.0
"""The threshold with which the event head is compared, at as many false events."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One held-out scene: its events, the stage, the codes."""

    scene: Scene
    sets: EventSet
    stage: EncoderStage
    events: Events
    codes: np.ndarray


def main() -> None:
    """Print the tables."""
    parser = make_parser(__doc__, n_scenes=12)
    parser.add_argument("--max-channels", type=int, default=32)
    arguments = parser.parse_args()
    weights = chosen_weights(arguments)
    draw = SceneDraw(max_channels=arguments.max_channels)
    cases = list(held_out_cases(arguments, weights, draw))
    print(f"weights {weights.sha256[:12]}, {len(cases)} scenes")
    print_clustering([row for case in cases for row in clustering_rows(case)])
    print_detection(cases)
    print_throughput(cases)


def make_parser(doc: str, *, n_scenes: int) -> argparse.ArgumentParser:
    """Return a parser of which held-out scenes and weights are looked at."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--scenes", type=int, default=n_scenes)
    parser.add_argument("--cache", type=Path, default=Path("held_out"))
    parser.add_argument("--weights", type=Path)
    return parser


def chosen_weights(arguments: argparse.Namespace) -> Weights:
    """Return the weights that were asked for, or the shipped ones."""
    return load_weights(arguments.weights) if arguments.weights else load_shipped()


def held_out_cases(
    arguments: argparse.Namespace, weights: Weights, draw: SceneDraw
) -> Iterator[Case]:
    """Encode the events of one scene after the other."""
    for index in range(arguments.first, arguments.first + arguments.scenes):
        scene = draw_scene(draw, "heldout", index)
        yield make_case(scene, event_set(scene, index, arguments.cache), weights)


def event_set(scene: Scene, index: int, cache: Path) -> EventSet:
    """Make a scene's events, or read them from the cache."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"heldout-{index:04d}.npz"
    if not path.exists():
        save_event_set(make_event_set(simulate(scene)), path)
    return load_event_set(path)


def make_case(scene: Scene, sets: EventSet, weights: Weights) -> Case:
    """Encode the events of a scene."""
    stage, events, codes = encode_event_set(sets, weights)
    return Case(scene=scene, sets=sets, stage=stage, events=events, codes=codes)


def clustering_rows(case: Case) -> list[dict]:
    """Score every kind of features on the busiest neighbourhood of a scene."""
    config = ClusterConfig()
    rows = neighbourhood(case, config.radius_um)
    label = case.sets.label[rows]
    if len(np.unique(label[label >= 0])) < 2:
        return []
    frames = {name: frame[rows] for name, frame in embeddings(case).items()}
    frames["PCA"] = components(case, rows)
    frames["PCA + encoder"] = joined_frame(frames["PCA"], frames["encoder"])
    frames["PCA + context"] = joined_frame(frames["PCA"], frames["context"])
    found = []
    answers = {name: cluster(frame, "isosplit", 0, config) for name, frame in frames.items()}
    answers[SORTER] = sorter_clusters(frames["PCA"], frames["context"], config)
    for name, answer in answers.items():
        score = score_clustering(np.maximum(label, -1), answer)
        found.append(described(case, name, score))
    return found


def described(case: Case, name: str, score: ClusteringScore) -> dict:
    """Return a score as a row, with what kind of scene it is of."""
    return {
        "scene": case.scene.name,
        "probe": case.scene.probe.kind,
        "drift": case.scene.drift.kind != "none",
        "bursts": case.scene.trains.bursting_share > 0,
        "features": name,
        "ari": score.adjusted_rand,
        "accuracy": score.mean_accuracy,
        "n_found": score.n_found,
        "n_true": len(score.accuracy),
    }


def sorter_clusters(
    components: np.ndarray, in_context: np.ndarray, config: ClusterConfig
) -> np.ndarray:
    """Cluster as the sorter does at first: in two looks, parted by whichever parts them."""
    answer = np.full(len(components), -1, np.int64)
    for index, members in enumerate(split([components, in_context], config)):
        answer[members] = index
    return answer


def neighbourhood(case: Case, radius_um: float) -> np.ndarray:
    """Return the events near the busiest channel, evenly thinned."""
    positions, channel = case.sets.positions_um, case.sets.channel_index
    busiest = int(np.bincount(channel).argmax())
    near = ((positions - positions[busiest]) ** 2).sum(axis=1) <= radius_um**2
    rows = np.flatnonzero(near[channel])
    if len(rows) <= MAX_EVENTS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MAX_EVENTS).round().astype(np.int64)]


def embeddings(case: Case) -> dict[str, np.ndarray]:
    """Return all events by the encoder, in context, and in context that is spoilt."""
    stage, n_dims = case.stage, case.stage.n_dims
    found = {
        "encoder": case.codes[:, :n_dims],
        "context": stage.in_context(case.codes, case.events)[:, :n_dims],
    }
    for name, changes in SPOILT_CONTEXTS.items():
        config = stage.weights.context_config.model_dump() | changes
        spoilt = stage.in_context(case.codes, case.events, context=ContextConfig(**config))
        found[name] = spoilt[:, :n_dims]
    return found | {"context, random neighbours": random_context(case)}


def random_context(case: Case) -> np.ndarray:
    """Return the context network's answer when neighbours are any events."""
    stage, encoded = case.stage, case.stage.read(case.codes)
    n_events = case.sets.n_events
    rng = np.random.default_rng(0)
    any_event = rng.integers(0, n_events, (n_events, stage.weights.context_config.n_neighbours))
    return apply_context(
        stage.weights.context,
        encoded.embedding,
        any_event,
        time_s=case.sets.time_s,
        position_um=encoded.position_um,
        log_amplitude=encoded.log_amplitude,
    )


def components(case: Case, rows: np.ndarray) -> np.ndarray:
    """Return the control: temporal components on shared channels."""
    snippets, channel = snippets_as_sorted(case.sets), case.sets.channel_index
    pca = fit_pca(snippets[:, :, 0], case.sets.neighbours, N_COMPONENTS)
    return pca.on_shared_channels(pca.encode(snippets[rows], channel[rows]), channel[rows])


def print_clustering(rows: list[dict]) -> None:
    """Print a table for each group of scenes."""
    groups = {
        "all": rows,
        "tetrodes": [r for r in rows if r["probe"] == "tetrode"],
        "larger probes": [r for r in rows if r["probe"] != "tetrode"],
        "static": [r for r in rows if not r["drift"]],
        "drifting": [r for r in rows if r["drift"]],
        "bursting": [r for r in rows if r["bursts"]],
        "neither drifting nor bursting": [r for r in rows if not (r["drift"] or r["bursts"])],
        "drifting and bursting": [r for r in rows if r["drift"] and r["bursts"]],
    }
    for group, chosen in groups.items():
        by_scene = {(r["scene"], r["features"]): r["ari"] for r in chosen}
        print(f"\n{group}: {len({r['scene'] for r in chosen})} scenes")
        print(f"| {'features':27} | ARI | unit accuracy | found / true | ARI - PCA |")
        print("|---|---|---|---|---|")
        for name in dict.fromkeys(r["features"] for r in chosen):
            here = [r for r in chosen if r["features"] == name]
            gains = [r["ari"] - by_scene[r["scene"], "PCA"] for r in here]
            found = sum(r["n_found"] for r in here) / sum(r["n_true"] for r in here)
            print(
                f"| {name:27} | {shown([r['ari'] for r in here])} "
                f"| {shown([r['accuracy'] for r in here])} | {found:.2f} | {shown(gains, '+')} |"
            )
        gains = [
            by_scene[scene, "context"] - by_scene[scene, "encoder"]
            for scene, name in by_scene
            if name == "encoder"
        ]
        if gains:
            print(f"\ncontext - encoder: {shown(gains, '+')}")


def print_detection(cases: list[Case]) -> None:
    """At the threshold's number of false events: how many spikes either detector misses."""
    n_spikes = n_false = missed_threshold = missed_head = 0
    for case in cases:
        is_spike = case.sets.label >= 0
        height = -case.events.amplitude
        logit = case.stage.read(case.codes).spike_logit
        false = int(((height >= SORTING_THRESHOLD) & ~is_spike).sum())
        noise = np.sort(logit[~is_spike])[::-1]
        least = noise[false] if false < len(noise) else -np.inf
        n_spikes += int(is_spike.sum())
        n_false += false
        missed_threshold += int(((height < SORTING_THRESHOLD) & is_spike).sum())
        missed_head += int(((logit <= least) & is_spike).sum())
    print(f"\nof {n_spikes} proposed spikes, at {n_false} false events:")
    print(f"threshold misses {missed_threshold}, event head misses {missed_head}")


def print_throughput(cases: list[Case]) -> None:
    """Print events per second on one thread."""
    case = max(cases, key=lambda c: c.sets.n_events)
    snippets = snippets_as_sorted(case.sets)
    start = time.process_time()
    codes = case.stage.encode(snippets, case.sets.channel_index)
    encoded_s = time.process_time() - start
    start = time.process_time()
    case.stage.in_context(codes, case.events)
    context_s = time.process_time() - start
    n = case.sets.n_events
    print(f"\none thread, {n} events on {len(case.sets.positions_um)} channels:")
    print(
        f"encoder {n / encoded_s:.0f}, search and context {n / context_s:.0f}, "
        f"both {n / (encoded_s + context_s):.0f} events per second of CPU time"
    )


def shown(values: list[float], sign: str = "") -> str:
    """Return mean and 95 % interval."""
    mean, low, high = mean_interval(values)
    return f"{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


if __name__ == "__main__":
    main()
