"""First templates from labels and codes; templates whitened and not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.pca import TemporalPca
from embersort.templates.spikes import UnitSpikes
from embersort.types import FloatArray


def median_templates(spikes: UnitSpikes, pca: TemporalPca, n_channels: int) -> NDArray[np.float32]:
    """Return a white template for each unit, from the median of its codes.

    Parameters
    ----------
    spikes : UnitSpikes
    pca : TemporalPca
    n_channels : int

    Returns
    -------
    ndarray, shape (n_units, n_window, n_channels), float32
        A median forgets the minority of snippets in which another spike is near. Only the events
        that peak on the unit's commonest channel count: they share their local channels.
    """
    n_units = int(spikes.unit_index.max(initial=-1)) + 1
    n_window, n_components = pca.basis.shape
    templates = np.zeros((n_units, n_window, n_channels), np.float32)
    for unit in range(n_units):
        members = np.flatnonzero(spikes.unit_index == unit)
        main = np.bincount(spikes.channel_index[members]).argmax()
        members = members[spikes.channel_index[members] == main]
        features = np.median(spikes.pca_features[members], axis=0).reshape(-1, n_components)
        local = pca.neighbours[main]
        used = local >= 0
        templates[unit][:, local[used]] = (pca.basis @ features.T)[:, used]
    return templates


def unwhitening(whitening: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the matrix that undoes a whitening, the pseudo-inverse; O(n_channels³)."""
    return np.linalg.pinv(whitening.astype(np.float64), rcond=1e-6)


def unwhiten(white: FloatArray, whitening: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return templates in microvolt, same shape, from white ones."""
    return (white @ unwhitening(whitening).T).astype(np.float32)


def centred(
    white: NDArray[np.float32], back: NDArray[np.float64], n_before: int
) -> NDArray[np.float32]:
    """Return white templates moved so that their deepest trough in microvolt is at ``n_before``.

    Far from a cell the return current makes a trough that is later than the spike. Where an event
    was detected at that one, its template is moved to the spike. ``back`` is what `unwhitening`
    gives.
    """
    moved = np.zeros_like(white)
    n_window = white.shape[1]
    lowest = (white @ back.T).astype(np.float32).min(axis=2, initial=0.0)
    # What has no trough at all stays where it is.
    late_by = np.where((lowest < 0).any(axis=1), lowest.argmin(axis=1) - n_before, 0)
    for template, out, late in zip(white, moved, late_by, strict=True):
        start, stop = max(late, 0), min(n_window + late, n_window)
        out[start - late : stop - late] = template[start:stop]
    return moved
