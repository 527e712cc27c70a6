"""The spike networks from a recipe to weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from embersort.embedding.architecture import (
    ContextConfig,
    EncoderConfig,
    Shapes,
    context_shapes,
    encoder_shapes,
)
from embersort.embedding.weights import load_named
from embersort.errors import BadConfig
from embersort.training.device import CPU
from embersort.training.event_sets import EventSet
from embersort.training.recipe import Recipe
from embersort.training.run import SCENES_NAME, Progress, Task, train_recipe
from embersort.training.scene_pool import ScenePool, event_sets
from embersort.training.spike_batches import Batch, draw_batch
from embersort.training.spike_task import (
    HELD_OUT_RADIUS_UM,
    MOST_HELD_OUT_EVENTS,
    SpikeNetwork,
    held_out_scores,
    neighbourhood_batch,
    save_network,
    spike_loss,
)


def train_spikes(
    recipe: Recipe,
    folder: Path,
    progress: Progress | None = None,
    device: torch.device = CPU,
) -> Path:
    """Train the spike networks; see `embersort.training.run.train_recipe`."""
    return train_recipe(recipe, spike_task, folder, progress, device)


def spike_task(recipe: Recipe, folder: Path, progress: Progress | None = None) -> Task:
    """Make or read the scenes, and return what is to be learned of them."""
    scenes = folder / SCENES_NAME
    pool = ScenePool(recipe.scene, recipe.n_train_scenes, recipe.growth, scenes)
    pool.at(0, progress)
    indices = range(recipe.n_heldout_scenes)
    held_out = held_out_batches(event_sets(recipe.scene, "heldout", indices, scenes, progress))
    if not held_out:
        raise BadConfig("no held-out scene has two units near one channel; raise n_heldout_scenes")
    seed = recipe.loop.seed
    return Task(
        model=new_network(recipe),
        batch_at=lambda step: draw_batch(pool.at(step), recipe.batch, seed, step),
        loss_of=lambda model, batch: spike_loss(model, batch, recipe.loss, recipe.handicap),
        held_out=held_out,
        scores_of=lambda model, batches: held_out_scores(model, batches, recipe.cluster),
        kept_by="ari_context" if recipe.loss.context else "ari_encoder",
        save=save_network,
    )


def new_network(recipe: Recipe) -> SpikeNetwork:
    """Return the network that a recipe starts from: random, or weights of an earlier training."""
    model = SpikeNetwork(recipe.encoder, recipe.context, recipe.loop.seed)
    if recipe.start:
        weights = load_named(recipe.start)
        there = _shapes(weights.encoder_config, weights.context_config)
        if there != _shapes(recipe.encoder, recipe.context):
            raise BadConfig(
                f"the weights '{recipe.start}' that the recipe starts from have other sizes than "
                "its [encoder] and [context]; make them equal, or leave out 'start'"
            )
        model.set_weights(weights)
    return model


def held_out_batches(scenes: list[EventSet], radius_um: float = HELD_OUT_RADIUS_UM) -> list[Batch]:
    """Return the busiest neighbourhood of each scene that has at least two units."""
    batches = []
    for scene in scenes:
        if scene.n_events == 0:
            continue
        channel = int(np.bincount(scene.channel_index).argmax())
        batch = neighbourhood_batch(scene, channel, radius_um, MOST_HELD_OUT_EVENTS)
        label = batch.label.numpy()
        if len(np.unique(label[label >= 0])) >= 2:
            batches.append(batch)
    return batches


def _shapes(encoder: EncoderConfig, context: ContextConfig) -> tuple[Shapes, Shapes]:
    return encoder_shapes(encoder), context_shapes(context, encoder.n_dims)
