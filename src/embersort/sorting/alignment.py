"""Parts of one unit whose troughs were taken a sample or two apart, brought to one time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.features import TemporalPca
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

MAX_LAG_MS = 0.1
"""A flat trough is found within this time of where it is; another trough is farther."""

LEAST_GAIN = 0.005
"""A template is moved if its cosine with the other grows by at least this."""


def lags_to_leaders(
    templates: FloatArray, leader: IntArray, sampling_rate_hz: float
) -> NDArray[np.int64]:
    """Return by how many samples each part must be moved later to lie on its leader.

    Parameters
    ----------
    templates : ndarray, shape (n_parts, n_window, n_channels)
    leader : ndarray, shape (n_parts,), int64
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_parts,), int64
        The mean of two templates a sample apart is a blurred one, and what it leaves of every
        spike looks like a small spike of another unit.
    """
    reach = ms_to_samples(MAX_LAG_MS, sampling_rate_hz)
    lags = np.zeros(len(templates), np.int64)
    for part, own in enumerate(leader):
        if part == own:
            continue
        there = templates[own]
        norm = np.linalg.norm(there) * np.linalg.norm(templates[part])
        cosines = {
            lag: float((moved_later(templates[part], lag) * there).sum()) / max(norm, 1e-9)
            for lag in range(-reach, reach + 1)
        }
        best = max(cosines, key=lambda lag: cosines[lag])
        if cosines[best] >= cosines[0] + LEAST_GAIN:
            lags[part] = best
    return lags


def moved_later(wave: FloatArray, lag: int) -> NDArray[np.floating]:
    """Return a waveform, time first, moved later by ``lag`` samples; zero where nothing is known."""
    moved = np.zeros_like(wave)
    if lag >= 0:
        moved[lag:] = wave[: len(wave) - lag]
    else:
        moved[:lag] = wave[-lag:]
    return moved


def codes_moved_later(
    codes: NDArray[np.float32], lag_samples: IntArray, stage: TemporalPca
) -> NDArray[np.float32]:
    """Return the codes of snippets, each moved later by its own number of samples.

    Parameters
    ----------
    codes : ndarray, shape (n_spikes, n_codes), float32
    lag_samples : ndarray, shape (n_spikes,), int64
    stage : TemporalPca
        Its components are orthonormal: moving a waveform is a small matrix for each lag.
    """
    moved = codes.copy()
    n_components = stage.basis.shape[1]
    for lag in np.unique(lag_samples[lag_samples != 0]):
        move = (moved_later(stage.basis, int(lag)).T @ stage.basis).astype(np.float32)
        rows = np.flatnonzero(lag_samples == lag)
        by_channel = codes[rows].reshape(len(rows), -1, n_components)
        moved[rows] = (by_channel @ move).reshape(len(rows), -1)
    return moved
