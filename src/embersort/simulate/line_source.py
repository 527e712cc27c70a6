"""Potentials of straight current sources in a homogeneous medium."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.types import FloatArray

CONDUCTIVITY_S_PER_M = 0.3
"""Extracellular conductivity of grey matter (Goto et al. 2010 measured 0.28–0.40 S/m)."""

MICROVOLT_PER_MILLIVOLT = 1e3


def line_source_gains(
    positions_um: FloatArray,
    start_um: FloatArray,
    end_um: FloatArray,
    diameter_um: FloatArray,
    *,
    conductivity_s_per_m: float = CONDUCTIVITY_S_PER_M,
) -> NDArray[np.float64]:
    """Return the potential at each position per unit of current of each segment.

    A segment of length L carries its current spread evenly along itself; at
    longitudinal distance s from its start and radial distance r from its axis

        gain = [asinh((L - s) / r) + asinh(s / r)] / (4 π σ L)

    (Holt and Koch 1999, eq. 3, written with asinh). r is not let below half
    the diameter, so a position inside a segment stays finite. A segment
    without length counts as a point source.

    Parameters
    ----------
    positions_um : ndarray, shape (n_positions, 3)
    start_um, end_um : ndarray, shape (n_segments, 3)
    diameter_um : ndarray, shape (n_segments,)
    conductivity_s_per_m : float
        Conductivity σ of the medium, > 0.

    Returns
    -------
    ndarray, shape (n_positions, n_segments), float64
        In µV per nA.

    Raises
    ------
    BadInput
        If shapes do not fit together.

    Notes
    -----
    O(n_positions · n_segments).
    """
    positions = np.ascontiguousarray(positions_um, dtype=np.float64)
    start = np.ascontiguousarray(start_um, dtype=np.float64)
    end = np.ascontiguousarray(end_um, dtype=np.float64)
    diameter = np.ascontiguousarray(diameter_um, dtype=np.float64)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise BadInput(f"positions_um has shape {positions.shape}, expected (n_positions, 3)")
    if start.shape != end.shape or start.shape != (len(diameter), 3):
        raise BadInput(
            f"segments have starts {start.shape}, ends {end.shape}, diameters {diameter.shape}; "
            "expected (n, 3), (n, 3), (n,)"
        )
    scale = MICROVOLT_PER_MILLIVOLT / (4 * math.pi * conductivity_s_per_m)
    return _gains(positions, start, end, diameter, scale)


@numba.njit(cache=True, nogil=True)
def _gains(
    positions: FloatArray, start: FloatArray, end: FloatArray, diameter: FloatArray, scale: float
) -> NDArray[np.float64]:
    n_positions, n_segments = len(positions), len(start)
    gains = np.empty((n_positions, n_segments))
    for j in range(n_segments):
        ax = end[j, 0] - start[j, 0]
        ay = end[j, 1] - start[j, 1]
        az = end[j, 2] - start[j, 2]
        length = math.sqrt(ax * ax + ay * ay + az * az)
        radius = max(0.5 * diameter[j], 1e-9)
        if length > 0:
            ax, ay, az = ax / length, ay / length, az / length
        for i in range(n_positions):
            vx = positions[i, 0] - start[j, 0]
            vy = positions[i, 1] - start[j, 1]
            vz = positions[i, 2] - start[j, 2]
            squared = vx * vx + vy * vy + vz * vz
            if length == 0:
                gains[i, j] = scale / max(math.sqrt(squared), radius)
                continue
            s = vx * ax + vy * ay + vz * az
            r = max(math.sqrt(max(squared - s * s, 0.0)), radius)
            # asinh(a) = log(a + sqrt(a² + 1)); one logarithm does for both.
            product = _exp_asinh((length - s) / r) * _exp_asinh(s / r)
            gains[i, j] = scale / length * math.log(product)
    return gains


@numba.njit(cache=True, nogil=True)
def _exp_asinh(a: float) -> float:
    """Return exp(asinh(a)), without cancellation where a is negative."""
    root = math.sqrt(a * a + 1)
    return root + a if a >= 0 else 1 / (root - a)
