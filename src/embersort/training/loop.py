"""The one training loop: batches in, a trained network and its curves out.

A batch is a pure function of its step, so a run that was stopped goes on with the very batches
it would have seen, and its curve is the one of a run that never stopped.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from embersort.config import Config
from embersort.errors import BadConfig
from embersort.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from embersort.training.curve import curve_svg
from embersort.training.device import CPU

CHECKPOINT_NAME = "checkpoint.pt"
BEST_NAME = "best.pt"
HISTORY_NAME = "history.jsonl"
CURVE_NAME = "curve.svg"

logger = logging.getLogger(__name__)

History = list[dict[str, float]]


class LoopConfig(Config):
    """How long and how fast a network is trained."""

    n_steps: int = Field(1000, ge=1)
    """Number of steps, each on one batch."""
    learning_rate: float = Field(1e-3, gt=0)
    """Learning rate after the warm-up."""
    n_planned: int = Field(0, ge=0)
    """Steps for which the learning rate is laid out; 0 means ``n_steps``. With more than those
    training ends before the rate has fallen to zero."""
    warmup_steps: int = Field(50, ge=0)
    """Steps over which the learning rate rises from zero."""
    decay_share: float = Field(1.0, gt=0, le=1)
    """Last share of the planned steps, over which the rate falls to zero along a half cosine."""
    weight_decay: float = Field(1e-4, ge=0)
    """Weight decay of AdamW."""
    clip_norm: float = Field(1.0, gt=0)
    """Gradients longer than this are shortened to it."""
    evaluate_every: int = Field(100, ge=1)
    """Steps between evaluations; each also writes a checkpoint."""
    seed: int = Field(0, ge=0)
    """Seed of PyTorch's generator (dropout); batches are seeded by whoever makes them."""


def train(
    model: nn.Module,
    batch_at: Callable[[int], Any],
    loss_of: Callable[[nn.Module, Any], Tensor],
    evaluate: Callable[[nn.Module], dict[str, float]],
    config: LoopConfig,
    folder: Path,
    *,
    keep_best: str | None = None,
    device: torch.device = CPU,
) -> History:
    """Train a network in place, going on from the folder's checkpoint where there is one.

    Parameters
    ----------
    model : nn.Module
        Trained in place; holds the weights of the last step at the end.
    batch_at : callable
        Step number, from 0, to batch. Must depend on nothing but the step.
    loss_of : callable
        Network and batch to a scalar loss.
    evaluate : callable
        Network to named scores on held-out data; run without gradients in evaluation mode.
    config : LoopConfig
    folder : Path
        Gets ``checkpoint.pt``, ``best.pt``, ``history.jsonl`` and ``curve.svg``.
    keep_best : str, optional
        Name of a score; the checkpoint of the evaluation where it was highest is kept as
        ``best.pt``.
    device : torch.device
        Where the network is moved to; ``batch_at`` gives batches that are there already.

    Returns
    -------
    list of dict
        One row per evaluation: ``step``, ``loss`` (mean since the last row), ``learning_rate``,
        ``seconds`` (of this process, since its start) and the scores.

    Raises
    ------
    BadConfig
        If the folder's checkpoint is beyond ``n_steps``.
    BadWeights
        If the folder's checkpoint cannot be read or is of another network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    torch.manual_seed(config.seed)
    first_step, history = _resume(model, optimiser, config, folder)

    started_s = time.monotonic()
    losses: list[float] = []
    for step in range(first_step, config.n_steps):
        model.train()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate_at(step, config)
        loss = loss_of(model, batch_at(step))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimiser.step()
        losses.append(float(loss.detach()))

        n_done = step + 1
        if n_done % config.evaluate_every == 0 or n_done == config.n_steps:
            row = {
                "step": n_done,
                "loss": sum(losses) / len(losses),
                "learning_rate": learning_rate_at(step, config),
                **_scores(model, evaluate),
                "seconds": round(time.monotonic() - started_s, 1),
            }
            losses = []
            history = [*history, row]
            _write(model, optimiser, history, folder, keep_best)
            seconds_left = row["seconds"] / (n_done - first_step) * (config.n_steps - n_done)
            logger.info("%s, %.0f min left", _line(row), seconds_left / 60)
    return history


def learning_rate_at(step: int, config: LoopConfig) -> float:
    """Return the learning rate of a step: linear warm-up, plateau, half-cosine decay.

    Examples
    --------
    >>> config = LoopConfig(n_steps=100, warmup_steps=10, learning_rate=1.0, decay_share=0.5)
    >>> [learning_rate_at(step, config) for step in (4, 9, 49, 75)]
    [0.5, 1.0, 1.0, 0.5]
    """
    warmth = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    n_planned = config.n_planned or config.n_steps
    n_decay = config.decay_share * n_planned
    decayed = max(0.0, (step - (n_planned - n_decay)) / n_decay)
    return config.learning_rate * warmth * 0.5 * (1 + math.cos(math.pi * decayed))


def _resume(
    model: nn.Module, optimiser: torch.optim.Optimizer, config: LoopConfig, folder: Path
) -> tuple[int, History]:
    """Load the folder's checkpoint into network, optimiser and generator, if there is one."""
    path = folder / CHECKPOINT_NAME
    if not path.exists():
        return 0, []
    checkpoint = load_checkpoint(path)
    if checkpoint.step > config.n_steps:
        raise BadConfig(
            f"{path} is at step {checkpoint.step}, n_steps is {config.n_steps}; "
            "raise n_steps or train into another folder"
        )
    checkpoint.load_into(model, optimiser)
    logger.info("going on from step %d of %s", checkpoint.step, path)
    return checkpoint.step, checkpoint.history


def _scores(
    model: nn.Module, evaluate: Callable[[nn.Module], dict[str, float]]
) -> dict[str, float]:
    """Return the held-out scores; evaluating leaves no trace in the generator."""
    rng = torch.get_rng_state()
    model.eval()
    with torch.no_grad():
        scores = evaluate(model)
    torch.set_rng_state(rng)
    return scores


def _write(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    history: History,
    folder: Path,
    keep_best: str | None,
) -> None:
    """Write checkpoint, history and curve, each whole or not at all."""
    checkpoint = Checkpoint(
        step=int(history[-1]["step"]),
        model=model.state_dict(),
        optimiser=optimiser.state_dict(),
        torch_rng=torch.get_rng_state(),
        history=history,
    )
    save_checkpoint(checkpoint, folder / CHECKPOINT_NAME)
    if keep_best and history[-1][keep_best] >= max(row[keep_best] for row in history):
        save_checkpoint(checkpoint, folder / BEST_NAME)
    _replace_text(folder / HISTORY_NAME, "".join(json.dumps(row) + "\n" for row in history))
    _replace_text(folder / CURVE_NAME, curve_svg(history))


def _replace_text(path: Path, text: str) -> None:
    """Write a text file in one move."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _line(row: dict[str, float]) -> str:
    """Return a history row as one line of text."""
    return ", ".join(f"{name} {value:.6g}" for name, value in row.items())
