"""First templates from labels and codes; templates whitened and not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embersort.signal.pca import TemporalPca
from embersort.templates.sparse import SparseTemplates, gather
from embersort.templates.spikes import UnitSpikes
from embersort.types import FloatArray


def median_templates(spikes: UnitSpikes, pca: TemporalPca, n_channels: int) -> SparseTemplates:
    """Return a white template for each unit, from the median of its codes.

    Parameters
    ----------
    spikes : UnitSpikes
    pca : TemporalPca
    n_channels : int

    Returns
    -------
    SparseTemplates
        A median forgets the minority of snippets in which another spike is near. Only the events
        that peak on the unit's commonest channel count: they share their local channels.
    """
    n_units = int(spikes.unit_index.max(initial=-1)) + 1
    n_window, n_components = pca.basis.shape

    def template(unit: int) -> NDArray[np.float32]:
        whole = np.zeros((n_window, n_channels), np.float32)
        members = np.flatnonzero(spikes.unit_index == unit)
        main = np.bincount(spikes.channel_index[members]).argmax()
        members = members[spikes.channel_index[members] == main]
        features = np.median(spikes.pca_features[members], axis=0).reshape(-1, n_components)
        local = pca.neighbours[main]
        used = local >= 0
        whole[:, local[used]] = (pca.basis @ features.T)[:, used]
        return whole

    return gather(map(template, range(n_units)), n_window, n_channels)


def unwhitening(whitening: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the matrix that undoes a whitening, the pseudo-inverse; O(n_channels³)."""
    return np.linalg.pinv(whitening.astype(np.float64), rcond=1e-6)


def unwhiten(white: FloatArray, whitening: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return templates in microvolt, same shape, from white ones."""
    back = unwhitening(whitening).T
    raw = np.empty(white.shape, np.float32)
    # One by one: the product has 64 bits a value.
    for template, out in zip(white, raw, strict=True):
        out[:] = template @ back
    return raw


def peak_waveforms_uv(
    white: Iterable[FloatArray], whitening: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what each template records on its largest channel, in microvolt.

    Parameters
    ----------
    white : iterable of ndarray, shape (n_window, n_channels)
        White templates.
    whitening : ndarray, shape (n_channels, n_channels), float32

    Returns
    -------
    ndarray, shape (n_units, n_window), float32
    """
    back = unwhitening(whitening).T
    waves = []
    for template in white:
        raw = (template @ back).astype(np.float32)
        waves.append(raw[:, np.ptp(raw, axis=0).argmax()])
    return np.array(waves, np.float32)


def centred(white: SparseTemplates, back: NDArray[np.float64], n_before: int) -> SparseTemplates:
    """Return white templates moved so that their deepest trough in microvolt is at ``n_before``.

    Far from a cell the return current makes a trough that is later than the spike. Where an event
    was detected at that one, its template is moved to the spike. ``back`` is what `unwhitening`
    gives.
    """
    moved = np.zeros_like(white.waves)
    n_window = white.n_window
    for template, own, out in zip(white.waves, white.channels, moved, strict=True):
        lowest = (template @ back[:, own].T).astype(np.float32).min(axis=1, initial=0.0)
        # What has no trough at all stays where it is.
        late = int(lowest.argmin()) - n_before if lowest.min(initial=0.0) < 0 else 0
        start, stop = max(late, 0), min(n_window + late, n_window)
        out[start - late : stop - late] = template[start:stop]
    return replace(white, waves=moved)
