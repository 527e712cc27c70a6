"""Scenes drawn at random for training, and others of kinds that training never sees."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from embersort.config import Config
from embersort.simulate.scene import Scene

Split = Literal["train", "heldout"]

HELD_OUT_PITCH_UM = (27.0, 33.0)
"""Probes of a pitch within this range, and all polytrodes, are kept for testing."""
HELD_OUT_EXPONENT = (0.85, 1.15)
"""Noise whose power falls with an exponent within this range is kept for testing."""
STREAM = {"train": 1, "heldout": 2}
"""Scenes of the two splits never share a seed."""
HARDSHIP_STREAM = 5
"""Last word of the seed of hardships: a scene without them is the same whatever their shares."""
PROBE_STREAM = 6
"""Last word of the seed of what probe a scene is given in place of its own."""
TETRODE_UNITS = (4, 13)
"""Units of a tetrode: at least the first, fewer than the second."""
WEAK_SPREAD = (1.3, 2.4)
"""Largest over smallest SNR of a weak scene."""
DENSE_RATE = 3.0
"""Factor on the firing rates of a dense scene, whose spikes overlap more often than not."""
DENSE_SYNCHRONY = 0.3


class SceneDraw(Config):
    """Ranges from which scenes are drawn."""

    duration_s: float = Field(60.0, gt=0)
    """Length of a scene; half a minute either way fits into it."""
    max_channels: int = Field(32, ge=4)
    """Channels of the largest probe."""
    min_snr: float = Field(3.0, gt=0)
    """Smallest unit."""
    max_snr: float = Field(25.0, gt=0)
    """Largest unit."""
    units_per_channel: float = Field(1.5, gt=0)
    """Units of a dense scene, per channel; a sparse one has a third. Tetrodes have 4 to 12."""
    weak_share: float = Field(0.0, ge=0, le=1)
    """Share of scenes in which every unit is small."""
    dense_share: float = Field(0.0, ge=0, le=1)
    """Share of scenes with high rates and volleys."""
    tetrode_share: float = Field(0.0, ge=0, le=1)
    """Share of scenes that have a tetrode in place of the probe drawn, of which a third are one."""
    bank: str = ""
    """A folder of cells to draw from beside the built-in bank."""


def draw_scene(config: SceneDraw, split: Split, index: int) -> Scene:
    """Draw one scene; the same for the same arguments.

    Parameters
    ----------
    config : SceneDraw
    split : {"train", "heldout"}
        Held-out scenes have cells, pitches, probes and noise that no training scene has.
    index : int
        Which scene of the split.
    """
    seed = [STREAM[split], index]
    rng = np.random.default_rng(seed)
    probe, n_units = _draw_probe(config, split, rng)
    probe_rng = np.random.default_rng([*seed, PROBE_STREAM])
    if probe_rng.random() < config.tetrode_share and probe["kind"] != "tetrode":
        probe = {"kind": "tetrode", "pitch_um": probe["pitch_um"]}
        n_units = int(probe_rng.integers(*TETRODE_UNITS))
    snr = config.min_snr * np.exp(rng.uniform(0, 0.5))
    values: dict[str, Any] = {
        "name": f"{split}-{index}",
        "seed": int(rng.integers(2**31)),
        "duration_s": config.duration_s,
        "sampling_rate_hz": float(rng.choice([20000.0, 24000.0, 30000.0, 30000.0, 32000.0])),
        "probe": probe,
        "cells": {
            "n_units": n_units,
            "split": split,
            "bank": config.bank,
            "min_snr": snr,
            "max_snr": max(config.max_snr * rng.uniform(0.5, 1.0), 2 * snr),
        },
        "placement": {
            "min_distance_um": 8.0,
            "max_depth_um": rng.uniform(40, 70),
            "upright": bool(rng.random() < 0.6),
        },
        "trains": _draw_trains(rng),
        "amplitude": _draw_amplitude(rng),
        "drift": _draw_drift(rng),
        "noise": _draw_noise(split, rng),
    }
    _impose_hardships(values, config, np.random.default_rng([*seed, HARDSHIP_STREAM]))
    return Scene.parse(values, where=values["name"])


def _impose_hardships(values: dict[str, Any], config: SceneDraw, rng: np.random.Generator) -> None:
    """Make a scene weak or dense in place, each with its own chance."""
    cells, trains = values["cells"], values["trains"]
    is_weak, is_dense = rng.random(2) < (config.weak_share, config.dense_share)
    if is_weak:
        cells["max_snr"] = cells["min_snr"] * rng.uniform(*WEAK_SPREAD)
    if is_dense:
        trains["rate_min_hz"] *= DENSE_RATE
        trains["rate_max_hz"] *= DENSE_RATE
        trains["synchrony"] = DENSE_SYNCHRONY


def _draw_probe(
    config: SceneDraw, split: Split, rng: np.random.Generator
) -> tuple[dict[str, Any], int]:
    """Return a probe and a number of units that suits it."""
    low, high = HELD_OUT_PITCH_UM
    if split == "heldout":
        pitch = rng.uniform(low, high)
        kinds = ["tetrode", "tetrode", "columns", "linear", "grid", "polytrode"]
    else:
        # Log-uniform over 15–80 µm, the held-out stretch cut out.
        pitch = np.exp(rng.uniform(np.log(15), np.log(80)))
        while low <= pitch <= high:
            pitch = np.exp(rng.uniform(np.log(15), np.log(80)))
        kinds = ["tetrode", "tetrode", "columns", "columns", "linear", "grid"]
    kind = str(rng.choice(kinds))
    if kind == "tetrode":
        return {"kind": kind, "pitch_um": pitch}, int(rng.integers(*TETRODE_UNITS))
    n_channels = int(rng.choice([8, 16, config.max_channels]))
    n_columns = {"columns": 2, "grid": 4}.get(kind, 1)
    probe = {
        "kind": kind,
        "n_channels": n_channels,
        "pitch_um": pitch,
        "n_columns": n_columns,
        "column_pitch_um": pitch * rng.uniform(0.6, 1.4),
    }
    share = config.units_per_channel * np.exp(rng.uniform(np.log(1 / 3), 0))
    return probe, max(4, round(n_channels * share))


def _draw_trains(rng: np.random.Generator) -> dict[str, Any]:
    low = np.exp(rng.uniform(np.log(1), np.log(8)))
    return {
        "process": str(rng.choice(["poisson", "gamma", "lognormal"])),
        "rate_min_hz": low,
        "rate_max_hz": low * np.exp(rng.uniform(np.log(1.5), np.log(5))),
        "rate_law": "lognormal",
        "bursting_share": float(rng.choice([0.0, 0.3, 1.0])),
        "burst_min_interval_ms": rng.uniform(2.2, 4.0),
        "burst_max_interval_ms": rng.uniform(6.0, 20.0),
        "rate_change": float(rng.choice([0.0, 0.5, 1.0])),
        "synchrony": float(rng.choice([0.0, 0.0, 0.2])),
    }


def _draw_amplitude(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "jitter": rng.uniform(0.0, 0.1),
        "attenuation": float(rng.choice([0.1, 0.3, 0.5])),
        "recovery_ms": rng.uniform(8, 40),
        "slow_change": float(rng.choice([0.0, 0.0, 0.15, 0.3])),
        "slow_change_s": rng.uniform(40, 300),
    }


def _draw_drift(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "kind": str(rng.choice(["none", "none", "ramp", "sine", "step", "jump"])),
        "amplitude_um": rng.uniform(3, 25),
        "period_s": rng.uniform(15, 120),
        "onset_share": rng.uniform(0.3, 0.7),
    }


def _draw_noise(split: Split, rng: np.random.Generator) -> dict[str, Any]:
    low, high = HELD_OUT_EXPONENT
    exponent = rng.uniform(low, high)
    if split == "train":
        exponent = rng.choice([rng.uniform(0.0, low), rng.uniform(high, 2.0)])
    return {
        # As normal as the usual generator's, and cheaper: noise is most of what a scene costs.
        "generator": "hashed",
        "white_share": rng.uniform(0.05, 0.7),
        "exponent": exponent,
        "correlation_um": rng.uniform(10, 80),
    }
