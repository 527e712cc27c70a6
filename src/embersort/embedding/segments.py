"""Segments: filtered traces round events at the canonical rate, and when their bins are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.embedding.architecture import CANONICAL_RATE_HZ
from embersort.embedding.kernels import Float32
from embersort.embedding.resampling import (
    N_SHIFTS,
    SHIFT_STEPS,
    resampling_matrices,
    shift_indices,
)
from embersort.embedding.segment_architecture import (
    SEGMENT_BEFORE_SAMPLES,
    SEGMENT_SAMPLES,
    SEGMENT_START,
)
from embersort.types import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class CanonicalSegments:
    """Segments of events, as the network reads them.

    Attributes
    ----------
    values : ndarray, shape (n_segments, n_channels, SEGMENT_SAMPLES), float16
        In units of noise; peak channel first. Half precision is finer than the noise by far.
    shift : ndarray, shape (n_segments,), float32
        By how many samples of the recording the trough lies after the event's sample.
    """

    values: NDArray[np.float16]
    shift: NDArray[np.float32]


def canonical_segments(
    snippets: Float32, n_before: int, sampling_rate_hz: float
) -> CanonicalSegments:
    """Read snippets at the canonical rate, troughs aligned to an eighth of a sample.

    Parameters
    ----------
    snippets : ndarray, shape (n_events, n_window, n_channels), float32
    n_before : int
        Sample of the trough.
    sampling_rate_hz : float

    Raises
    ------
    BadConfig
        If the snippets are too short.
    """
    matrices = resampling_matrices(snippets.shape[1], n_before, sampling_rate_hz)
    matrices = matrices[:, :, SEGMENT_START : SEGMENT_START + SEGMENT_SAMPLES]
    index = shift_indices(np.ascontiguousarray(snippets[:, n_before - 1 : n_before + 2, 0]))
    values = np.empty((len(snippets), snippets.shape[2], SEGMENT_SAMPLES), np.float16)
    for step in np.unique(index):
        for row in np.flatnonzero(index == step):
            # One at a time: a product of fixed shape has the same bits whatever is beside it.
            values[row] = snippets[row].T @ matrices[step]
    return CanonicalSegments(
        values=values, shift=((index - N_SHIFTS // 2) / SHIFT_STEPS).astype(np.float32)
    )


def bin_offsets(sampling_rate_hz: float) -> FloatArray:
    """Return when each bin of a segment lies, in samples of the recording after the trough.

    Examples
    --------
    >>> offsets = bin_offsets(30000.0)
    >>> float(offsets[SEGMENT_BEFORE_SAMPLES]), float(offsets[SEGMENT_BEFORE_SAMPLES + 2])
    (0.0, 3.0)
    """
    place = np.arange(SEGMENT_SAMPLES) - SEGMENT_BEFORE_SAMPLES
    return place * sampling_rate_hz / CANONICAL_RATE_HZ
