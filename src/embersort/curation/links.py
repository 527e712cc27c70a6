"""What speaks for two distinct sets of spikes being one neuron: it moves, or it bursts."""

from __future__ import annotations

from enum import Enum

import numpy as np

from embersort.clustering.gaps import N_DIMS
from embersort.clustering.neighbourhoods import FeatureView
from embersort.curation.pair_tests import (
    CENSORED_MS,
    MIN_EXPECTED,
    SpikeTrains,
    keep_cross_refractory,
    projection_dip,
)
from embersort.types import IntArray
from embersort.units import ms_to_samples

BLOCK_S = 2.0
"""Blocks of time in which two subclusters are active together or not. Chosen on the development
recordings, 2026-11-22."""

MAX_SHARED = 0.5
"""Subclusters of one moving neuron spend at most this share of their spikes in common blocks.
Chosen on the development recordings, 2026-11-22."""

MAX_TURN = 0.6
"""Subclusters that take turns share at most this part of the blocks that chance would have them.
Chosen on the development recordings, 2026-11-22."""

MIN_PASSING = 10
"""With fewer spikes in common blocks a gap cannot be seen. Chosen on the development recordings,
2026-11-22."""

PASSING_DIP = 1.3
"""Subclusters whose joint projection dips more than this while one takes over from the other stay
apart. Chosen on the development recordings, 2026-11-22."""

BURST_MS = 30.0
"""A spike of a burst follows another within this time. Chosen on the development recordings,
2026-11-22."""

MIN_BURST_SHARE = 0.3
"""Share of the smaller spikes, beyond chance, that follow another so soon. Chosen on the
development recordings, 2026-11-22."""

RECOVER_MS = 100.0
"""Spikes of a neuron recover their height within this time. Chosen on the development recordings,
2026-11-23."""

MIN_RECOVERING = 0.05
"""More of the smaller spikes, by this share, have a larger one before than after them. Chosen on
the development recordings, 2026-11-23."""


MAX_BURST_CHANCE = 1e-3
"""So many of a few spikes must follow others that chance would have it less often than this."""


class Link(Enum):
    """What speaks for two parts being one neuron."""

    NONE = 0
    PASSES = 1
    """They take turns, and there is no gap while both are active."""
    BURSTS = 2
    """One follows the other within milliseconds, with the same shape at another height."""
    JUMPS = 3
    """They take turns, and are hardly ever active together."""
    DOUBLE_TROUGH = 4
    """They are alike at another lag, and keep each other's refractory period."""


def link(spikes: SpikeTrains, a: IntArray, b: IntArray, frame: FeatureView) -> Link:
    """Say how two distinct sets may be one neuron at different times.

    A gap between two sets counts only where both are active. A neuron that moves leaves one and
    enters the other: they take turns, and while it passes over there is no gap. If it jumps, there
    is no such while, but they still take turns.
    """
    length = BLOCK_S * spikes.sampling_rate_hz
    block_a = (spikes.sample_index[a] / length).astype(np.int64)
    block_b = (spikes.sample_index[b] / length).astype(np.int64)
    both = np.intersect1d(block_a, block_b)
    n_blocks = int(spikes.sample_index[-1] / length) + 1
    passing_a, passing_b = a[np.isin(block_a, both)], b[np.isin(block_b, both)]
    share = min(len(passing_a) / len(a), len(passing_b) / len(b))
    if share > MAX_SHARED:
        return Link.NONE
    expected = _blocks_shared_by_chance(len(a), len(b), n_blocks)
    if expected < MIN_EXPECTED or len(both) > MAX_TURN * expected:
        return Link.NONE
    if min(len(passing_a), len(passing_b)) < MIN_PASSING:
        return Link.JUMPS
    dip = projection_dip(frame, passing_a, passing_b, N_DIMS)
    return Link.PASSES if dip < PASSING_DIP else Link.NONE


def follow_in_bursts(spikes: SpikeTrains, large: IntArray, small: IntArray) -> bool:
    """Say whether the smaller spikes are the later ones of bursts.

    Most of them then have another spike of the two sets within `BURST_MS` before them, far more
    than chance would give at the sets' rate; of the larger ones fewer do.
    """
    fs = spikes.sampling_rate_hz
    reach = ms_to_samples(BURST_MS, fs)
    both = np.sort(np.concatenate([spikes.sample_index[large], spikes.sample_index[small]]))
    duration = spikes.sample_index[-1] + 1
    chance = 1 - np.exp(-len(both) * reach / duration)
    after = share_after(both, spikes.sample_index[small], reach)
    before = share_after(both, spikes.sample_index[large], reach)
    excess = (after - chance) / max(1 - chance, 1e-9)
    if excess < MIN_BURST_SHARE or after <= before:
        return False
    # A second to import, and few pairs come here.
    from scipy.stats import binom

    n_after = round(after * len(small))
    return bool(binom.sf(n_after - 1, len(small), chance) < MAX_BURST_CHANCE)


def recover_after_larger(spikes: SpikeTrains, large: IntArray, small: IntArray) -> bool:
    """Say whether the smaller spikes are those of the same neuron before it has recovered.

    The two sets then keep each other's refractory period, beyond chance, and more of the smaller
    spikes have a larger one within `RECOVER_MS` before them than after them.
    """
    if not keep_cross_refractory(spikes, large, small, CENSORED_MS):
        return False
    reach = ms_to_samples(RECOVER_MS, spikes.sampling_rate_hz)
    of, to = spikes.sample_index[small], spikes.sample_index[large]
    before = share_after(to, of, reach)
    after = share_after(-to[::-1], -of[::-1], reach)
    return before - after >= MIN_RECOVERING


def share_after(train: IntArray, of: IntArray, reach: int) -> float:
    """Return the share of spikes that have a spike of ``train`` at most ``reach`` before them."""
    place = np.searchsorted(train, of, side="left")
    gap = of - train[np.maximum(place - 1, 0)]
    return float(((place > 0) & (gap <= reach)).mean())


def _blocks_shared_by_chance(n_a: int, n_b: int, n_blocks: int) -> float:
    """Return the expected number of blocks in which two steady Poisson trains both fire."""
    return n_blocks * (1 - np.exp(-n_a / n_blocks)) * (1 - np.exp(-n_b / n_blocks))
