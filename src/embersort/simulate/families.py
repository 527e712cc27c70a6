"""The challenges of spike sorting, each as a family of scenes with one dial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embersort.errors import BadConfig, nearest_name
from embersort.simulate.scene import Scene

BASE: dict[str, Any] = {
    "duration_s": 120.0,
    "probe": {"kind": "columns", "n_channels": 16},
    "cells": {"n_units": 12, "min_snr": 8.0, "max_snr": 16.0},
    "amplitude": {"jitter": 0.04},
}
"""What the families share: well-isolated units that a good sorter finds without loss."""


def family_scene(family: str, difficulty: float, *, seed: int = 0) -> Scene:
    """Return the scene of a family at a difficulty.

    Parameters
    ----------
    family : str
        One of ``FAMILIES``.
    difficulty : float
        0 (the challenge is absent) to 1 (very hard).

    Raises
    ------
    BadConfig
        If the family does not exist or the difficulty is out of range.
    """
    if family not in FAMILIES:
        raise BadConfig(f"family '{family}' does not exist{nearest_name(family, FAMILIES)}")
    if not 0 <= difficulty <= 1:
        raise BadConfig(f"difficulty is {difficulty:g}, expected 0 to 1")
    values = _merged(BASE, FAMILIES[family](difficulty))
    return Scene.parse(
        {"name": f"{family}-{difficulty:g}", "seed": seed, **values}, where=f"family {family}"
    )


def _noise(d: float) -> dict[str, Any]:
    """Units sink from SNR 16–20 towards 3–4."""
    return {"cells": {"min_snr": _log_between(16, 3, d), "max_snr": _log_between(20, 4, d)}}


def _detection(d: float) -> dict[str, Any]:
    """One unit, pure detection: next to no noise at 0, SNR 5 at the middle, 2.5 at 1."""
    snr = _log_between(40, 5, 2 * d) if d <= 0.5 else _log_between(5, 2.5, 2 * d - 1)
    return {
        "probe": {"kind": "single"},
        "cells": {"n_units": 1, "min_snr": snr, "max_snr": snr},
        "noise": {"white_share": 0.5},
        "background": {"per_channel": 0.0},
    }


def _clustering(d: float) -> dict[str, Any]:
    """Pure clustering: few overlaps, ever more units at ever smaller differences.

    To be sorted with the event times given.
    """
    return {
        "cells": {"n_units": round(4 + 20 * d), "min_snr": 6.0, "max_snr": 8.0},
        "probe": {"kind": "tetrode"},
        "placement": {"min_distance_um": 30 - 24 * d, "margin_um": 60.0},
        "trains": {"rate_min_hz": 2.0, "rate_max_hz": 4.0},
    }


def _nongaussian(d: float) -> dict[str, Any]:
    """Clusters far from Gaussian: amplitudes vary, shrink after spikes and change slowly."""
    return {
        "amplitude": {
            "jitter": 0.04 + 0.16 * d,
            "attenuation": 0.5 * d,
            "recovery_ms": 50.0,
            "slow_change": 0.3 * d,
            "slow_change_s": 60.0,
        },
        "trains": {"process": "lognormal", "lognormal_sigma": 1.0 + 0.5 * d},
    }


def _drift(d: float) -> dict[str, Any]:
    """Movement to and fro, up to ±50 µm, more of it higher up."""
    return {"drift": {"kind": "sine", "amplitude_um": 50 * d, "depth_gradient": 0.3 * d}}


def _bursting(d: float) -> dict[str, Any]:
    """All units burst; later spikes of a burst lose up to two thirds of their height."""
    return {
        "trains": {"bursting_share": 1.0, "burst_probability": 0.1 + 0.4 * d},
        "amplitude": {"attenuation": 0.45 * d, "recovery_ms": 15.0},
    }


def _overlap(d: float) -> dict[str, Any]:
    """Volleys and high rates: at 1 most spikes overlap another one."""
    return {
        "cells": {"n_units": round(12 + 12 * d)},
        "trains": {
            "rate_min_hz": 4 + 11 * d,
            "rate_max_hz": 8 + 22 * d,
            "synchrony": 0.6 * d,
            "synchrony_jitter_ms": 0.5,
        },
        "placement": {"min_distance_um": 12.0},
    }


def _large_array(d: float) -> dict[str, Any]:
    """More and more channels and units: 32 and 24 at 0, 1024 and 768 at 1."""
    n_channels = 32 * 2 ** round(5 * d)
    return {
        "duration_s": 60.0,
        "probe": {"kind": "grid", "n_channels": n_channels, "n_columns": 4, "pitch_um": 30.0},
        "cells": {"n_units": 24 * n_channels // 32, "min_snr": 5.0, "max_snr": 20.0},
    }


def _everything(d: float) -> dict[str, Any]:
    """All of it at once."""
    parts = [_overlap(0.5 * d), _bursting(d), _nongaussian(0.5 * d), _drift(0.6 * d)]
    values: dict[str, Any] = {}
    for part in parts:
        values = _merged(values, part)
    values["trains"]["process"] = "gamma"
    return _merged(
        values,
        {
            "probe": {"n_channels": 32},
            "cells": {"n_units": 40, "min_snr": 6 - 2 * d, "max_snr": 20.0},
            "noise": {"artefacts_per_min": 2 * d, "hum_uv": 5 * d},
        },
    )


FAMILIES: dict[str, Callable[[float], dict[str, Any]]] = {
    "noise": _noise,
    "detection": _detection,
    "clustering": _clustering,
    "nongaussian": _nongaussian,
    "drift": _drift,
    "bursting": _bursting,
    "overlap": _overlap,
    "large-array": _large_array,
    "everything": _everything,
}
"""What each family changes at a difficulty from 0 to 1."""


def _log_between(low: float, high: float, share: float) -> float:
    return low * (high / low) ** share


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(values)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            value = _merged(old, value)
        result[key] = value
    return result
