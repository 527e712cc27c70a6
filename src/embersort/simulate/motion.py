"""How far the tissue has moved along the probe, as a function of time and depth."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.config import Config
from embersort.types import FloatArray


class DriftConfig(Config):
    """Movement of the cells along the probe (the y axis)."""

    kind: Literal["none", "ramp", "sine", "step", "jump"] = "none"
    """``ramp``: steady; ``sine``: to and fro; ``step``: once, for good; ``jump``: away and back
    again at random times."""
    amplitude_um: float = Field(20.0, ge=0)
    """Largest displacement at the middle of the probe."""
    period_s: float = Field(60.0, gt=0)
    """Period of ``sine``; mean time between jumps of ``jump``."""
    onset_share: float = Field(0.5, ge=0, le=1)
    """Share of the recording after which a ``step`` comes."""
    jump_s: float = Field(5.0, gt=0)
    """How long a jump lasts."""
    depth_gradient: float = Field(0.0, ge=-1, le=1)
    """0: rigid. g: the deepest cells move by 1 - g, the highest by 1 + g of the displacement."""


def rigid_displacement_um(
    config: DriftConfig, times_s: FloatArray, duration_s: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the displacement at the middle of the probe at each time.

    Parameters
    ----------
    times_s : ndarray, shape (n,)
    duration_s : float
        Duration of the scene.
    rng : numpy.random.Generator
        Draws the times and sizes of jumps, and the phase of a sine; always the same number of
        draws for the same config and duration.

    Returns
    -------
    ndarray, shape (n,)
        In µm, within ± ``amplitude_um``.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if config.kind == "none":
        return np.zeros(len(times))
    if config.kind == "ramp":
        return config.amplitude_um * (2 * times / duration_s - 1)
    if config.kind == "sine":
        phase = rng.uniform(0, 2 * np.pi)
        return config.amplitude_um * np.sin(2 * np.pi * times / config.period_s + phase)
    if config.kind == "step":
        return np.where(times < config.onset_share * duration_s, 0.0, config.amplitude_um)
    n_jumps = rng.poisson(duration_s / config.period_s)
    onset = np.sort(rng.uniform(0, duration_s, n_jumps))
    height = config.amplitude_um * rng.uniform(-1, 1, n_jumps)
    last = np.searchsorted(onset, times, side="right") - 1
    inside = (last >= 0) & (times < onset[last] + config.jump_s) if n_jumps else last >= 0
    return np.where(inside, height[last] if n_jumps else 0.0, 0.0)


def depth_factor(
    config: DriftConfig, depth_um: FloatArray, probe_depth_um: FloatArray
) -> NDArray[np.float64]:
    """Return by how much of the rigid displacement a cell at each depth moves.

    Parameters
    ----------
    depth_um : ndarray, shape (n_cells,)
        Position of the cells along the probe.
    probe_depth_um : ndarray, shape (n_channels,)
        Position of the contacts along the probe: they span -1 to 1 of the gradient.
    """
    low, high = float(np.min(probe_depth_um)), float(np.max(probe_depth_um))
    half_span = max((high - low) / 2, 1.0)
    relative = (np.asarray(depth_um, dtype=np.float64) - (low + high) / 2) / half_span
    return 1.0 + config.depth_gradient * np.clip(relative, -1, 1)
