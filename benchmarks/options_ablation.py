"""What each part of the spike networks brings: short trainings of equal length, one thing changed.

    python benchmarks/options_ablation.py --out ablation --seeds 3

trains every variant on the same scenes and prints mean and interval of the adjusted Rand index on
held-out scenes. Seeds come outermost and everything is kept, so a stopped study goes on, and an
early stop leaves whole rounds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from embersort.config import ClusterConfig, with_overrides
from embersort.embedding.stage import joined_frame
from embersort.embedding.weights import load_weights
from embersort.evaluation.clustering import score_clustering
from embersort.training.options import cluster
from embersort.training.recipe import Recipe
from embersort.training.scenes import SceneDraw, draw_scene
from embersort.training.train_spikes import train_spikes
from options_heldout import (
    Case,
    components,
    event_set,
    make_case,
    neighbourhood,
    random_context,
    shown,
)

BASE = {
    "n_train_scenes": 60,
    "n_heldout_scenes": 1,
    "scene": {"weak_share": 0.3, "dense_share": 0.15},
    "batch": {"n_sets": 2},
    "loop": {"n_steps": 400, "evaluate_every": 400, "learning_rate": 2e-3, "warmup_steps": 50},
}
VARIANTS: dict[str, list[str]] = {
    "as the default recipe": [],
    "affinity loss alone": ["loss.contrastive=0"],
    "contrastive loss alone": ["loss.affinity=0"],
    "8 dimensions": ["encoder.n_shape=4"],
    "32 dimensions": ["encoder.n_shape=28"],
    "4 neighbours": ["context.n_neighbours=4"],
    "32 neighbours": ["context.n_neighbours=32"],
    "8 nearest, 8 by time": ["context.n_bins=8"],
    "window ±0.5 s": ["context.window_s=0.5"],
    "window ±5 s": ["context.window_s=5"],
    "random neighbours": ["handicap.wrong_share=1"],
    "times withheld": ["handicap.untimed_share=1"],
    "6 scenes": ["n_train_scenes=6"],
    "20 scenes": ["n_train_scenes=20"],
}
FIRST_HELD_OUT = 100
AMPLITUDE_WEIGHT = 0.25
"""Of log amplitude beside a unit-norm embedding: a unit twice as high is 0.17 away."""


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--held-out", type=Path, default=Path("held_out"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--set", action="append", default=[], help="section.key=value, for all")
    arguments = parser.parse_args()
    draw = SceneDraw()
    scenes = [
        (index, draw_scene(draw, "heldout", index))
        for index in range(FIRST_HELD_OUT, FIRST_HELD_OUT + arguments.scenes)
    ]
    rows = []
    for seed in range(arguments.seeds):
        for name in arguments.only:
            changes = VARIANTS[name]
            path = arguments.out / f"{name.replace(' ', '_')}-{seed}.json"
            if not path.exists():
                settings = [*arguments.set, *changes, f"loop.seed={seed}"]
                weights = load_weights(trained(settings, arguments.out, path.stem))
                scored = [
                    row
                    for index, scene in scenes
                    for row in scores(
                        make_case(scene, event_set(scene, index, arguments.held_out), weights),
                        is_random=name == "random neighbours",
                    )
                ]
                path.write_text(json.dumps(scored), encoding="utf-8")
            new = json.loads(path.read_text(encoding="utf-8"))
            rows += [{**row, "variant": name, "seed": seed} for row in new]
        print_table(rows)


def trained(settings: list[str], folder: Path, name: str) -> Path:
    """Train a variant; all variants share the scenes."""
    shared, own = folder / "scenes", folder / "runs" / name
    shared.mkdir(parents=True, exist_ok=True)
    own.mkdir(parents=True, exist_ok=True)
    link = own / "scenes"
    if not link.exists():
        link.symlink_to(shared.resolve(), target_is_directory=True)
    return train_spikes(Recipe.parse(with_overrides(BASE, settings), name), own)


def scores(case: Case, *, is_random: bool) -> list[dict]:
    """Score the embeddings on the busiest neighbourhood of a scene."""
    config = ClusterConfig()
    rows = neighbourhood(case, config.radius_um)
    label = case.sets.label[rows]
    if len(np.unique(label[label >= 0])) < 2:
        return []
    n_dims = case.stage.n_dims
    alone = case.codes[rows, :n_dims]
    if is_random:
        in_context = random_context(case)[rows]
    else:
        in_context = case.stage.in_context(case.codes, case.events)[rows, :n_dims]
    height = case.stage.read(case.codes).log_amplitude[rows, None] * np.float32(AMPLITUDE_WEIGHT)
    pca = components(case, rows)
    frames = {
        "encoder": alone,
        "context": in_context,
        "context and height": np.concatenate([in_context, height], axis=1),
        "PCA": pca,
        "PCA + context": joined_frame(pca, in_context),
    }
    changes = case.scene.drift.kind != "none" or case.scene.trains.bursting_share > 0
    found = []
    for name, frame in frames.items():
        score = score_clustering(np.maximum(label, -1), cluster(frame, "isosplit", 0, config))
        found.append(
            {
                "scene": case.scene.name,
                "changes": changes,
                "features": name,
                "ari": score.adjusted_rand,
                "accuracy": score.mean_accuracy,
            }
        )
    return found


def print_table(rows: list[dict]) -> None:
    """Print one line a variant: means over seeds, intervals over scenes and seeds."""
    names = list(dict.fromkeys(row["features"] for row in rows))
    n_seeds = len({row["seed"] for row in rows})
    print(f"\n{n_seeds} seeds, {len({row['scene'] for row in rows})} scenes")
    print(f"| variant | {' | '.join(names)} | context - encoder |")
    print("|" + "---|" * (len(names) + 2))
    for variant in dict.fromkeys(row["variant"] for row in rows):
        here = [row for row in rows if row["variant"] == variant]
        by = {(r["scene"], r["seed"], r["features"]): r["ari"] for r in here}
        cells = [shown([r["ari"] for r in here if r["features"] == name]) for name in names]
        gains = [
            by[r["scene"], r["seed"], "context"] - r["ari"]
            for r in here
            if r["features"] == "encoder"
        ]
        print(f"| {variant} | {' | '.join(cells)} | {shown(gains, '+')} |", flush=True)


if __name__ == "__main__":
    main()
