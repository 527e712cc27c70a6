"""Whether two parts share one neuron: as the tissue moves, one gains what the other loses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.pairs import Labelled, are_strangers
from embersort.clustering.places import Places
from embersort.config import MergeConfig
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

FEWEST_BINS = 3
"""Over fewer displacements nothing is gained or lost."""


def completed(
    spikes: Labelled,
    same: IntArray,
    pairs: list[tuple[int, int]],
    places: Places,
    config: MergeConfig,
) -> NDArray[np.int64]:
    """Return the leading part of each part's unit, after joining those that share one neuron.

    As it moves with the tissue, a neuron leaves one part and enters the other. The two need not
    look alike where it passes over: the rates tell.

    Parameters
    ----------
    spikes : Labelled
    same : ndarray, shape (n_parts,), int64
        Leading part of each part's unit so far.
    pairs : list of (int, int)
        Parts that may share a neuron, the likeliest first.
    places : Places
    config : MergeConfig
    """
    unit = same.copy()
    if places.um is None or places.displacement_um is None or not len(spikes.sample_index):
        return unit
    length = max(ms_to_samples(1000 * config.block_s, spikes.sampling_rate_hz), 1)
    block = spikes.sample_index // length
    n_blocks = int(block[-1]) + 1
    middles = np.arange(n_blocks, dtype=np.int64) * length + length // 2
    for a, b in pairs:
        rows_a, rows_b = (np.flatnonzero(unit[spikes.unit_index] == unit[part]) for part in (a, b))
        if unit[a] == unit[b] or not len(rows_a) or not len(rows_b):
            continue
        depth_um = np.median(places.um[np.concatenate([rows_a, rows_b]), 1])
        moved_um = places.displacement_um(middles, np.full(n_blocks, depth_um))
        counts_a, counts_b = (
            np.bincount(block[rows], minlength=n_blocks) for rows in (rows_a, rows_b)
        )
        if not complement(counts_a, counts_b, moved_um, config):
            continue
        if not are_strangers(spikes, rows_a, rows_b, config):
            keep, drop = (a, b) if len(rows_a) >= len(rows_b) else (b, a)
            unit[unit == unit[drop]] = unit[keep]
    return unit


def complement(
    counts_a: NDArray[np.int64],
    counts_b: NDArray[np.int64],
    displacement_um: FloatArray,
    config: MergeConfig,
) -> bool:
    """Say whether the rates of two parts depend on the tissue's place, but not their sum.

    Parameters
    ----------
    counts_a, counts_b : ndarray, shape (n_blocks,), int64
        Spikes of either part in blocks of time of one length.
    displacement_um : ndarray, shape (n_blocks,)
        Of the tissue about the parts.
    config : MergeConfig

    Returns
    -------
    bool
        Strangers would have to fire at one rate, and be lost and found at one place, for their sum
        to stay. What a rate varies by beyond chance is judged by how it varies while the tissue is
        at one place: bursts and common changes of rate have no say.
    """
    if np.ptp(displacement_um) < config.min_moved_um:
        return False
    bins = _bins(displacement_um, config.n_displacements)
    both = counts_a + counts_b
    n_blocks = np.bincount(bins).astype(np.float64)
    if len(n_blocks) < FEWEST_BINS:
        return False
    swing = min(_excess(counts_a, bins, n_blocks), _excess(counts_b, bins, n_blocks))
    rest = _excess(both, bins, n_blocks)
    unsteady = max(1.0, _within(both, bins, n_blocks))
    if swing < config.min_swing * unsteady or rest > config.min_swing * unsteady:
        return False
    by_a, by_b, by_both = (
        _variance(counts, bins, n_blocks) - unsteady * counts.mean() * (len(n_blocks) - 1)
        for counts in (counts_a, counts_b, both)
    )
    return bool(by_both <= config.max_remainder * (by_a + by_b))


def _bins(displacement_um: FloatArray, most: int) -> NDArray[np.int64]:
    """Return the bin of each displacement, of as many bins as there can be of about one size."""
    edges = np.quantile(displacement_um, np.arange(1, most) / most)
    place = np.searchsorted(edges, displacement_um)
    return np.unique(place, return_inverse=True)[1].astype(np.int64)


def _variance(
    counts: NDArray[np.int64], bins: NDArray[np.int64], n_blocks: NDArray[np.float64]
) -> float:
    """Return the sum over blocks of the square by which their bin's mean differs from all."""
    mean = np.bincount(bins, counts) / n_blocks
    return float(n_blocks @ np.square(mean - counts.mean()))


def _excess(
    counts: NDArray[np.int64], bins: NDArray[np.int64], n_blocks: NDArray[np.float64]
) -> float:
    """Return how much more counts vary between bins than chance has it, which is 1."""
    chance = max(counts.mean(), np.finfo(float).tiny) * (len(n_blocks) - 1)
    return _variance(counts, bins, n_blocks) / chance


def _within(
    counts: NDArray[np.int64], bins: NDArray[np.int64], n_blocks: NDArray[np.float64]
) -> float:
    """Return how much more counts vary within bins than chance has it, which is 1."""
    mean = np.bincount(bins, counts) / n_blocks
    left = max(len(counts) - len(n_blocks), 1)
    chance = max(counts.mean(), np.finfo(float).tiny) * left
    return float(np.square(counts - mean[bins]).sum() / chance)
