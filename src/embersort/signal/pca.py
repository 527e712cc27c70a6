"""The feature stage: what a snippet is reduced to before clustering.

Temporal principal components here, as the control; the learned encoder is in `embersort.embedding`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalPca:
    """Each local channel's waveform, projected on a few temporal components.

    Attributes
    ----------
    basis : ndarray, shape (n_window, n_components), float32
        Orthonormal columns, so that a code keeps the units of the noise.
    neighbours : ndarray, shape (n_channels, n_local), int64
        Local channels of each peak channel, padded with -1.
    """

    basis: NDArray[np.float32]
    neighbours: IntArray

    def encode(self, snippets: NDArray[np.float32], channel_index: IntArray) -> NDArray[np.float32]:
        """Return codes, shape (n_events, n_local * n_components), channel by channel."""
        return _project(snippets, self.basis)

    def on_shared_channels(
        self, pca_features: NDArray[np.float32], channel_index: IntArray
    ) -> NDArray[np.float32]:
        """Return the codes of events on different channels in comparable columns.

        Returns
        -------
        ndarray, shape (n_events, n_columns), float32
            On the channels that all of them have, in order of channel.
        """
        peaks = np.unique(channel_index)
        shared = self.neighbours[peaks[0]]
        for peak in peaks[1:]:
            shared = np.intersect1d(shared, self.neighbours[peak])
        shared = np.sort(shared[shared >= 0])
        n_components = self.basis.shape[1]
        by_channel = pca_features.reshape(len(pca_features), -1, n_components)
        frame = np.empty((len(pca_features), len(shared), n_components), np.float32)
        for peak in peaks:
            events = np.flatnonzero(channel_index == peak)
            order = np.argsort(self.neighbours[peak])
            column = order[np.searchsorted(self.neighbours[peak], shared, sorter=order)]
            frame[events] = by_channel[events[:, None], column[None, :]]
        return frame.reshape(len(pca_features), -1)


def fit_pca(peak_waveforms: FloatArray, neighbours: IntArray, n_components: int) -> TemporalPca:
    """Find the components that explain most of the waveforms on their peak channels.

    Parameters
    ----------
    peak_waveforms : ndarray, shape (n_events, n_window)
        In units of the noise. May be empty: then the basis is a set of cosines.
    neighbours : ndarray, shape (n_channels, n_local), int64
        The window's neighbour table.
    n_components : int

    Returns
    -------
    TemporalPca
        Each waveform counts alike, however large it is; the mean is not taken out, since what is
        no spike at all should stay at zero.
    """
    n_window = peak_waveforms.shape[1]
    n_components = min(n_components, n_window)
    norm = np.linalg.norm(peak_waveforms, axis=1, keepdims=True)
    unit = np.divide(peak_waveforms, norm, where=norm > 0, out=np.zeros(peak_waveforms.shape))
    if len(unit) < n_components:
        phase = (np.arange(n_window)[:, None] + 0.5) * np.arange(n_components) * np.pi / n_window
        basis = np.linalg.qr(np.cos(phase))[0]
    else:
        vectors = np.linalg.eigh(unit.T @ unit)[1][:, ::-1][:, :n_components]
        # An eigenvector's sign is arbitrary; fixed, so that runs agree.
        largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(n_components)]
        basis = vectors * np.where(largest < 0, -1.0, 1.0)
    return TemporalPca(basis=np.ascontiguousarray(basis, dtype=np.float32), neighbours=neighbours)


@njit(nogil=True, cache=True)
def _project(snippets: NDArray[np.float32], basis: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each local channel's inner products with the components, summed in order of time."""
    n_events, n_window, n_local = snippets.shape
    n_components = basis.shape[1]
    pca_features = np.empty((n_events, n_local * n_components), np.float32)
    # Channels are the SIMD lanes.
    sums = np.empty((n_components, n_local), np.float32)
    for i in range(n_events):
        sums[:] = 0
        for t in range(n_window):
            row = snippets[i, t]
            for k in range(n_components):
                weight, out = basis[t, k], sums[k]
                for j in range(n_local):
                    out[j] += weight * row[j]
        for j in range(n_local):
            for k in range(n_components):
                pca_features[i, j * n_components + k] = sums[k, j]
    return pca_features
