"""Epochs: the stretches between sudden jumps of the tissue, as between two sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.motion.displacement import Motion
from embersort.types import FloatArray, IntArray

MIN_JUMP_UM = 8.0
"""Smaller jumps leave a neuron nearer to its old place than to its neighbour's: half the pitch of
the densest probes in use (Neuropixels 2.0, 15 µm)."""

MAX_UNREST = 0.3
"""On either side of a jump the tissue moves by less than this share of it; what drifts steadily
moves by as much as it."""

SIDE_BINS = 3
"""Bins on either side that say whether the tissue jumped."""

MIN_EPOCH_S = 10.0
"""A neuron of one spike per second has ten in it, enough for a cluster."""

DEPTH_STEP_UM, BLUR_UM = 2.0, 6.0
"""Grid of the densities by which the instant of a jump is found, and their smoothing."""

N_SIZES = 8
"""Classes of size, equally many events in each."""


def find_epochs(
    motion: Motion | None,
    sample_index: IntArray,
    depth_um: FloatArray,
    size: FloatArray,
    sampling_rate_hz: float,
) -> NDArray[np.int64]:
    """Find the instants at which the tissue jumped.

    Parameters
    ----------
    motion : Motion, or None
        None where it is not known; then there is one epoch.
    sample_index : ndarray, shape (n_events,), int64
        Non-decreasing.
    depth_um : ndarray, shape (n_events,)
        Where along the probe each event seems to come from.
    size : ndarray, shape (n_events,)
        Height of each, in any unit.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_epochs,), int64
        First sample of each epoch; the first is 0. O(n_events · log n_events).
    """
    starts = [0]
    if motion is None:
        return np.array(starts, np.int64)
    shortest = MIN_EPOCH_S * sampling_rate_hz
    end = len(motion.displacement_um) * motion.bin_samples
    for jump_bin in _jump_bins(np.median(motion.displacement_um, axis=1)):
        start = _instant(jump_bin, motion.bin_samples, sample_index, depth_um, size)
        if start - starts[-1] >= shortest and end - start >= shortest:
            starts.append(start)
    return np.array(starts, np.int64)


def epoch_of(sample_index: IntArray, starts: IntArray) -> NDArray[np.int64]:
    """Return the epoch in which each sample lies."""
    return np.searchsorted(starts, sample_index, side="right") - 1


def _jump_bins(course_um: FloatArray) -> list[int]:
    """Return the bins in which the tissue jumps, each the steepest of its surroundings."""
    steps = np.zeros(len(course_um))
    for b in range(SIDE_BINS, len(course_um) - SIDE_BINS):
        before, after = course_um[b - SIDE_BINS : b], course_um[b + 1 : b + 1 + SIDE_BINS]
        # From the bin before to the bin after: drift of any speed moves as much on either side.
        step = abs(after[0] - before[-1])
        if max(np.ptp(before), np.ptp(after)) <= MAX_UNREST * step and step >= MIN_JUMP_UM:
            steps[b] = step
    found: list[int] = []
    for b in np.flatnonzero(steps).tolist():
        around = steps[max(b - SIDE_BINS, 0) : b + SIDE_BINS + 1]
        if steps[b] == around.max() and (not found or b - found[-1] > SIDE_BINS):
            found.append(b)
    return found


def _instant(
    jump_bin: int, bin_samples: int, sample_index: IntArray, depth_um: FloatArray, size: FloatArray
) -> int:
    """Return the sample at which events stop to look as before a jump and begin to look as after.

    The maximum of the likelihood over the instant: each event votes with the logarithm of how much
    likelier its depth and size were before than they are after.
    """
    # Few recordings come here, and it is a tenth of a second to import.
    from scipy.ndimage import gaussian_filter

    edges = (jump_bin + np.array([-SIDE_BINS, -1, 2, 1 + SIDE_BINS])) * bin_samples
    first, a, b, last = np.searchsorted(sample_index, np.maximum(edges, 0))
    rows = slice(first, last)
    near = np.asarray(depth_um[rows], float)
    if a in (first, b) or b == last:
        return int((jump_bin + 0.5) * bin_samples)
    kind = np.searchsorted(np.quantile(size[rows], np.arange(1, N_SIZES) / N_SIZES), size[rows])
    place = ((near - near.min()) / DEPTH_STEP_UM).astype(np.int64)
    shape = (N_SIZES, int(place.max()) + 1)

    def density(chosen: slice) -> NDArray[np.float64]:
        counts = np.zeros(shape)
        np.add.at(counts, (kind[chosen], place[chosen]), 1.0)
        blurred = gaussian_filter(counts, (0.5, BLUR_UM / DEPTH_STEP_UM), mode="constant")
        flat = 1.0 / counts.size
        return (blurred + flat) / (blurred.sum() + 1.0)

    votes = np.log(density(slice(0, a - first)) / density(slice(b - first, last - first)))
    inner = slice(a - first, b - first)
    total = np.concatenate([[0.0], np.cumsum(votes[kind[inner], place[inner]])])
    best = a + int(total.argmax())
    return int(sample_index[best]) if best < b else int(edges[2])
