"""What became of each true spike: found, lost in detection, in clustering, or in assignment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from embersort.evaluation.comparison import UNMATCHED, Comparison
from embersort.evaluation.matching import match_trains, spikes_of_units
from embersort.types import IntArray, Sorting

LED_SHARE = 0.2
"""A found unit is led by the true unit that has most of its spikes, if it has this share of them.
Below, it is chance: at 10 spikes/s a coincidence within 0.4 ms has a probability of 0.008."""
MERGED_SHARE = 0.2
"""From this share of a neuron's spikes on, another's unit holds a part of the neuron, below only
strays."""


class Fate(IntEnum):
    """What became of a true spike."""

    FOUND = 0
    """In the unit that answers its neuron."""
    SPLIT = 1
    """In another unit that its neuron leads."""
    MERGED = 2
    """In a unit that another neuron leads, with a good part of its own."""
    MISASSIGNED = 3
    """In a unit that another neuron leads, as one of a few."""
    NOISE = 4
    """In a unit that no neuron leads."""
    MISSED = 5
    """No found spike is near that does not answer another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Losses:
    """What was lost, spike by spike.

    Attributes
    ----------
    fate : ndarray, shape (n_true_spikes,), int64
        A `Fate` each.
    n_wrong : ndarray, shape (n_true_units,), int64
        Spikes, in the unit that answers a neuron, that are not the neuron's.
    n_invented : int
        Found spikes, in whatever unit, that no true spike is near to.
    """

    fate: IntArray
    n_wrong: IntArray
    n_invented: int


def losses(truth: Sorting, found: Sorting, comparison: Comparison) -> Losses:
    """Say what became of each true spike.

    Parameters
    ----------
    truth, found : Sorting
    comparison : Comparison
        Of the two, by the one-to-one rule.

    Returns
    -------
    Losses
        Each found spike answers one true spike at most: first of the neuron that its unit answers,
        then of the one that leads it, then of any.

    Notes
    -----
    A neuron is answered by its matched unit or, where none agrees well enough to match, by the
    unit led by it that has most of its spikes. O(n_spikes + n_true_units · n_found_units).
    """
    counts = comparison.match_counts
    answer = _answers(comparison)
    leader = _leaders(comparison, answer)
    work = _Work(truth, found, comparison.tolerance_samples)
    found_rows = spikes_of_units(found)
    n_wrong = np.zeros(truth.n_units, np.int64)
    for unit, rows in enumerate(spikes_of_units(truth)):
        if answer[unit] != UNMATCHED:
            work.pair(rows, found_rows[answer[unit]], Fate.FOUND)
            n_wrong[unit] = work.is_free[found_rows[answer[unit]]].sum()
        work.pair(rows, np.flatnonzero(leader[found.unit_index] == unit), Fate.SPLIT)
    everything = np.arange(truth.n_spikes)
    is_led = leader[found.unit_index] != UNMATCHED
    pairs = work.pair(everything, np.flatnonzero(is_led), Fate.MISASSIGNED)
    neuron, other = truth.unit_index[pairs[0]], found.unit_index[pairs[1]]
    is_part = counts[neuron, other] >= MERGED_SHARE * comparison.n_truth[neuron]
    work.fate[pairs[0][is_part]] = Fate.MERGED
    work.pair(everything, np.flatnonzero(~is_led), Fate.NOISE)
    return Losses(fate=work.fate, n_wrong=n_wrong, n_invented=int(work.is_free.sum()))


class _Work:
    """Which true spikes have no fate yet, and which found spikes answer none yet."""

    def __init__(self, truth: Sorting, found: Sorting, tolerance: int) -> None:
        self._truth, self._found, self._tolerance = truth, found, tolerance
        self.fate = np.full(truth.n_spikes, int(Fate.MISSED), np.int64)
        self.is_free = np.ones(found.n_spikes, bool)

    def pair(self, true_rows: IntArray, found_rows: IntArray, fate: Fate) -> tuple[IntArray, ...]:
        """Give a fate to what can be paired among some spikes; return the rows of the pairs."""
        true_rows = true_rows[self.fate[true_rows] == Fate.MISSED]
        found_rows = found_rows[self.is_free[found_rows]]
        partner = match_trains(
            self._truth.sample_index[true_rows],
            self._found.sample_index[found_rows],
            self._tolerance,
        )
        pairs = true_rows[partner >= 0], found_rows[partner[partner >= 0]]
        self.fate[pairs[0]] = fate
        self.is_free[pairs[1]] = False
        return pairs


def _answers(comparison: Comparison) -> IntArray:
    """Return the found unit that answers each true unit, or `UNMATCHED`."""
    answer = comparison.matched_index.copy()
    counts = np.array(comparison.match_counts)
    counts[:, answer[answer != UNMATCHED]] = 0
    if not counts.size:
        return answer
    leads = (counts == counts.max(axis=0)) & (counts >= LED_SHARE * comparison.n_found)
    counts[~leads] = 0
    unanswered = (answer == UNMATCHED) & counts.any(axis=1)
    answer[unanswered] = counts[unanswered].argmax(axis=1)
    return answer


def _leaders(comparison: Comparison, answer: IntArray) -> IntArray:
    """Return the true unit that leads each found unit, or `UNMATCHED`."""
    counts = comparison.match_counts
    leader = np.full(counts.shape[1], UNMATCHED, np.int64)
    if counts.size:
        is_led = counts.max(axis=0) >= np.maximum(1, LED_SHARE * comparison.n_found)
        leader[is_led] = counts.argmax(axis=0)[is_led]
    answered = np.flatnonzero(answer != UNMATCHED)
    leader[answer[answered]] = answered
    return leader
