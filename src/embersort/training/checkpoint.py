"""A training run on disk: written whole or not at all, read without running any code in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from embersort.errors import BadWeights


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """Everything that a training run needs to go on as if it had never stopped.

    Attributes
    ----------
    step : int
        Number of steps taken.
    model : dict
        State of the network.
    optimiser : dict
        State of the optimiser.
    torch_rng : Tensor, uint8
        State of PyTorch's generator on the CPU.
    history : list of dict
        One row per evaluation so far, as in ``history.jsonl``.
    """

    step: int
    model: dict[str, Any]
    optimiser: dict[str, Any]
    torch_rng: torch.Tensor
    history: list[dict[str, float]]

    def load_into(self, model: nn.Module, optimiser: torch.optim.Optimizer | None = None) -> None:
        """Put the state into a network and, where the run goes on, optimiser and generator.

        Raises
        ------
        BadWeights
            If the network has other parameters than the one that was saved.
        """
        try:
            model.load_state_dict(self.model)
        except RuntimeError as error:
            first_line = str(error).splitlines()[0]
            raise BadWeights(
                f"the checkpoint is of another network: {first_line} "
                "Use the settings it was trained with, or another folder"
            ) from None
        if optimiser is not None:
            optimiser.load_state_dict(self.optimiser)
            torch.set_rng_state(self.torch_rng)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint; a run killed at any moment leaves the old or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        # A shallow dict: asdict would copy every tensor.
        torch.save({name: getattr(checkpoint, name) for name in Checkpoint.__slots__}, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are accepted.

    Raises
    ------
    BadWeights
        If the file is missing, truncated, or holds anything else.
    """
    try:
        content = torch.load(Path(path), map_location="cpu", weights_only=True)
        return Checkpoint(**content)
    except FileNotFoundError:
        raise BadWeights(f"checkpoint {path} does not exist") from None
    except Exception as error:  # noqa: BLE001  torch raises half a dozen kinds on broken files
        raise BadWeights(
            f"checkpoint {path} cannot be read ({type(error).__name__}); delete it to start anew"
        ) from None
