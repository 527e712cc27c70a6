"""How alike templates are: by shape, at lags, and by shape and height together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray

SMALLEST_ENERGY = 1e-9
"""Far below that of any template in units of the noise; what is empty is like nothing."""


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Return the cosine between two templates: 1 for the same shape at any height."""
    norms = np.sqrt((np.square(a, dtype=float)).sum() * (np.square(b, dtype=float)).sum())
    return float((a * b).sum() / max(norms, np.finfo(float).tiny))


def cosines_at_lags(a: FloatArray, b: FloatArray, max_lag: int) -> NDArray[np.float64]:
    """Return the cosines of two templates, the second moved against the first.

    Parameters
    ----------
    a, b : ndarray, shape (n_window, n_channels)
        Zero beyond their window.
    max_lag : int
        In samples, less than ``n_window``.

    Returns
    -------
    ndarray, shape (2 * max_lag + 1,), float64
        For each lag from ``-max_lag`` on: sample t of the first meets sample t + lag of the second.
        O(n_window² · n_channels).
    """
    both = a.any(axis=0) & b.any(axis=0)
    product = np.asarray(a[:, both] @ b[:, both].T, np.float64)
    energy = np.square(a, dtype=float).sum() * np.square(b, dtype=float).sum()
    lags = range(-max_lag, max_lag + 1)
    sums = np.array([np.trace(product, offset=lag) for lag in lags])
    return np.asarray(sums / max(np.sqrt(energy), SMALLEST_ENERGY))


def similarity_matrix(templates: FloatArray) -> NDArray[np.float64]:
    """Return 2 a·b / (|a|² + |b|²) of all pairs: 1 for equal ones, less for other shape or height.

    Parameters
    ----------
    templates : ndarray, shape (n_units, n_window, n_channels)
    """
    flat = np.asarray(templates, np.float64).reshape(len(templates), -1)
    product = flat @ flat.T
    energy = np.diag(product)
    total = np.maximum(energy[:, None] + energy[None, :], np.finfo(float).tiny)
    return np.asarray(2 * product / total)


def peak_cosine_matrix(waveforms: FloatArray, max_lag: int) -> NDArray[np.float64]:
    """Return the largest cosine over lags of all pairs of waveforms on one channel.

    Parameters
    ----------
    waveforms : ndarray, shape (n_units, n_window)
        Taken as circular: a window's ends are alike.
    max_lag : int
        In samples, either way.
    """
    waves = np.asarray(waveforms, np.float64)
    norm = np.linalg.norm(waves, axis=1)
    waves = waves / np.where(norm > 0, norm, 1)[:, None]
    best = np.full((len(waves), len(waves)), -1.0)
    for lag in range(-max_lag, max_lag + 1):
        best = np.maximum(best, np.roll(waves, lag, axis=1) @ waves.T)
    return best
