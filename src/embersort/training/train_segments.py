"""The segment network from a recipe to weights."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from embersort.config import ClusterConfig, Config
from embersort.embedding.segment_architecture import SegmentConfig
from embersort.embedding.segment_weights import load_neighbour_encoder, save_segment_weights
from embersort.errors import BadConfig
from embersort.simulate.simulation import simulate
from embersort.training.device import CPU
from embersort.training.loop import LoopConfig
from embersort.training.run import SCENES_NAME, Progress, Task, train_recipe
from embersort.training.scenes import STREAM, SceneDraw, Split, draw_scene
from embersort.training.segment_batches import (
    SegmentBatch,
    SegmentBatchConfig,
    draw_segment_batch,
    one_set,
)
from embersort.training.segment_network import SegmentNetwork
from embersort.training.segment_sets import (
    SegmentSets,
    SetConfig,
    load_segment_sets,
    make_segment_sets,
    save_segment_sets,
)
from embersort.training.segment_task import (
    SegmentLossConfig,
    held_out_segment_scores,
    segment_loss,
)

KEPT_BY = "score"
"""The held-out score by which the weights that are kept are chosen."""


class SegmentRecipe(Config):
    """How the segment network is trained."""

    network: Literal["segment"] = "segment"
    """What tells this recipe from those of the other networks."""
    scene: SceneDraw = SceneDraw(duration_s=45.0)
    """What the training scenes are drawn from."""
    n_train_scenes: int = Field(120, ge=1)
    """Simulated recordings to train on."""
    n_heldout_scenes: int = Field(12, ge=1)
    """Simulated recordings of other cells, probes and noise, on which progress is scored."""
    segment: SegmentConfig = SegmentConfig()
    sets: SetConfig = SetConfig()
    """Sets of a training scene."""
    heldout_sets: SetConfig = SetConfig(n_sets=1, n_events=300)
    """Sets of a held-out scene."""
    batch: SegmentBatchConfig = SegmentBatchConfig()
    loss: SegmentLossConfig = SegmentLossConfig()
    loop: LoopConfig = LoopConfig()
    cluster: ClusterConfig = ClusterConfig()
    """How the held-out sets are clustered."""


def train_segments(
    recipe: SegmentRecipe,
    folder: Path,
    progress: Progress | None = None,
    device: torch.device = CPU,
) -> Path:
    """Train the segment network; see `embersort.training.run.train_recipe`."""
    return train_recipe(recipe, segment_task, folder, progress, device)


def segment_task(recipe: SegmentRecipe, folder: Path, progress: Progress | None = None) -> Task:
    """Make or read the scenes, and return what is to be learned of them."""
    sets = segment_sets(recipe, "train", folder / SCENES_NAME, progress)
    held_out = held_out_batches(segment_sets(recipe, "heldout", folder / SCENES_NAME, progress))
    if not held_out or not any(scene.n_sets for scene in sets):
        raise BadConfig("no scene has enough events for a set; raise scene.duration_s")
    seed = recipe.loop.seed
    return Task(
        model=SegmentNetwork(recipe.segment, seed),
        batch_at=lambda step: draw_segment_batch(sets, recipe.batch, seed, step),
        loss_of=lambda model, batch: segment_loss(model, batch, recipe.loss),
        held_out=held_out,
        scores_of=lambda model, batches: held_out_segment_scores(model, batches, recipe.cluster),
        kept_by=KEPT_BY,
        save=_save,
    )


def segment_sets(
    recipe: SegmentRecipe, split: Split, folder: Path, progress: Progress | None = None
) -> list[SegmentSets]:
    """Make the sets of a split, or read those that an earlier run has made."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_neighbour_encoder()
    is_train = split == "train"
    n_scenes = recipe.n_train_scenes if is_train else recipe.n_heldout_scenes
    config = recipe.sets if is_train else recipe.heldout_sets
    scenes = []
    for index in range(n_scenes):
        path = folder / f"segments-{split}-{index:04d}.npz"
        if not path.exists():
            simulation = simulate(draw_scene(recipe.scene, split, index))
            rng = np.random.default_rng([STREAM[split], index, recipe.loop.seed])
            made = make_segment_sets(simulation, weights, recipe.segment, config, rng)
            save_segment_sets(made, path)
            if progress is not None:
                progress(f"{split} scenes", index + 1, n_scenes)
        scenes.append(load_segment_sets(path))
    return scenes


def held_out_batches(scenes: list[SegmentSets]) -> list[SegmentBatch]:
    """Return the sets of held-out scenes in which at least two units fire."""
    batches = [one_set(scene, index) for scene in scenes for index in range(scene.n_sets)]
    return [
        batch for batch in batches if len(batch.event_label[batch.event_label >= 0].unique()) >= 2
    ]


def _save(model: nn.Module, path: Path) -> str:
    assert isinstance(model, SegmentNetwork)  # noqa: S101  for the type checker
    return save_segment_weights(model.trained(), path)
