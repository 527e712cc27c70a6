"""Whether two parts share one neuron: as the tissue moves, one gains what the other loses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.curation.candidate_pairs import Places
from embersort.curation.links import BLOCK_S
from embersort.curation.pair_tests import SpikeTrains, violate_cross_refractory
from embersort.curation.union import RowsOfUnit, unite_pairs
from embersort.motion.displacement import CERTAIN_UM
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

N_DISPLACEMENTS = 8
"""Displacements that are told apart. Chosen on the development recordings, 2026-11-23."""

MIN_SWING = 5.0
"""Two subclusters of one neuron vary over displacement more than this many times what chance gives,
their sum less. Chosen on the development recordings, 2026-11-23."""

MAX_REMAINDER = 0.05
"""Share of that variance that may be left in their sum. Chosen on the development recordings,
2026-11-23."""

FEWEST_BINS = 3
"""Over fewer displacements nothing is gained or lost."""


def merge_drift_splits(
    spikes: SpikeTrains,
    same: IntArray,
    pairs: list[tuple[int, int]],
    places: Places,
) -> NDArray[np.int64]:
    """Return the leading part of each part's unit, after joining those that share one neuron.

    As it moves with the tissue, a neuron leaves one part and enters the other. The two need not
    look alike where it passes over: the rates tell.

    Parameters
    ----------
    spikes : SpikeTrains
    same : ndarray, shape (n_parts,), int64
        Leading part of each part's unit so far.
    pairs : list of (int, int)
        Parts that may share a neuron, the likeliest first.
    places : Places
    """
    displacement_um, um = places.displacement_um, places.um
    if um is None or displacement_um is None or not len(spikes.sample_index):
        return same.copy()
    length = max(ms_to_samples(1000 * BLOCK_S, spikes.sampling_rate_hz), 1)
    block = spikes.sample_index // length
    n_blocks = int(block[-1]) + 1
    middles = np.arange(n_blocks, dtype=np.int64) * length + length // 2

    def share_neuron(a: int, b: int, rows_of_unit: RowsOfUnit) -> bool:
        rows_a, rows_b = rows_of_unit(a), rows_of_unit(b)
        if not len(rows_a) or not len(rows_b):
            return False
        depth_um = np.median(um[np.concatenate([rows_a, rows_b]), 1])
        moved_um = displacement_um(middles, np.full(n_blocks, depth_um))
        counts_a, counts_b = (
            np.bincount(block[rows], minlength=n_blocks) for rows in (rows_a, rows_b)
        )
        return are_drift_split(counts_a, counts_b, moved_um) and not violate_cross_refractory(
            spikes, rows_a, rows_b
        )

    return unite_pairs(spikes, same, pairs, share_neuron)


def are_drift_split(
    counts_a: NDArray[np.int64],
    counts_b: NDArray[np.int64],
    displacement_um: FloatArray,
) -> bool:
    """Say whether the rates of two parts depend on the tissue's place, but not their sum.

    Parameters
    ----------
    counts_a, counts_b : ndarray, shape (n_blocks,), int64
        Spikes of either part in blocks of time of one length.
    displacement_um : ndarray, shape (n_blocks,)
        Of the tissue about the parts.

    Returns
    -------
    bool
        Independent neurons would have to fire at one rate, and be lost and found at one place, for
        their sum to stay. What a rate varies by beyond chance is judged by how it varies while the
        tissue is at one place: bursts and common changes of rate have no say.
    """
    if np.ptp(displacement_um) < CERTAIN_UM:
        return False
    bins = _bins(displacement_um, N_DISPLACEMENTS)
    both = counts_a + counts_b
    n_blocks = np.bincount(bins).astype(np.float64)
    if len(n_blocks) < FEWEST_BINS:
        return False
    by_a, by_b, by_both = (_excess(counts, bins, n_blocks) for counts in (counts_a, counts_b, both))
    unsteady = max(1.0, _within(both, bins, n_blocks))
    least = MIN_SWING * unsteady
    if min(by_a, by_b) < least or by_both > least:
        return False
    swing = counts_a.mean() * (by_a - unsteady) + counts_b.mean() * (by_b - unsteady)
    return bool(both.mean() * (by_both - unsteady) <= MAX_REMAINDER * swing)


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
