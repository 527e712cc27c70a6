"""Where a network is trained: the CPU, or a GPU that PyTorch can use."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from embersort.errors import BadConfig, MissingDependency, nearest_name

DeviceName = Literal["auto", "cpu", "cuda"]
DEVICES = ("auto", "cpu", "cuda")
CPU = torch.device("cpu")


def choose_device(name: str) -> torch.device:
    """Return the device of a name; ``auto`` is the GPU where there is one.

    Raises
    ------
    BadConfig
        If there is no such name.
    MissingDependency
        If a GPU is asked for and PyTorch finds none.
    """
    if name not in DEVICES:
        raise BadConfig(f"no device '{name}'{nearest_name(name, DEVICES)}")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise MissingDependency(
            f"PyTorch {torch.__version__} finds no CUDA device; use --device cpu, or install a "
            "driver and a build of PyTorch with CUDA"
        )
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def on_device(batch: Any, device: torch.device) -> Any:
    """Return a batch, a tensor or a dataclass of tensors, on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    moved = {field.name: getattr(batch, field.name).to(device) for field in fields(batch)}
    return replace(batch, **moved)
