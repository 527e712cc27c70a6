"""ISO-CUT: whether a one-dimensional sample is unimodal, and where it should be cut if not."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MIN_RANGE = 4
"""Fewer bins than this are not searched for a deviation."""


@njit(nogil=True, cache=True)
def isocut(values: NDArray[np.float64]) -> tuple[float, float]:
    """Test a sample for unimodality with isotonic regression.

    Parameters
    ----------
    values : ndarray, shape (n,), float64
        In any order.

    Returns
    -------
    dip : float
        How far the sample deviates from its best unimodal density: the Kolmogorov-Smirnov
        distance on the worst range at either flank, times the root of the mean count. Below about
        1 is ordinary for a unimodal sample; 0 for fewer than four values.
    cut : float
        Value at the bottom of the deepest valley.

    Notes
    -----
    O(n log n). The method is Magland and Barnett's (2015, arXiv:1508.04841, section 3): densities
    of bins with few points at the ends and more in the middle, a weighted up-down isotonic fit,
    the deviation on ranges that shrink towards the end, a down-up fit of the quotient for the cut.
    """
    n = len(values)
    if n < 4:
        return 0.0, 0.0
    x = np.sort(values)
    edges = _bin_edges(n)
    position = x[edges]
    counts = np.diff(edges).astype(np.float64)
    spacing = np.diff(position)
    # Equal values would have an infinite density; a tiny width keeps it finite and large.
    floor = max((x[-1] - x[0]) * 1e-9, 1e-300)
    spacing = np.maximum(spacing, floor)
    density = counts / spacing
    fit = _fit_up_down(density, counts)
    peak = int(np.argmax(fit))
    expected = fit * spacing
    left, n_left = _worst_range(counts[: peak + 1], expected[: peak + 1])
    right, n_right = _worst_range(counts[peak:][::-1].copy(), expected[peak:][::-1].copy())
    if left > right:
        dip, first, last = left, 0, n_left
    else:
        dip, first, last = right, len(counts) - n_right, len(counts)
    valley = _fit_down_up(density[first:last] / fit[first:last], spacing[first:last])
    bottom = first + int(np.argmin(valley))
    return dip, 0.5 * (position[bottom] + position[bottom + 1])


@njit(nogil=True, cache=True)
def _bin_edges(n: int) -> NDArray[np.int64]:
    """Return indices into the sorted sample: bins of 1, 2, 3, … 3, 2, 1 shares."""
    n_bins = int(np.ceil(np.sqrt(n / 2.0)))
    n_up = (n_bins + 1) // 2
    n_down = n_bins - n_up
    shares = np.empty(n_bins)
    for i in range(n_up):
        shares[i] = i + 1
    for i in range(n_down):
        shares[n_up + i] = n_down - i
    shares *= (n - 1) / shares.sum()
    edges = np.zeros(n_bins + 1, np.int64)
    total = 0.0
    for i in range(n_bins):
        total += shares[i]
        edges[i + 1] = int(np.floor(total + 1e-9))
    edges[n_bins] = n - 1
    return edges


@njit(nogil=True, cache=True)
def isotonic_increasing(
    y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit an increasing sequence by pooling adjacent violators (Barlow et al. 1972).

    Returns
    -------
    fit : ndarray, shape (n,)
        The increasing sequence nearest to ``y`` in weighted least squares.
    error : ndarray, shape (n,)
        Weighted squared error of the best increasing fit to the first 1, 2, … n values.
    """
    n = len(y)
    start = np.empty(n, np.int64)
    w = np.empty(n)
    mean = np.empty(n)
    inner = np.empty(n)
    error = np.empty(n)
    n_pools = 0
    total = 0.0
    for i in range(n):
        start[n_pools], w[n_pools], mean[n_pools], inner[n_pools] = i, weight[i], y[i], 0.0
        n_pools += 1
        while n_pools > 1 and mean[n_pools - 2] >= mean[n_pools - 1]:
            a, b = n_pools - 2, n_pools - 1
            joint = w[a] + w[b]
            gap = mean[a] - mean[b]
            merged = w[a] * w[b] / joint * gap * gap if joint > 0 else 0.0
            total += merged
            mean[a] = (w[a] * mean[a] + w[b] * mean[b]) / joint if joint > 0 else mean[a]
            w[a] = joint
            n_pools -= 1
        error[i] = total
    fit = np.empty(n)
    for k in range(n_pools):
        stop = start[k + 1] if k + 1 < n_pools else n
        fit[start[k] : stop] = mean[k]
    return fit, error


@njit(nogil=True, cache=True)
def _fit_up_down(y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best fit that first rises and then falls."""
    n = len(y)
    up_error = isotonic_increasing(y, weight)[1]
    down_error = isotonic_increasing(y[::-1].copy(), weight[::-1].copy())[1][::-1]
    best, turn = np.inf, 0
    for i in range(n):
        error = up_error[i] + (down_error[i + 1] if i + 1 < n else 0.0)
        if error < best:
            best, turn = error, i
    fit = np.empty(n)
    fit[: turn + 1] = isotonic_increasing(y[: turn + 1].copy(), weight[: turn + 1].copy())[0]
    if turn + 1 < n:
        tail = isotonic_increasing(y[turn + 1 :][::-1].copy(), weight[turn + 1 :][::-1].copy())[0]
        fit[turn + 1 :] = tail[::-1]
    return fit


@njit(nogil=True, cache=True)
def _fit_down_up(y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return -_fit_up_down(-y, weight)


@njit(nogil=True, cache=True)
def _worst_range(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[float, int]:
    """Return the largest deviation over ranges that are halved towards the outer end."""
    best, best_n = -1.0, len(counts)
    n = len(counts)
    while n >= MIN_RANGE or n == len(counts):
        total, total_expected = counts[:n].sum(), expected[:n].sum()
        a, b, gap = 0.0, 0.0, 0.0
        for i in range(n):
            a += counts[i] / total
            b += expected[i] / total_expected
            gap = max(gap, abs(a - b))
        deviation = gap * np.sqrt((total + total_expected) / 2)
        if deviation > best:
            best, best_n = deviation, n
        n //= 2
    return best, best_n
