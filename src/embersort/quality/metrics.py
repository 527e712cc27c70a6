"""What is asked of a unit once it is sorted: rate, height, contamination, presence, place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.spike_pairs import short_intervals
from embersort.types import FloatArray, Geometry, Sorting

PRESENCE_S = 10.0
"""A unit is present in a block of this length if it has a spike there."""


def unit_table(
    sorting: Sorting, templates_uv: FloatArray, noise_uv: FloatArray, geometry: Geometry
) -> dict[str, NDArray[Any]]:
    """Return the columns of ``units.csv``.

    Parameters
    ----------
    sorting : Sorting
    templates_uv : ndarray, shape (n_units, n_window, n_channels)
        Filtered, in microvolt.
    noise_uv : ndarray, shape (n_channels,)
        Noise of the filtered traces, MAD / 0.6745.
    geometry : Geometry

    Returns
    -------
    dict of str to ndarray, shape (n_units,)
        ``n_spikes``, ``rate_hz``, ``snr`` (depth of the template over the noise of its peak
        channel), ``amplitude_uv`` (peak to peak), ``refractory_fraction``, ``presence``,
        ``x_um``, ``y_um``, ``peak_channel``.
    """
    counts = sorting.spike_counts()
    depth = np.abs(templates_uv).max(axis=1)
    height = np.ptp(templates_uv, axis=1)
    peak = height.argmax(axis=1)
    rows = np.arange(len(peak))
    noise = np.where(noise_uv > 0, noise_uv, np.inf)[peak]
    weight = height**2
    total = np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    place = weight @ geometry.positions_um / total
    return {
        "n_spikes": counts,
        "rate_hz": counts / max(sorting.duration_s, np.finfo(float).tiny),
        "snr": depth[rows, peak] / noise,
        "amplitude_uv": height[rows, peak],
        "refractory_fraction": refractory_fraction(sorting),
        "presence": presence(sorting),
        "x_um": place[:, 0],
        "y_um": place[:, 1],
        "peak_channel": peak,
    }


def refractory_fraction(sorting: Sorting) -> NDArray[np.float64]:
    """Return the share of each unit's intervals below `REFRACTORY_MS`; 0 where there is none."""
    fractions = np.zeros(sorting.n_units)
    for unit, train in enumerate(sorting.trains()):
        if len(train) > 1:
            fractions[unit] = short_intervals(train, sorting.sampling_rate_hz).mean()
    return fractions


def presence(sorting: Sorting) -> NDArray[np.float64]:
    """Return the share of blocks of `PRESENCE_S` in which each unit has a spike."""
    length = PRESENCE_S * sorting.sampling_rate_hz
    n_blocks = max(1, round(sorting.n_samples / length))
    block = np.minimum((sorting.sample_index / length).astype(np.int64), n_blocks - 1)
    seen = np.zeros((sorting.n_units, n_blocks), bool)
    seen[sorting.unit_index, block] = True
    return seen.mean(axis=1)
