"""Counts of intervals between spikes, kept per block of time so that a page can add any range."""

from __future__ import annotations

import numpy as np

from embersort.report.blocks import Blocks
from embersort.spike_pairs import short_intervals
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

LAG_BIN_MS = 1.0
"""Width of a bin of a correlogram."""
N_LAG_BINS = 50
"""Bins on each side of zero."""
INTERVAL_EDGES_MS: FloatArray = np.geomspace(0.5, 10_000.0, 61)
"""Edges of the interval histogram; what lies outside is counted in the end bins."""


def autocorrelogram(train: IntArray, sampling_rate_hz: float, blocks: Blocks) -> IntArray:
    """Count pairs of spikes of one train by lag, for positive lags.

    Parameters
    ----------
    train : ndarray, shape (n_spikes,), int64
        Samples, non-decreasing.

    Returns
    -------
    ndarray, shape (n_blocks, N_LAG_BINS), int64
        Bin ``k`` holds lags of ``[k, k + 1)`` ms; a pair belongs to the block of its first
        spike. The negative side is its mirror image. Cost O(number of pairs).
    """
    bin_samples = max(1, ms_to_samples(LAG_BIN_MS, sampling_rate_hz))
    first = np.arange(len(train)) + 1
    last = np.searchsorted(train, train + N_LAG_BINS * bin_samples, side="left")
    source, lag = _pairs(train, train, first, last)
    return _by_block(blocks.of(train)[source], lag // bin_samples, blocks.n_blocks, N_LAG_BINS)


def crosscorrelogram(
    train: IntArray, other: IntArray, sampling_rate_hz: float, blocks: Blocks
) -> IntArray:
    """Count pairs of spikes of two trains by lag, ``other`` minus ``train``.

    Returns
    -------
    ndarray, shape (n_blocks, 2 * N_LAG_BINS), int64
        Bin ``k`` holds lags of ``[k - N_LAG_BINS, k + 1 - N_LAG_BINS)`` ms; a pair belongs to
        the block of the spike of ``train``. Cost O(number of pairs).
    """
    bin_samples = max(1, ms_to_samples(LAG_BIN_MS, sampling_rate_hz))
    reach = N_LAG_BINS * bin_samples
    first = np.searchsorted(other, train - reach, side="left")
    last = np.searchsorted(other, train + reach, side="left")
    source, lag = _pairs(train, other, first, last)
    return _by_block(
        blocks.of(train)[source], (lag + reach) // bin_samples, blocks.n_blocks, 2 * N_LAG_BINS
    )


def interval_histogram(train: IntArray, sampling_rate_hz: float, blocks: Blocks) -> IntArray:
    """Count the intervals between successive spikes in logarithmic bins.

    Returns
    -------
    ndarray, shape (n_blocks, n_bins), int64
        Bins as in ``INTERVAL_EDGES_MS``; an interval belongs to the block of its first spike.
    """
    interval_ms = np.diff(train) / sampling_rate_hz * 1e3
    n_bins = len(INTERVAL_EDGES_MS) - 1
    column = np.clip(
        np.searchsorted(INTERVAL_EDGES_MS, interval_ms, side="right") - 1, 0, n_bins - 1
    )
    return _by_block(blocks.of(train[:-1]), column, blocks.n_blocks, n_bins)


def refractory_violations(train: IntArray, sampling_rate_hz: float, blocks: Blocks) -> IntArray:
    """Count the intervals below ``REFRACTORY_MS`` in each block, shape (n_blocks,)."""
    short = short_intervals(train, sampling_rate_hz)
    return np.bincount(blocks.of(train[:-1])[short], minlength=blocks.n_blocks)


def _pairs(
    train: IntArray, other: IntArray, first: IntArray, last: IntArray
) -> tuple[IntArray, IntArray]:
    """List all pairs (i, j) with ``first[i] <= j < last[i]``: index i, and the lag in samples."""
    counts = np.maximum(last - first, 0)
    source = np.repeat(np.arange(len(train)), counts)
    start = np.cumsum(counts) - counts
    target = np.arange(counts.sum()) - np.repeat(start, counts) + np.repeat(first, counts)
    return source, other[target] - train[source]


def _by_block(block: IntArray, column: IntArray, n_blocks: int, n_columns: int) -> IntArray:
    """Count entries by block and column."""
    flat = np.bincount(block * n_columns + column, minlength=n_blocks * n_columns)
    return flat.reshape(n_blocks, n_columns)
