"""What the spikes that were taken out so far say about a further one near them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.matching.fit import Pieces, Terms, place_near
from embersort.matching.refit import Spikes


class Taken(NamedTuple):
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
def by_time(spikes: Spikes, n_samples: int, n_window: int) -> Taken:
    """Put the spikes that were not given up in order of time, O(n log n)."""
    found = np.flatnonzero(spikes.scale > 0)
    order = found[np.argsort(spikes.sample[found], kind="mergesort")]
    start = np.zeros(n_samples // n_window + 2, np.int64)
    for i in order:
        start[spikes.sample[i] // n_window + 1] += 1
    return Taken(spikes, order, np.cumsum(start), n_window)


@njit(nogil=True, cache=True)
def _around(taken: Taken, t: int, reach: int) -> NDArray[np.int64]:
    """Return the spikes in the bins that hold any within ``reach`` of a sample."""
    last = len(taken.start) - 1
    first_bin = max(t - reach, 0) // taken.n_window
    stop_bin = min((t + reach) // taken.n_window + 1, last)
    return taken.order[taken.start[first_bin] : taken.start[stop_bin]]


@njit(nogil=True, cache=True)
def doubt_of(taken: Taken, pieces: Pieces, terms: Terms, t: int, v: int) -> float:
    """Return the gain of a fit that may be due to what imperfect templates left of spikes."""
    spikes, doubt = taken.spikes, 0.0
    for i in _around(taken, t, taken.n_window - 1):
        if abs(spikes.sample[i] - t) >= taken.n_window:
            continue
        u, s = spikes.unit[i], spikes.shift[i]
        k = place_near(pieces, u, v)
        if k >= 0:
            left = spikes.scale[i] * pieces.strongest[u, s, k]
            doubt += terms.shape_error2 * left * left / pieces.norm2[v]
    return doubt


@njit(nogil=True, cache=True)
def is_rested(taken: Taken, terms: Terms, t: int, v: int) -> bool:
    """Say whether a unit is out of its refractory period."""
    for i in _around(taken, t, terms.refractory_samples):
        late = t - taken.spikes.sample[i]
        if (
            taken.spikes.unit[i] == v
            and -terms.refractory_samples <= late < terms.refractory_samples
        ):
            return False
    return True
