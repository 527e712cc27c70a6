"""How far the tissue has moved along the probe, as a function of time and depth."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """One course of movement, drawn once; asked for at any time.

    Attributes
    ----------
    config : DriftConfig
    duration_s : float
    phase_rad : float
        Of a sine.
    jump_onset_s, jump_height_um : ndarray, shape (n_jumps,)
    """

    config: DriftConfig
    duration_s: float
    phase_rad: float
    jump_onset_s: FloatArray
    jump_height_um: FloatArray

    def rigid_um(self, times_s: FloatArray) -> FloatArray:
        """Return the displacement at the middle of the probe, within ± ``amplitude_um``."""
        config = self.config
        times = np.asarray(times_s, dtype=np.float64)
        if config.kind == "ramp":
            return config.amplitude_um * (2 * times / self.duration_s - 1)
        if config.kind == "sine":
            angle = 2 * np.pi * times / config.period_s + self.phase_rad
            return config.amplitude_um * np.sin(angle)
        if config.kind == "step":
            return np.where(times < config.onset_share * self.duration_s, 0.0, config.amplitude_um)
        if config.kind == "none" or not len(self.jump_onset_s):
            return np.zeros(len(times))
        last = np.searchsorted(self.jump_onset_s, times, side="right") - 1
        away = (last >= 0) & (times < self.jump_onset_s[last] + config.jump_s)
        return np.where(away, self.jump_height_um[last], 0.0)

    def grid_um(self, step_um: float) -> FloatArray:
        """Return displacements in even steps that span all that can occur; 0 is among them."""
        if self.config.kind == "none" or self.config.amplitude_um == 0:
            return np.zeros(1)
        reach = self.config.amplitude_um * (1 + abs(self.config.depth_gradient))
        n_steps = int(np.ceil(reach / step_um))
        return np.arange(-n_steps, n_steps + 1) * step_um


def draw_motion(config: DriftConfig, duration_s: float, rng: np.random.Generator) -> Motion:
    """Draw what a movement leaves to chance: the phase of a sine, times and heights of jumps."""
    n_jumps = int(rng.poisson(duration_s / config.period_s)) if config.kind == "jump" else 0
    return Motion(
        config=config,
        duration_s=duration_s,
        phase_rad=float(rng.uniform(0, 2 * np.pi)),
        jump_onset_s=np.sort(rng.uniform(0, duration_s, n_jumps)),
        jump_height_um=config.amplitude_um * rng.uniform(-1, 1, n_jumps),
    )


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
