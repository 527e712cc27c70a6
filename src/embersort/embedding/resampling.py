"""Reading a snippet of any sampling rate at the canonical rate, as a matrix."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.embedding.architecture import (
    CANONICAL_BEFORE_SAMPLES,
    CANONICAL_RATE_HZ,
    CANONICAL_SAMPLES,
)
from embersort.errors import BadConfig
from embersort.types import IntArray

N_SHIFTS = 9
"""The trough is placed to an eighth of a sample: -4/8, -3/8, … 4/8."""
SHIFT_STEPS = 8
LANCZOS_LOBES = 4
"""Lobes of the interpolating kernel; Duchon 1979, "Lanczos filtering in one and two dimensions"."""


def resampling_matrices(
    n_samples: int, n_before: int, sampling_rate_hz: float
) -> NDArray[np.float32]:
    """Return the matrices that read a snippet at the canonical times, one per sub-sample shift.

    Parameters
    ----------
    n_samples, n_before : int
        Length of the snippet and sample of its trough.
    sampling_rate_hz : float
        Rate of the snippet.

    Returns
    -------
    ndarray, shape (N_SHIFTS, n_samples, CANONICAL_SAMPLES), float32
        ``snippet.T @ matrices[s]`` is the snippet whose trough lies ``(s - 4) / 8`` samples
        after ``n_before``. Rows of weights add up to one, so that a constant stays itself.

    Raises
    ------
    BadConfig
        If the snippet does not cover -0.95 to +1.4 ms.
    """
    canonical = np.arange(CANONICAL_SAMPLES) - CANONICAL_BEFORE_SAMPLES
    shift = (np.arange(N_SHIFTS) - N_SHIFTS // 2) / SHIFT_STEPS
    place = n_before + canonical * sampling_rate_hz / CANONICAL_RATE_HZ + shift[:, None]
    # Half a sample beyond either end is allowed: the shift may push it there.
    if place.min() < -1.0 or place.max() > n_samples:
        raise BadConfig(
            f"a snippet of {n_samples} samples, {n_before} before the trough, at "
            f"{sampling_rate_hz:g} Hz does not cover -0.95 to +1.4 ms, which the encoder reads; "
            "use snippet.before_ms = 1.0 and snippet.after_ms = 1.5, or feature.method = 'pca'"
        )
    distance = place[:, None, :] - np.arange(n_samples)[None, :, None]
    weight = np.sinc(distance) * np.sinc(distance / LANCZOS_LOBES)
    weight[np.abs(distance) >= LANCZOS_LOBES] = 0.0
    weight /= weight.sum(axis=1, keepdims=True)
    return weight.astype(np.float32)


@njit(nogil=True, cache=True)
def shift_indices(troughs: NDArray[np.float32]) -> IntArray:
    """Return `shift_index` of many troughs, each given by three samples."""
    index = np.empty(len(troughs), np.int64)
    for i in range(len(troughs)):
        index[i] = shift_index(troughs[i, 0], troughs[i, 1], troughs[i, 2])
    return index


@njit(nogil=True, cache=True)
def shift_index(before: float, trough: float, after: float) -> int:
    """Return the index of the shift whose parabola through three samples has its vertex there.

    Examples
    --------
    >>> shift_index(-1.0, -2.0, -1.0), shift_index(-2.0, -2.0, 0.0), shift_index(0.0, 0.0, 0.0)
    (4, 0, 4)
    """
    curvature = before - 2.0 * trough + after
    if curvature <= 0.0:
        return N_SHIFTS // 2
    vertex = 0.5 * (before - after) / curvature
    vertex = min(0.5, max(-0.5, vertex))
    return int(np.floor(vertex * SHIFT_STEPS + 0.5)) + N_SHIFTS // 2
