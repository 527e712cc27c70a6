"""What every training from a recipe does: claim a folder, train, keep the best, write weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from embersort.errors import BadConfig
from embersort.training.checkpoint import load_checkpoint
from embersort.training.device import CPU, on_device
from embersort.training.loop import BEST_NAME, LoopConfig, train

log = logging.getLogger(__name__)

WEIGHTS_NAME = "weights.safetensors"
RECIPE_NAME = "recipe.json"
SCENES_NAME = "scenes"

Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A network, what it learns from, and how it is judged and written.

    Attributes
    ----------
    model : nn.Module
        Trained in place.
    batch_at : callable
        Step to batch, and to nothing but the step.
    loss_of : callable
        Network and batch to a scalar loss.
    held_out : sequence
        Batches that the network is scored on and never learns from.
    scores_of : callable
        Network and held-out batches to named scores.
    kept_by : str
        The score by which the weights that are kept are chosen.
    save : callable
        Writes the network to a path and returns the file's sha256.
    """

    model: nn.Module
    batch_at: Callable[[int], Any]
    loss_of: Callable[[nn.Module, Any], Tensor]
    held_out: Sequence[Any]
    scores_of: Callable[[nn.Module, Sequence[Any]], dict[str, float]]
    kept_by: str
    save: Callable[[nn.Module, Path], str]


class Looped(Protocol):
    """A recipe, as far as every training needs it."""

    @property
    def loop(self) -> LoopConfig:
        """How long, how fast, from which seed."""
        ...

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Return the values, for JSON."""
        ...


AnyRecipe = TypeVar("AnyRecipe", bound=Looped)


def train_recipe(
    recipe: AnyRecipe,
    make_task: Callable[[AnyRecipe, Path, Progress | None], Task],
    folder: Path,
    progress: Progress | None = None,
    device: torch.device = CPU,
) -> Path:
    """Train from a recipe, going on where an earlier run of the same recipe was stopped.

    Parameters
    ----------
    recipe : Config
        Of one of the networks.
    make_task : callable
        Makes or reads the scenes; called with recipe, folder and progress.
    folder : Path
        Gets the scenes' sets, checkpoints, history, curves and ``weights.safetensors``.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` while scenes are made.
    device : torch.device
        Where the network is trained. On a CPU a seed gives the same bits on every run.

    Returns
    -------
    Path
        The weight file: the evaluation with the best held-out score.

    Raises
    ------
    BadConfig
        If the folder holds a run of another recipe, no held-out scene can be scored, or the
        weights that the recipe starts from are of other sizes.
    BadWeights
        If the weights that the recipe starts from cannot be read.
    """
    claim(recipe, folder)
    return run(make_task(recipe, folder, progress), recipe.loop, folder, device)


def run(task: Task, loop: LoopConfig, folder: Path, device: torch.device = CPU) -> Path:
    """Train, going on where an earlier run was stopped; return the weights of the best evaluation.

    Parameters
    ----------
    task : Task
    loop : LoopConfig
    folder : Path
        Gets checkpoints, history, curves and ``weights.safetensors``.
    device : torch.device
        Where the network is trained.
    """
    held_out = [on_device(batch, device) for batch in task.held_out]
    train(
        task.model,
        lambda step: on_device(task.batch_at(step), device),
        task.loss_of,
        lambda model: task.scores_of(model, held_out),
        loop,
        folder,
        keep_best=task.kept_by,
        device=device,
    )
    load_checkpoint(folder / BEST_NAME).load_into(task.model)
    path = folder / WEIGHTS_NAME
    sha256 = task.save(task.model, path)
    log.info("weights %s, sha256 %s", path, sha256)
    return path


def claim(recipe: Looped, folder: Path) -> None:
    """Note the recipe in the folder; refuse a folder that holds another's run.

    Raises
    ------
    BadConfig
        If the folder holds a run of another recipe.
    """
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
