"""The context network trained by itself, on an encoder that stands still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from embersort.config import ClusterConfig, Config
from embersort.embedding.architecture import ContextConfig, context_shapes
from embersort.embedding.weights import Weights, load_named
from embersort.errors import BadConfig
from embersort.training.context_sets import (
    ContextBatch,
    ContextBatchConfig,
    EncodedScene,
    draw_context_batch,
    encode_scene,
    neighbourhood,
)
from embersort.training.device import CPU
from embersort.training.event_sets import EventSet
from embersort.training.loop import LoopConfig
from embersort.training.run import SCENES_NAME, Progress, Task, train_recipe
from embersort.training.scene_pool import event_sets
from embersort.training.scenes import SceneDraw
from embersort.training.spike_task import (
    HELD_OUT_RADIUS_UM,
    MOST_HELD_OUT_EVENTS,
    HandicapConfig,
    LossConfig,
    SpikeNetwork,
    adjusted_rand,
    cluster_loss,
    handicapped,
    save_network,
)

KEPT_BY = "ari_context"
"""The held-out score by which the weights that are kept are chosen."""


class ContextRecipe(Config):
    """How the context network is trained."""

    network: Literal["context"] = "context"
    """What tells this recipe from those of the other networks."""
    start: str = "default"
    """Weights whose encoder is taken: the name of shipped ones or a file. Their context network is
    gone on with where it has the sizes of ``context``."""
    scene: SceneDraw = SceneDraw()
    """What the training scenes are drawn from."""
    n_train_scenes: int = Field(240, ge=1)
    """Simulated recordings to train on."""
    n_heldout_scenes: int = Field(16, ge=1)
    """Simulated recordings of other cells, probes and noise, on which progress is scored."""
    context: ContextConfig = ContextConfig()
    batch: ContextBatchConfig = ContextBatchConfig()
    loss: LossConfig = LossConfig()
    handicap: HandicapConfig = HandicapConfig()
    loop: LoopConfig = LoopConfig()
    cluster: ClusterConfig = ClusterConfig()
    """How the held-out sets are clustered."""


def train_context(
    recipe: ContextRecipe,
    folder: Path,
    progress: Progress | None = None,
    device: torch.device = CPU,
) -> Path:
    """Train the context network; see `embersort.training.run.train_recipe`."""
    return train_recipe(recipe, context_task, folder, progress, device)


def context_task(recipe: ContextRecipe, folder: Path, progress: Progress | None = None) -> Task:
    """Make or read the scenes, and return what is to be learned of them."""
    weights = load_named(recipe.start)

    def encoded(split: Literal["train", "heldout"], n_scenes: int) -> Iterator[EncodedScene]:
        for index in range(n_scenes):
            # One at a time: snippets are much larger than what is kept of them.
            (scene,) = event_sets(
                recipe.scene, split, range(index, index + 1), folder / SCENES_NAME, progress
            )
            if _has_two_units(scene):
                yield encode_scene(scene, weights, recipe.context)

    scenes = list(encoded("train", recipe.n_train_scenes))
    held_out = held_out_sets(encoded("heldout", recipe.n_heldout_scenes))
    if not scenes or not held_out:
        raise BadConfig("no scene has two units near one channel; raise n_train_scenes")
    seed = recipe.loop.seed
    return Task(
        model=start_network(recipe, weights),
        batch_at=lambda step: draw_context_batch(scenes, recipe.batch, seed, step),
        loss_of=lambda model, batch: context_loss(model, batch, recipe.loss, recipe.handicap),
        held_out=held_out,
        scores_of=lambda model, batches: held_out_context_scores(model, batches, recipe.cluster),
        kept_by=KEPT_BY,
        save=save_network,
    )


def start_network(recipe: ContextRecipe, weights: Weights) -> SpikeNetwork:
    """Return a network with the encoder of weights, and their context where its sizes are equal."""
    model = SpikeNetwork(weights.encoder_config, recipe.context, recipe.loop.seed)
    n_dims = weights.encoder_config.n_dims
    fits = context_shapes(weights.context_config, n_dims) == context_shapes(recipe.context, n_dims)
    model.set_weights(weights, with_context=fits)
    model.encoder.requires_grad_(requires_grad=False)
    return model


def context_loss(
    model: nn.Module, batch: ContextBatch, config: LossConfig, handicap: HandicapConfig
) -> Tensor:
    """Return the loss of the context network on a batch."""
    assert isinstance(model, SpikeNetwork)  # noqa: S101  for the type checker
    neighbours = handicapped(batch.neighbours, handicap)
    timed = (torch.rand(len(batch.label)) >= handicap.untimed_share).to(batch.label.device)
    in_context = model.context(batch.table, neighbours, timed)
    return config.context * cluster_loss(in_context, batch.label, batch.is_spike, config)


def held_out_sets(scenes: Iterator[EncodedScene]) -> list[ContextBatch]:
    """Return the busiest neighbourhood of each scene, where it has two units."""
    batches = [neighbourhood(s, HELD_OUT_RADIUS_UM, MOST_HELD_OUT_EVENTS) for s in scenes]
    return [batch for batch in batches if len(batch.label[batch.is_spike].unique()) >= 2]


def held_out_context_scores(
    model: nn.Module, batches: Sequence[ContextBatch], cluster: ClusterConfig
) -> dict[str, float]:
    """Return mean adjusted Rand indices after ISO-SPLIT, alone and in context."""
    assert isinstance(model, SpikeNetwork)  # noqa: S101  for the type checker
    alone, in_context = [], []
    for batch in batches:
        label, n_events = batch.label[0].cpu().numpy(), batch.label.shape[1]
        timed = torch.ones(1, dtype=torch.bool, device=batch.label.device)
        changed = model.context(batch.table, batch.neighbours, timed)[0]
        before = batch.embedding[0, :n_events]
        alone.append(adjusted_rand(before.cpu().numpy(), label, cluster))
        in_context.append(adjusted_rand(changed.cpu().numpy(), label, cluster))
    return {"ari_encoder": float(np.mean(alone)), "ari_context": float(np.mean(in_context))}


def _has_two_units(scene: EventSet) -> bool:
    return len(np.unique(scene.label[scene.label >= 0])) >= 2
