"""Masks over time-frequency bins: the ideal ones, and how masks become signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.speech.spectrogram import (
    DEFAULT_SPECTROGRAM,
    ComplexArray,
    SpectrogramConfig,
    istft,
)

SILENCE_DB = -40.0
"""Bins this far below the loudest belong to nobody; Hershey et al. 2016, section 3."""


def active_bins(mixture: ComplexArray, silence_db: float = SILENCE_DB) -> NDArray[np.bool_]:
    """Return the bins of a spectrogram that are not silence, relative to its loudest bin.

    Parameters
    ----------
    mixture : ndarray, shape (n_frames, n_frequencies), complex64
    """
    magnitude = np.abs(mixture)
    loudest = float(magnitude.max(initial=0.0))
    return (magnitude > loudest * 10 ** (silence_db / 20)) & (magnitude > 0)


def dominant_source(references: ComplexArray) -> NDArray[np.int64]:
    """Return which source is the loudest in each bin: the ideal labels.

    Parameters
    ----------
    references : ndarray, shape (n_sources, n_frames, n_frequencies), complex64

    Returns
    -------
    ndarray, shape (n_frames, n_frequencies), int64
    """
    return np.abs(references).argmax(axis=0)


def binary_masks(labels: NDArray[np.int64], n_sources: int) -> NDArray[np.float32]:
    """Return one mask per source: 1 where the bin is the source's, else 0.

    Parameters
    ----------
    labels : ndarray, shape (n_frames, n_frequencies), int64

    Returns
    -------
    ndarray, shape (n_sources, n_frames, n_frequencies), float32
    """
    return (labels == np.arange(n_sources)[:, None, None]).astype(np.float32)


def apply_masks(
    mixture: ComplexArray,
    masks: NDArray[np.float32],
    n_samples: int,
    config: SpectrogramConfig = DEFAULT_SPECTROGRAM,
) -> NDArray[np.float32]:
    """Return the masked mixture's signals, inverted with the phase of the mixture.

    Parameters
    ----------
    mixture : ndarray, shape (n_frames, n_frequencies), complex64
    masks : ndarray, shape (n_sources, n_frames, n_frequencies), float32
    n_samples : int
        Length of the mixture.

    Returns
    -------
    ndarray, shape (n_sources, n_samples), float32
    """
    return np.stack([istft(mixture * mask, n_samples, config) for mask in masks])
