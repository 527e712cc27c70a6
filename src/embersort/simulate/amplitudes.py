"""How large each spike is beside its unit's template."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.config import Config
from embersort.types import FloatArray, IntArray

BURST_INTERVAL_S = 0.02
"""A spike this soon after another counts as a later spike of a burst."""


class AmplitudeConfig(Config):
    """Change of a unit's amplitude from spike to spike."""

    jitter: float = Field(0.04, ge=0, le=0.5)
    """Standard deviation of the amplitude from spike to spike, as a share of it."""
    attenuation: float = Field(0.0, ge=0, le=0.9)
    """Loss right after a spike; it adds up within a burst."""
    recovery_ms: float = Field(15.0, gt=0)
    """Time constant with which the loss recovers."""
    slow_change: float = Field(0.0, ge=0, le=0.9)
    """Share by which the amplitude rises and falls slowly, each unit with its own phase."""
    slow_change_s: float = Field(300.0, gt=0)
    """Period of that rise and fall."""


def draw_amplitudes(
    config: AmplitudeConfig, times_s: FloatArray, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the factor on the template for each spike of one unit.

    Loss D decays with ``recovery_ms`` and grows by (1 - D) · ``attenuation`` at each spike; a
    spike has the amplitude 1 - D.

    Parameters
    ----------
    times_s : ndarray, shape (n_spikes,)
        Increasing.

    Returns
    -------
    ndarray, shape (n_spikes,), float32
        Positive.
    """
    n_spikes = len(times_s)
    phase = rng.uniform(0, 2 * np.pi)
    jitter = rng.standard_normal(n_spikes)
    slow = 1 + config.slow_change * np.sin(2 * np.pi * times_s / config.slow_change_s + phase)
    factor = slow * np.exp(config.jitter * jitter)
    if config.attenuation > 0:
        factor *= 1 - _losses(config, times_s)
    return factor.astype(np.float32)


def burst_positions(times_s: FloatArray) -> IntArray:
    """Return for each spike how many spikes of its unit came before it in the same burst."""
    position = np.zeros(len(times_s), np.int64)
    for i in range(1, len(times_s)):
        if times_s[i] - times_s[i - 1] < BURST_INTERVAL_S:
            position[i] = position[i - 1] + 1
    return position


def _losses(config: AmplitudeConfig, times_s: FloatArray) -> NDArray[np.float64]:
    kept = np.exp(-np.diff(times_s) / (config.recovery_ms * 1e-3))
    losses = np.zeros(len(times_s))
    for i in range(1, len(times_s)):
        after = losses[i - 1] + (1 - losses[i - 1]) * config.attenuation
        losses[i] = after * kept[i - 1]
    return losses
