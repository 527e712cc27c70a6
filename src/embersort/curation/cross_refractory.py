"""Whether two trains keep out of each other's way, as one neuron's spikes do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.spike_pairs import lag_counts
from embersort.types import IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Coincidence:
    """Pairs of spikes of two trains within the refractory period.

    Attributes
    ----------
    n_seen : int
        Pairs between the shortest and the longest lag, both ways.
    n_expected : float
        Pairs that independent trains would have there, from the pairs at lags up to `WIDE` times
        as long, so that common changes of rate do not count.
    """

    n_seen: int
    n_expected: float


WIDE = 15
"""The baseline is taken from lags up to this many refractory periods."""


def coincidence(first: IntArray, second: IntArray, shortest: int, refractory: int) -> Coincidence:
    """Count the pairs of spikes at lags from ``shortest`` to ``refractory`` samples.

    Parameters
    ----------
    first, second : ndarray, shape (n,), int64
        Spike samples in order.
    shortest : int
        Nearer pairs are one spike found twice and count neither way.
    refractory : int
        Length of the refractory period in samples.

    Returns
    -------
    Coincidence
    """
    widest = WIDE * refractory
    counts = lag_counts(first, second, widest)
    lag = np.abs(np.arange(-widest, widest + 1))
    seen = int(counts[(lag > shortest) & (lag <= refractory)].sum())
    wide = int(counts[lag > refractory].sum())
    share = (refractory - shortest) / ((WIDE - 1) * refractory)
    return Coincidence(n_seen=seen, n_expected=wide * share)


def share_at_fixed_lag(first: IntArray, second: IntArray, reach: int, width: int) -> float:
    """Return the largest share of the second train that follows the first at one and the same lag.

    Parameters
    ----------
    first, second : ndarray, shape (n,), int64
        Spike samples in order.
    reach : int
        Lags from ``-reach`` to ``reach`` samples are looked at.
    width : int
        Lags within ``width`` samples of each other are the same.

    Returns
    -------
    float
        0 to 1. Neurons that fire together do so within a millisecond or more; a part of a
        waveform that was taken for a spike of its own follows to the sample.
    """
    if len(first) == 0 or len(second) == 0:
        return 0.0
    counts = lag_counts(first, second, reach)
    windowed = np.convolve(counts, np.ones(width))
    return float(windowed.max() / len(second))
