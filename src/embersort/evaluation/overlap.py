"""Spikes that overlap others, and how well they are found."""

from __future__ import annotations

import numpy as np

from embersort.errors import BadInput
from embersort.evaluation.comparison import Comparison
from embersort.types import BoolArray, FloatArray, Sorting
from embersort.units import ms_to_samples

OVERLAP_MS = 1.0
"""Spikes of two units this near in time overlap: about the length of a spike."""
OVERLAP_UM = 100.0
"""Units this near share channels, where their positions are known."""


def overlapping_spikes(
    truth: Sorting,
    *,
    within_ms: float = OVERLAP_MS,
    unit_position_um: FloatArray | None = None,
    within_um: float = OVERLAP_UM,
) -> BoolArray:
    """Mark the spikes that a spike of another unit overlaps.

    Parameters
    ----------
    truth : Sorting
    within_ms : float
        Largest distance in time.
    unit_position_um : ndarray, shape (n_units, n_axes), optional
        Position of each unit; without it all units count as near.
    within_um : float
        Largest distance of two units that can overlap.

    Returns
    -------
    ndarray, shape (n_spikes,), bool

    Raises
    ------
    BadInput
        If there is not one position per unit.

    Notes
    -----
    O(n_spikes · largest number of spikes of one window).
    """
    near = np.ones((truth.n_units, truth.n_units), bool)
    if unit_position_um is not None:
        if len(unit_position_um) != truth.n_units:
            raise BadInput(f"{len(unit_position_um)} positions for {truth.n_units} units")
        delta = unit_position_um[:, None, :] - unit_position_um[None, :, :]
        near = (delta**2).sum(axis=2) <= within_um**2
    np.fill_diagonal(near, val=False)
    marked = np.zeros(truth.n_spikes, bool)
    reach = ms_to_samples(within_ms, truth.sampling_rate_hz)
    # Compare each spike with the one k places later until no such pair is near in time.
    for step in range(1, truth.n_spikes):
        gap = truth.sample_index[step:] - truth.sample_index[:-step]
        if gap.min() > reach:
            break
        pair = (gap <= reach) & near[truth.unit_index[step:], truth.unit_index[:-step]]
        marked[step:] |= pair
        marked[:-step] |= pair
    return marked


def recall_of(comparison: Comparison, is_counted: BoolArray) -> float:
    """Return the share of the chosen true spikes that the matched units have.

    Parameters
    ----------
    comparison : Comparison
    is_counted : ndarray, shape (n_true_spikes,), bool
        Which true spikes count, for example the overlapping ones.

    Returns
    -------
    float
        NaN if none is chosen.
    """
    if not is_counted.any():
        return float("nan")
    return float(comparison.truth_spike_found[is_counted].mean())


def accuracy_over_time(
    comparison: Comparison, truth: Sorting, found: Sorting, *, bin_s: float = 10.0
) -> FloatArray:
    """Return the accuracy of each true unit in each time bin.

    Parameters
    ----------
    comparison : Comparison
        Of ``truth`` and ``found``.
    truth, found : Sorting
    bin_s : float
        Length of a bin; the last one may be shorter.

    Returns
    -------
    ndarray, shape (n_true_units, n_bins), float64
        NaN where neither the unit nor its match has a spike.
    """
    bin_samples = max(1, round(bin_s * truth.sampling_rate_hz))
    shape = (truth.n_units, max(1, -(-truth.n_samples // bin_samples)))
    hit, missed, false = np.zeros((3, *shape))
    at_truth = (truth.unit_index, truth.sample_index // bin_samples)
    np.add.at(hit, at_truth, comparison.truth_spike_found)
    np.add.at(missed, at_truth, ~comparison.truth_spike_found)
    found_bin = np.minimum(found.sample_index // bin_samples, shape[1] - 1)
    for true_index, found_index in enumerate(comparison.matched_index):
        wrong = (found.unit_index == found_index) & ~comparison.found_spike_true
        false[true_index] = np.bincount(found_bin[wrong], minlength=shape[1])
    total = hit + missed + false
    return np.divide(hit, total, out=np.full(shape, np.nan), where=total > 0)
