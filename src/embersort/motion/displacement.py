"""How the tissue moves along the probe, from where the spikes are at each time.

Every bin of time is a histogram of its events over depth and size. Any two histograms, slid over
each other, say how far the tissue moved between them; a robust fit of all pairs gives the course
(decentralised registration, Varol et al. 2021, doi:10.1109/ICASSP39728.2021.9414145).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import MotionConfig
from embersort.types import FloatArray, IntArray

BIN_S = 2.0
"""Length of a bin of time. Chosen on the development recordings, 2026-11-22."""

MAX_BINS = 600
"""A long recording has longer bins, at most this many: a bound on memory and time."""

SPAN_S = 120.0
"""Bins up to this far apart are compared. Chosen on the development recordings, 2026-11-22."""

WINDOW_UM = 400.0
"""Depths this far apart may move differently. Chosen on the development recordings, 2026-11-22."""

CERTAIN_UM = 5.0
"""Smaller displacements are no larger than their error. Chosen on the development recordings,
2026-11-23."""

BLUR_UM = 5.0
"""Standard deviation of the smoothing of histograms over depth. Chosen on the development
recordings, 2026-11-22."""

MIN_CORRELATION = 0.3
"""Pairs of bins less alike than this say nothing. Chosen on the development recordings,
2026-11-22."""

TOLERANCE_UM = 4.0
"""Pairs that miss the course by much more than this are taken for mistakes. Chosen on the
development recordings, 2026-11-22."""

STIFFNESS = 0.05
"""Weight of smoothness. Chosen on the development recordings, 2026-11-22."""

MIN_SPAN_UM = 60.0
"""A probe must extend this far in depth. Chosen on the development recordings, 2026-11-22."""

MIN_EVENTS = 10.0
"""A bin holds at least this many events on average. Chosen on the development recordings,
2026-11-22."""

DEPTH_STEP_UM = 2.0
"""Width of a histogram's bins."""

N_SIZES = 8
"""Classes of size, equally many events in each: they keep apart what lies at one depth."""

FIT_ROUNDS = 20
"""Rounds of reweighting; the fit settles in a few."""

SETTLED_UM = 0.01
"""A course that moves by less than this has settled."""

TINY_WEIGHT = 1e-6
"""Far below the trust in any pair that says something."""

WINDOW_REACH = 3.0
"""Standard deviations from the middle of a window within which depths count."""

MIN_BINS = 3
"""Fewer bins make no course."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """Displacement over time.

    Attributes
    ----------
    bin_samples : int
    displacement_um : ndarray, shape (n_bins, n_windows), float64
        Of the tissue at the middle of each bin, in each window of depth; its median is 0.
    window_um : ndarray, shape (n_windows,), float64
        Centres of the windows.
    """

    bin_samples: int
    displacement_um: NDArray[np.float64]
    window_um: FloatArray

    def at(self, sample_index: IntArray, depth_um: FloatArray) -> NDArray[np.float64]:
        """Return the displacement of the tissue at some times and depths, in between linear."""
        n_bins, n_windows = self.displacement_um.shape
        place = np.clip(np.asarray(sample_index) / self.bin_samples - 0.5, 0, n_bins - 1)
        first = np.minimum(place.astype(np.int64), max(n_bins - 2, 0))
        last = np.minimum(first + 1, n_bins - 1)
        part = place - first
        columns = [
            self.displacement_um[first, w] * (1 - part) + self.displacement_um[last, w] * part
            for w in range(n_windows)
        ]
        if n_windows == 1:
            return columns[0]
        step = self.window_um[1] - self.window_um[0]
        across = np.clip((np.asarray(depth_um) - self.window_um[0]) / step, 0, n_windows - 1)
        low = np.minimum(across.astype(np.int64), n_windows - 2)
        share = across - low
        table, rows = np.stack(columns, axis=1), np.arange(len(low))
        return table[rows, low] * (1 - share) + table[rows, low + 1] * share


def estimate_motion(
    sample_index: IntArray,
    depth_um: FloatArray,
    size: FloatArray,
    n_samples: int,
    sampling_rate_hz: float,
    config: MotionConfig,
) -> Motion | None:
    """Estimate the motion of the tissue along the probe.

    Parameters
    ----------
    sample_index : ndarray, shape (n_events,), int64
    depth_um : ndarray, shape (n_events,)
        Where along the probe each event seems to come from.
    size : ndarray, shape (n_events,)
        Height of each, in any unit.
    n_samples : int
        Of the recording.
    sampling_rate_hz : float
    config : MotionConfig

    Returns
    -------
    Motion, or None
        None where the events span too little depth, or are too few. O(n_bins · n_span · n_shifts
        · n_depths): bins are lengthened so that there are at most `MAX_BINS`.
    """
    bin_s = max(BIN_S, n_samples / sampling_rate_hz / MAX_BINS)
    bin_samples = max(1, round(bin_s * sampling_rate_hz))
    n_bins = max(1, -(-n_samples // bin_samples))
    if n_bins < MIN_BINS or len(depth_um) < MIN_EVENTS * n_bins:
        return None
    low, high = float(np.min(depth_um)), float(np.max(depth_um))
    if high - low < MIN_SPAN_UM or config.max_displacement_um == 0:
        return None
    time_bin = np.minimum(np.asarray(sample_index) // bin_samples, n_bins - 1)
    histograms = _histograms(time_bin, np.asarray(depth_um) - low, size, n_bins)
    n_windows = max(1, round((high - low) / WINDOW_UM))
    width = (high - low) / n_windows
    centres = (np.arange(n_windows) + 0.5) * width
    depths = (np.arange(histograms.shape[2]) + 0.5) * DEPTH_STEP_UM
    span = max(1, round(SPAN_S / bin_s))
    displacements = []
    for centre in centres:
        away = (depths - centre) / (0.5 * width) if n_windows > 1 else np.zeros(len(depths))
        seen = np.abs(away) < WINDOW_REACH
        window = histograms[:, :, seen] * np.exp(-0.5 * away[seen] ** 2)
        displacement = _register(window, span, config)
        displacements.append(displacement - np.median(displacement))
    return Motion(
        bin_samples=bin_samples,
        displacement_um=np.stack(displacements, axis=1),
        window_um=low + centres,
    )


def _histograms(
    time_bin: IntArray, depth_um: FloatArray, size: FloatArray, n_bins: int
) -> NDArray[np.float64]:
    """Return smooth histograms of the events of each bin, shape (n_bins, n_sizes, n_depths).

    Square roots of counts: a busy neuron must not decide alone.
    """
    n_depths = int(depth_um.max() / DEPTH_STEP_UM) + 1
    edges = np.quantile(size, np.arange(1, N_SIZES) / N_SIZES)
    counts = np.zeros((n_bins, N_SIZES, n_depths))
    place = (depth_um / DEPTH_STEP_UM).astype(np.int64)
    np.add.at(counts, (time_bin, np.searchsorted(edges, size), place), 1.0)
    reach = int(np.ceil(3 * BLUR_UM / DEPTH_STEP_UM))
    steps = np.arange(-reach, reach + 1) * DEPTH_STEP_UM
    kernel = np.exp(-0.5 * np.square(steps / BLUR_UM))
    padded = np.pad(counts, ((0, 0), (1, 1), (reach, reach)))
    across = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    smooth = np.zeros_like(counts)
    for i, weight in enumerate(kernel):
        smooth += weight * across[:, :, i : i + n_depths]
    return np.sqrt(smooth)


def _register(
    histograms: NDArray[np.float64], span: int, config: MotionConfig
) -> NDArray[np.float64]:
    """Return the displacement of each bin, from all pairs of bins up to ``span`` apart."""
    n_bins = len(histograms)
    moved, trust = np.zeros((n_bins, n_bins)), np.zeros((n_bins, n_bins))
    norm = np.sqrt(np.square(histograms).sum(axis=(1, 2)))
    for t in range(n_bins - 1):
        later = slice(t + 1, min(t + 1 + span, n_bins))
        scale = np.maximum(norm[t] * norm[later], np.finfo(float).tiny)
        by, correlation = _move_onto(histograms[t], histograms[later], scale, config)
        moved[t, later] = by
        trust[t, later] = np.square(np.maximum(correlation - MIN_CORRELATION, 0))
    return _fit_displacement(moved, trust)


def _move_onto(
    one: NDArray[np.float64],
    others: NDArray[np.float64],
    scale: NDArray[np.float64],
    config: MotionConfig,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far a bin must be moved to meet each other one, and how well they then agree."""
    n_depths = one.shape[1]
    reach = min(int(config.max_displacement_um / DEPTH_STEP_UM), n_depths - 1)
    padded = np.pad(one, ((0, 0), (reach, reach)))
    # What starts later in the padded bin is moved down; the last is moved up by ``reach``.
    at_all = np.lib.stride_tricks.sliding_window_view(padded, n_depths, axis=1)[:, ::-1]
    values = np.tensordot(at_all, others, axes=([0, 2], [1, 2])) / scale
    best = values.argmax(axis=0)
    # The top of the parabola through the best shift and its neighbours.
    inner, pair = np.clip(best, 1, 2 * reach - 1), np.arange(len(others))
    left, middle, right = (values[inner + step, pair] for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    top = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1), 0.0)
    return (inner - reach + np.clip(top, -1, 1)) * DEPTH_STEP_UM, values[best, pair]


def _fit_displacement(
    moved: NDArray[np.float64], trust: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the course m that fits ``moved[t, u]`` = m[u] - m[t] best, outliers discounted.

    Weighted least squares, reweighted by how far each pair misses (Cauchy weights).
    """
    n_bins = len(moved)
    stiff = np.zeros((n_bins, n_bins))
    step = np.arange(n_bins - 1)
    stiff[step, step] += STIFFNESS
    stiff[step + 1, step + 1] += STIFFNESS
    stiff[step, step + 1] = stiff[step + 1, step] = -STIFFNESS
    # One bin is as good a zero as any other; a little of each keeps the matrix regular.
    stiff += TINY_WEIGHT * np.eye(n_bins)
    displacement = np.zeros(n_bins)
    weight = trust
    for _ in range(FIT_ROUNDS):
        both = weight + weight.T
        matrix = np.diag(both.sum(axis=1)) - both + stiff
        before, displacement = (
            displacement,
            np.linalg.solve(matrix, (weight * moved).sum(axis=0) - (weight * moved).sum(axis=1)),
        )
        if np.abs(displacement - before).max() < SETTLED_UM:
            break
        miss = moved - (displacement[None, :] - displacement[:, None])
        weight = trust / (1 + np.square(miss / TOLERANCE_UM))
    return displacement
