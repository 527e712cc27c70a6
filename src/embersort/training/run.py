"""What every training from a recipe does: claim a folder, train, keep the best, write weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from embersort.config import Config
from embersort.errors import BadConfig
from embersort.training.checkpoint import load_checkpoint
from embersort.training.device import CPU
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
    evaluate : callable
        Network to named held-out scores.
    kept_by : str
        The score by which the weights that are kept are chosen.
    save : callable
        Writes the network to a path and returns the file's sha256.
    """

    model: nn.Module
    batch_at: Callable[[int], Any]
    loss_of: Callable[[nn.Module, Any], Tensor]
    evaluate: Callable[[nn.Module], dict[str, float]]
    kept_by: str
    save: Callable[[nn.Module, Path], str]


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
    train(
        task.model,
        task.batch_at,
        task.loss_of,
        task.evaluate,
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


def claim(recipe: Config, folder: Path) -> None:
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
