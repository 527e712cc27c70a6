"""What a template needs by itself to be matched: its components, and its sub-sample delays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embersort.templates.sparse import SparseTemplates
from embersort.types import FloatArray

N_SHIFTS = 5
"""Sub-sample positions of each template. Chosen on the development recordings, 2026-11-22."""

MAX_ENERGY_LEFT = 0.001
"""Components of a template are enough when they leave this share of its energy."""

TINY = 1e-300
"""Keeps a template of zeros from a division by zero."""


class TemplateComponents(NamedTuple):
    """What a bank holds of each template by itself; see `embersort.matching.bank.TemplateBank`.

    ``spatial`` has the shape (n_channels, n_units, rank).
    """

    shifted: NDArray[np.float32]
    spatial: NDArray[np.float32]
    temporal: NDArray[np.float32]
    norm2: NDArray[np.float64]
    noise2: NDArray[np.float64]


def decompose(
    templates: SparseTemplates,
    channels: NDArray[np.int64],
    rank: int,
    noise: FloatArray,
) -> TemplateComponents:
    """Return the parts of some templates, each on its own channels.

    Parameters
    ----------
    templates : SparseTemplates
    channels : ndarray, shape (n_units, n_support), int64
        Padded with -1.
    rank : int
        Components at most.
    noise : ndarray, shape (n_lags,)
        Autocorrelation of the noise.
    """
    n_units, n_window, n_channels = len(templates), templates.n_window, templates.n_channels
    sparse = np.zeros((n_units, n_window, channels.shape[1]), np.float32)
    spatial = np.zeros((n_channels, n_units, rank), np.float32)
    temporal = np.zeros((n_units, rank, n_window), np.float32)
    norm2 = np.zeros(n_units)
    for unit in range(n_units):
        used = channels[unit][channels[unit] >= 0]
        sparse[unit, :, : len(used)] = templates.one(unit)[:, used]
        u, s, vt = np.linalg.svd(sparse[unit, :, : len(used)].astype(np.float64), False)
        left = 1 - np.cumsum(s**2) / max(np.square(s).sum(), TINY)
        k = min(rank, len(s), 1 + np.count_nonzero(left > MAX_ENERGY_LEFT))
        spatial[used, unit, :k] = (vt[:k] * s[:k, None]).T
        temporal[unit, :k] = u[:, :k].T
        norm2[unit] = np.square(s[:k]).sum()
    delays = _delays(shift_samples(N_SHIFTS), n_window)
    return TemplateComponents(
        shifted=np.ascontiguousarray(np.matmul(delays, sparse[:, None]), np.float32),
        spatial=spatial,
        temporal=temporal,
        norm2=norm2,
        noise2=noise_variance(sparse, noise),
    )


def shift_samples(n_shifts: int) -> NDArray[np.float64]:
    """Return sub-sample delays, evenly spread from half a sample early to half a sample late."""
    return np.arange(n_shifts) / n_shifts - 0.5 + 0.5 / n_shifts


def noise_variance(templates: FloatArray, noise: FloatArray) -> NDArray[np.float64]:
    """Return the variance of the noise in the match with each template, brought to unit norm.

    Parameters
    ----------
    templates : ndarray, shape (n_units, n_window, n_channels)
    noise : ndarray, shape (n_lags,)
        Autocorrelation of noise that is the same on all channels, and independent between them.

    Returns
    -------
    ndarray, shape (n_units,), float64
        1 for noise without colour; more for a template as slow as its noise.
    """
    templates = np.asarray(templates, np.float64)
    n_window = templates.shape[1]
    known = np.zeros(n_window)
    known[: len(noise)] = noise[:n_window]
    lag = np.abs(np.subtract.outer(np.arange(n_window), np.arange(n_window)))
    variance = np.einsum("uwc,uwc->u", templates, np.matmul(known[lag], templates))
    energy = np.einsum("uwc,uwc->u", templates, templates)
    return np.asarray(variance / np.maximum(energy, np.finfo(float).tiny))


def _delays(shift_samples: NDArray[np.float64], n_window: int) -> NDArray[np.float32]:
    """Return the matrices that delay a window by fractions of a sample, (n_shifts, n_window, …).

    Band-limited, by the Fourier shift theorem on a window of twice the length.
    """
    frequency = np.fft.rfftfreq(2 * n_window)
    spectrum = np.fft.rfft(np.eye(n_window), 2 * n_window, axis=0)
    turned = spectrum * np.exp(-2j * np.pi * frequency * shift_samples[:, None])[:, :, None]
    return np.fft.irfft(turned, 2 * n_window, axis=1)[:, :n_window].astype(np.float32)
