"""What speaks for two distinct sets of spikes being one neuron: it moves, or it bursts."""

from __future__ import annotations

from enum import Enum

import numpy as np

from embersort.config import MergeConfig
from embersort.curation.pair_tests import (
    SpikeTrains,
    UnitFrame,
    keep_cross_refractory,
    projection_dip,
)
from embersort.types import IntArray
from embersort.units import ms_to_samples


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


def link(
    spikes: SpikeTrains, a: IntArray, b: IntArray, frame: UnitFrame, config: MergeConfig
) -> Link:
    """Say how two distinct sets may be one neuron at different times.

    A gap between two sets counts only where both are active. A neuron that moves leaves one and
    enters the other: they take turns, and while it passes over there is no gap. If it jumps, there
    is no such while, but they still take turns.
    """
    length = config.block_s * spikes.sampling_rate_hz
    block_a = (spikes.sample_index[a] / length).astype(np.int64)
    block_b = (spikes.sample_index[b] / length).astype(np.int64)
    both = np.intersect1d(block_a, block_b)
    n_blocks = int(spikes.sample_index[-1] / length) + 1
    passing_a, passing_b = a[np.isin(block_a, both)], b[np.isin(block_b, both)]
    share = min(len(passing_a) / len(a), len(passing_b) / len(b))
    if share > config.max_shared:
        return Link.NONE
    expected = _blocks_shared_by_chance(len(a), len(b), n_blocks)
    if expected < config.min_expected or len(both) > config.max_turn * expected:
        return Link.NONE
    if min(len(passing_a), len(passing_b)) < config.min_passing:
        return Link.JUMPS
    dip = projection_dip(frame, passing_a, passing_b, config.n_dims)
    return Link.PASSES if dip < config.dip_threshold else Link.NONE


def follow_in_bursts(
    spikes: SpikeTrains, large: IntArray, small: IntArray, config: MergeConfig
) -> bool:
    """Say whether the smaller spikes are the later ones of bursts.

    Most of them then have another spike of the two sets within ``burst_ms`` before them, far more
    than chance would give at the sets' rate; of the larger ones fewer do.
    """
    fs = spikes.sampling_rate_hz
    reach = ms_to_samples(config.burst_ms, fs)
    both = np.sort(np.concatenate([spikes.sample_index[large], spikes.sample_index[small]]))
    duration = spikes.sample_index[-1] + 1
    chance = 1 - np.exp(-len(both) * reach / duration)
    after = share_after(both, spikes.sample_index[small], reach)
    before = share_after(both, spikes.sample_index[large], reach)
    excess = (after - chance) / max(1 - chance, 1e-9)
    return excess >= config.min_burst_share and after > before


def recover_after_larger(
    spikes: SpikeTrains, large: IntArray, small: IntArray, config: MergeConfig
) -> bool:
    """Say whether the smaller spikes are those of the same neuron before it has recovered.

    The two sets then keep each other's refractory period, beyond chance, and more of the smaller
    spikes have a larger one within ``recover_ms`` before them than after them.
    """
    if not keep_cross_refractory(spikes, large, small, config.censored_ms, config):
        return False
    reach = ms_to_samples(config.recover_ms, spikes.sampling_rate_hz)
    of, to = spikes.sample_index[small], spikes.sample_index[large]
    before = share_after(to, of, reach)
    after = share_after(-to[::-1], -of[::-1], reach)
    return before - after >= config.min_recovering


def share_after(train: IntArray, of: IntArray, reach: int) -> float:
    """Return the share of spikes that have a spike of ``train`` at most ``reach`` before them."""
    place = np.searchsorted(train, of, side="left")
    gap = of - train[np.maximum(place - 1, 0)]
    return float(((place > 0) & (gap <= reach)).mean())


def _blocks_shared_by_chance(n_a: int, n_b: int, n_blocks: int) -> float:
    """Return the expected number of blocks in which two steady Poisson trains both fire."""
    return n_blocks * (1 - np.exp(-n_a / n_blocks)) * (1 - np.exp(-n_b / n_blocks))
