"""Where along and across the probe each spike seems to come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.pca import TemporalPca
from embersort.types import FloatArray, IntArray

SPIKES_AT_ONCE = 16_384
"""Spikes whose places are worked out at one time; what that takes is several times their codes."""

NOISE_SD = 2.0
"""A channel's energy counts in so far as it is this many standard deviations beyond noise."""


def spike_positions_um(
    pca_features: NDArray[np.float32],
    peak_channel: IntArray,
    pca: TemporalPca,
    positions_um: FloatArray,
    rows: IntArray | None = None,
) -> NDArray[np.float32]:
    """Return where each spike seems to come from: the centre of mass of its squared energy.

    Parameters
    ----------
    pca_features : ndarray, shape (n_spikes, n_features), float32
        Codes of cleaned snippets, in units of noise.
    peak_channel : ndarray, shape (n_spikes,), int64
        Channel round which each was cut.
    pca : TemporalPca
    positions_um : ndarray, shape (n_channels, 2)
    rows : ndarray, shape (n_wanted,), int64, optional
        Spikes whose places are wanted; all by default.

    Returns
    -------
    ndarray, shape (n_wanted, 2), float32
        The energy that noise might have by itself is taken off each channel first: χ² of as many
        degrees of freedom as there are components, its mean and two standard deviations. Good for
        seeing movement; a centre of mass is always inside the probe.
    """
    wanted = np.arange(len(pca_features)) if rows is None else rows
    place = np.empty((len(wanted), 2), np.float32)
    for first in range(0, len(wanted), SPIKES_AT_ONCE):
        some = wanted[first : first + SPIKES_AT_ONCE]
        place[first : first + SPIKES_AT_ONCE] = _positions_um(
            pca_features[some], peak_channel[some], pca, positions_um
        )
    return place


def _positions_um(
    pca_features: NDArray[np.float32],
    peak_channel: IntArray,
    pca: TemporalPca,
    positions_um: FloatArray,
) -> FloatArray:
    n_components = pca.basis.shape[1]
    by_channel = pca_features.reshape(
        len(pca_features), pca_features.shape[1] // n_components, n_components
    )
    noise = n_components + NOISE_SD * np.sqrt(2 * n_components)
    energy = np.maximum(np.square(by_channel).sum(axis=2) - noise, 0)
    local = pca.neighbours[peak_channel]
    weight = np.where(local >= 0, np.square(energy), 0)
    # The peak channel counts a little always, so that no spike is without a place.
    weight[:, 0] += np.finfo(np.float32).eps
    place = np.einsum("ij,ijk->ik", weight, positions_um[local])
    return place / weight.sum(axis=1, keepdims=True)
