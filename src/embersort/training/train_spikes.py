"""From a recipe to weights: scenes, event sets, the loop, the file."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embersort.config import Config
from embersort.embedding.weights import save_weights
from embersort.errors import BadConfig
from embersort.training.checkpoint import load_checkpoint
from embersort.training.event_sets import (
    EventSet,
    load_event_set,
    make_event_sets,
    save_event_set,
)
from embersort.training.loop import BEST_NAME, train
from embersort.training.recipe import Recipe
from embersort.training.scenes import Split, draw_scene
from embersort.training.spike_batches import Batch, draw_batch
from embersort.training.spike_task import (
    SpikeNetwork,
    held_out_scores,
    neighbourhood_batch,
    spike_loss,
)

log = logging.getLogger(__name__)

WEIGHTS_NAME = "weights.safetensors"
RECIPE_NAME = "recipe.json"
SCENES_NAME = "scenes"
KEPT_BY = "ari_context"
"""The held-out score by which the weights that are kept are chosen."""
MOST_HELD_OUT_EVENTS = 1500
"""Events of one held-out neighbourhood."""

Progress = Callable[[str, float, float], None]


def train_spikes(recipe: Recipe, folder: Path, progress: Progress | None = None) -> Path:
    """Train the spike networks, going on where an earlier run of the same recipe was stopped.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Gets the event sets, checkpoints, history, curves and ``weights.safetensors``.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` while scenes are made.

    Returns
    -------
    Path
        The weight file: the evaluation with the best held-out score.

    Raises
    ------
    BadConfig
        If the folder holds a run of another recipe, or no held-out scene can be scored.
    """
    claim(recipe, folder)
    sets = event_sets(recipe, "train", folder / SCENES_NAME, progress)
    held_out = held_out_batches(event_sets(recipe, "heldout", folder / SCENES_NAME, progress))
    if not held_out:
        raise BadConfig("no held-out scene has two units near one channel; raise n_heldout_scenes")
    seed = recipe.loop.seed
    model = SpikeNetwork(recipe.encoder, recipe.context, seed)
    train(
        model,
        lambda step: draw_batch(sets, recipe.batch, seed, step),
        lambda network, batch: spike_loss(network, batch, recipe.loss, recipe.handicap),
        lambda network: held_out_scores(network, held_out, recipe.cluster),
        recipe.loop,
        folder,
        keep_best=KEPT_BY,
    )
    load_checkpoint(folder / BEST_NAME).load_into(model)
    sha256 = save_weights(model.weights(), folder / WEIGHTS_NAME)
    log.info("weights %s, sha256 %s", folder / WEIGHTS_NAME, sha256)
    return folder / WEIGHTS_NAME


def event_sets(
    recipe: Recipe, split: Split, folder: Path, progress: Progress | None = None
) -> list[EventSet]:
    """Make the event sets of a split, or read those that an earlier run has made."""
    folder.mkdir(parents=True, exist_ok=True)
    n_scenes = recipe.n_train_scenes if split == "train" else recipe.n_heldout_scenes
    paths = [folder / f"{split}-{index:04d}.npz" for index in range(n_scenes)]
    missing = [index for index, path in enumerate(paths) if not path.exists()]
    made = make_event_sets([draw_scene(recipe.scene, split, index) for index in missing])
    for n_made, (index, events) in enumerate(zip(missing, made, strict=True), start=1):
        save_event_set(events, paths[index])
        if progress is not None:
            progress(f"{split} scenes", n_scenes - len(missing) + n_made, n_scenes)
    return [load_event_set(path) for path in paths]


def held_out_batches(scenes: list[EventSet], radius_um: float = 50.0) -> list[Batch]:
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


def claim(recipe: Config, folder: Path) -> None:
    """Note the recipe in the folder; refuse a folder that holds another's run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECIPE_NAME
    values = recipe.model_dump(mode="json")
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != values:
            raise BadConfig(
                f"{folder} holds a training run of another recipe; "
                "use another folder, or the recipe that it was started with"
            )
        return
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
