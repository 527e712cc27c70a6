"""What the spikes that were taken out so far say about a further one near them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.joint_refit import Spikes
from embersort.matching.single_fit import BankArrays, FitCriteria, first_row, place_near


class AcceptedSpikes(NamedTuple):
    """The spikes taken out so far, to be found by their time.

    Attributes
    ----------
    spikes : Spikes
    order : ndarray, shape (n_taken,), int64
        Spikes that were not given up, in order of time.
    start : ndarray, shape (n_bins + 1,), int64
        Where in ``order`` those of each bin of ``n_window`` samples start.
    n_window : int
    """

    spikes: Spikes
    order: NDArray[np.int64]
    start: NDArray[np.int64]
    n_window: int


@njit(nogil=True, cache=True)
def by_time(spikes: Spikes, n_samples: int, n_window: int) -> AcceptedSpikes:
    """Put the spikes that were not given up in order of time, O(n log n)."""
    found = np.flatnonzero(spikes.scaling > 0)
    order = found[np.argsort(spikes.sample[found], kind="mergesort")]
    start = np.zeros(n_samples // n_window + 2, np.int64)
    for i in order:
        start[spikes.sample[i] // n_window + 1] += 1
    return AcceptedSpikes(spikes, order, np.cumsum(start), n_window)


@njit(nogil=True, cache=True)
def _around(accepted: AcceptedSpikes, t: int, reach: int) -> NDArray[np.int64]:
    """Return the spikes in the bins that hold any within ``reach`` of a sample."""
    last = len(accepted.start) - 1
    first_bin = max(t - reach, 0) // accepted.n_window
    stop_bin = min((t + reach) // accepted.n_window + 1, last)
    return accepted.order[accepted.start[first_bin] : accepted.start[stop_bin]]


@njit(nogil=True, cache=True)
def shape_error_allowance(
    accepted: AcceptedSpikes, arrays: BankArrays, criteria: FitCriteria, t: int, v: int
) -> float:
    """Return the gain of a fit that may be due to what imperfect templates left of spikes."""
    spikes, allowance = accepted.spikes, 0.0
    for i in _around(accepted, t, accepted.n_window - 1):
        if abs(spikes.sample[i] - t) >= accepted.n_window:
            continue
        u, s = spikes.unit[i], spikes.shift[i]
        k = place_near(arrays, u, v)
        if k >= 0:
            left = spikes.scaling[i] * arrays.strongest[first_row(arrays, u, s) + k]
            allowance += criteria.shape_error2 * left * left / arrays.norm2[v]
    return allowance


@njit(nogil=True, cache=True)
def is_past_refractory(accepted: AcceptedSpikes, criteria: FitCriteria, t: int, v: int) -> bool:
    """Say whether a unit is out of its refractory period."""
    for i in _around(accepted, t, criteria.refractory_samples):
        late = t - accepted.spikes.sample[i]
        if (
            accepted.spikes.unit[i] == v
            and -criteria.refractory_samples <= late < criteria.refractory_samples
        ):
            return False
    return True
