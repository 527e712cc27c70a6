"""Which matches far smaller than their unit's spikes usually are may still be its own.

A neuron's later spikes in a burst are smaller, down to a third of its first ones, and where it
has fired much they may stay so for a while. Noise and small neurons of like shape are smaller too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.matching.single_fit import ATTENUATED_MIN_SCALING, ATTENUATED_THRESHOLD, MIN_SCALING
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

SURE_THRESHOLD = 12.0
"""From this match on an attenuated spike may come at any time, below it only soon after others of
its unit. Chosen on the development recordings, 2026-11-23."""

BURST_MS = 20.0
"""An attenuated spike within this time after another of its unit follows it soon. Chosen on the
development recordings, 2026-11-23."""

MAX_CHANCE = 0.3
"""Share of the attenuated spikes that follow soon that may do so by chance, at most. Chosen on the
development recordings, 2026-11-23."""

LOWEST = 0.1
"""Small spikes within this of the least scale that they may have"""
LOWEST_SD = 2.0
"""are other neurons', if they outnumber all larger ones by so many standard deviations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitMatches:
    """The matches of one unit, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    scaling : ndarray, shape (n_spikes,), float32
        Amplitude relative to the template.
    decrease : ndarray, shape (n_spikes,), float32
    duration_samples : int
        Of the recording.
    sampling_rate_hz : float
    """

    sample_index: IntArray
    scaling: FloatArray
    decrease: FloatArray
    duration_samples: int
    sampling_rate_hz: float


def attenuated_spikes(train: UnitMatches) -> NDArray[np.bool_]:
    """Say which matches are small ones of the unit's own.

    Returns
    -------
    ndarray, shape (n_spikes,), bool
        Those that stand out, at any time. Of weaker ones those soon after another spike of the
        unit, where so many are that few of them can be there by chance. Not the smallest, where
        they outnumber the others: what grows more numerous downwards is contamination.
    """
    small = train.scaling < MIN_SCALING
    sure = SURE_THRESHOLD**2
    middle = ATTENUATED_THRESHOLD * SURE_THRESHOLD
    own = small & (train.decrease >= sure)
    # Weaker ones are more often noise: each half of the range must show for itself.
    for least, most in ((0.0, middle), (middle, sure)):
        weak = small & (train.decrease >= least) & (train.decrease < most)
        own |= _beyond_chance(train, weak)
    lowest = own & (train.scaling < ATTENUATED_MIN_SCALING + LOWEST)
    n_lowest, n_own = np.count_nonzero(lowest), np.count_nonzero(own)
    contaminated = 2 * n_lowest - n_own > LOWEST_SD * np.sqrt(n_own)
    return own & ~lowest if contaminated else own


def _beyond_chance(train: UnitMatches, weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return those of weak matches that follow another soon, if few do so by chance."""
    reach = ms_to_samples(BURST_MS, train.sampling_rate_hz)
    gap = np.diff(train.sample_index)
    follow_in_bursts = weak & np.concatenate([[False], gap <= reach])
    exposed = int(np.minimum(gap, reach).sum())
    elsewhere = np.count_nonzero(weak & ~follow_in_bursts)
    # One more than were seen elsewhere: there may have been none by luck.
    by_chance = (1 + elsewhere) * exposed / max(train.duration_samples - exposed, 1)
    return follow_in_bursts & (by_chance <= MAX_CHANCE * np.count_nonzero(follow_in_bursts))
