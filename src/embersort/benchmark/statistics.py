"""Means over recordings with intervals, and paired differences between sorters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.types import FloatArray

N_RESAMPLES = 2000
"""Enough for the 95 % bounds to be stable to about a hundredth of their width."""
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean and where it may lie.

    Attributes
    ----------
    mean, low, high : float
        NaN without values; low and high equal the mean for a single one.
    n : int
        Number of values.
    """

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return self.shown(3)

    def shown(self, n_digits: int) -> str:
        """Return mean and bounds with so many digits after the point."""
        if self.n == 0:
            return "–"
        mean, low, high = (f"{value:.{n_digits}f}" for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


def bootstrap_mean(values: FloatArray, rng: np.random.Generator) -> Interval:
    """Return the mean of one value per recording, with a 95 % percentile bootstrap interval.

    Parameters
    ----------
    values : ndarray, shape (n_recordings,)
        NaN entries are left out.
    rng : numpy.random.Generator
        Draws the resamples; a fixed seed gives fixed bounds.

    Notes
    -----
    Percentile bootstrap (Efron 1979): recordings, not units, are resampled,
    since the units of one recording share its difficulty. The order of the
    values does not matter.
    """
    values = np.asarray(values, np.float64)
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return Interval(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)
    drawn = rng.integers(0, len(values), (N_RESAMPLES, len(values)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), (tail, 1 - tail))
    return Interval(mean=float(values.mean()), low=float(low), high=float(high), n=len(values))


def paired_difference(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> Interval:
    """Return the mean of first − second over the recordings that both have, with its interval."""
    return bootstrap_mean(np.asarray(first, np.float64) - np.asarray(second, np.float64), rng)
