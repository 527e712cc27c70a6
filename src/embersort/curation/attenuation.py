"""Which matches far smaller than their unit's spikes usually are may still be its own.

A neuron's later spikes in a burst are smaller, down to a third of its first ones, and where it
has fired much they may stay so for a while. Noise and small neurons of like shape are smaller too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

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


def attenuated_spikes(train: UnitMatches, config: MatchConfig) -> NDArray[np.bool_]:
    """Say which matches are small ones of the unit's own.

    Returns
    -------
    ndarray, shape (n_spikes,), bool
        Those that stand out, at any time. Of weaker ones those soon after another spike of the
        unit, where so many are that few of them can be there by chance. Not the smallest, where
        they outnumber the others: what grows more numerous downwards is a crowd of smaller neurons.
    """
    small = train.scaling < config.min_scale
    sure = config.sure_small_threshold**2
    middle = config.small_threshold * config.sure_small_threshold
    own = small & (train.decrease >= sure)
    # Weaker ones are more often noise: each half of the range must show for itself.
    for least, most in ((0.0, middle), (middle, sure)):
        weak = small & (train.decrease >= least) & (train.decrease < most)
        own |= _beyond_chance(train, weak, config)
    lowest = own & (train.scaling < config.small_min_scale + LOWEST)
    n_lowest, n_own = np.count_nonzero(lowest), np.count_nonzero(own)
    crowd = 2 * n_lowest - n_own > LOWEST_SD * np.sqrt(n_own)
    return own & ~lowest if crowd else own


def _beyond_chance(
    train: UnitMatches, weak: NDArray[np.bool_], config: MatchConfig
) -> NDArray[np.bool_]:
    """Return those of weak matches that follow another soon, if few do so by chance."""
    reach = ms_to_samples(config.burst_ms, train.sampling_rate_hz)
    gap = np.diff(train.sample_index)
    follow_in_bursts = weak & np.concatenate([[False], gap <= reach])
    exposed = int(np.minimum(gap, reach).sum())
    elsewhere = np.count_nonzero(weak & ~follow_in_bursts)
    # One more than were seen elsewhere: there may have been none by luck.
    by_chance = (1 + elsewhere) * exposed / max(train.duration_samples - exposed, 1)
    return follow_in_bursts & (by_chance <= config.max_chance * np.count_nonzero(follow_in_bursts))
