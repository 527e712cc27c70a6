"""A sorting compared with the truth: the score of each true unit, the fault of each found one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from embersort.errors import BadInput, nearest_name
from embersort.evaluation.found import FoundScores, agreeing_spikes, found_scores
from embersort.evaluation.matching import (
    count_matches,
    match_trains,
    spikes_of_units,
    tolerance_in_samples,
)
from embersort.types import BoolArray, FloatArray, IntArray, Sorting

Rule = Literal["one_to_one", "spikeforest"]
"""How units are matched: each found unit used once, or each true unit's best found unit."""

TOLERANCE_MS: dict[Rule, float] = {"one_to_one": 0.4, "spikeforest": 1.0}
"""SpikeInterface's ``delta_time``; SpikeForest's 30 samples at 30 kHz (Magland et al. 2020)."""

MIN_AGREEMENT = 0.5
"""Below this two units are not matched by the one-to-one rule (SpikeInterface, ``match_score``)."""
WELL_DETECTED_ACCURACY = 0.8
"""From this accuracy a true unit counts as well detected (SpikeInterface)."""
REDUNDANT_AGREEMENT = 0.2
"""Agreement from which an unmatched unit repeats a true one, else it is false (SpikeInterface)."""
OVERMERGED_AGREEMENT = 0.2
"""A found unit that exceeds this with two true units is over-merged (SpikeInterface)."""

UNMATCHED = -1
"""``matched_index`` of a true unit that no found unit answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The scores of one sorting against the truth.

    Attributes
    ----------
    rule : {"one_to_one", "spikeforest"}
    tolerance_samples : int
        Largest distance of two spikes that match.
    truth_ids, found_ids : ndarray, int64
        Names of the units; the order of every other array.
    n_truth, n_found : ndarray, int64
        Number of spikes of each true unit and of each found unit.
    match_counts : ndarray, shape (n_true_units, n_found_units), int64
        Matching spikes of each pair of units.
    matched_index : ndarray, shape (n_true_units,), int64
        Position of the found unit that answers each true unit; −1 for none.
    accuracy, precision, recall, f1 : ndarray, shape (n_true_units,), float64
        Between 0 and 1; 0 where no unit is matched.
    is_false_positive, is_redundant, is_overmerged : ndarray, shape (n_found_units,), bool
        Faults of the found units, as SpikeInterface defines them for exhaustive truth.
    truth_spike_found : ndarray, shape (n_true_spikes,), bool
        Whether the matched unit has this true spike.
    found_spike_true : ndarray, shape (n_found_spikes,), bool
        Whether a found spike is a true spike of the unit that its unit answers.
    found_spike_agrees : ndarray, shape (n_found_spikes,), bool
        Whether a found spike is a true spike of the unit that its unit agrees most with, be that
        matched to it or not.
    """

    rule: Rule
    tolerance_samples: int
    truth_ids: IntArray
    found_ids: IntArray
    n_truth: IntArray
    n_found: IntArray
    match_counts: IntArray
    matched_index: IntArray
    accuracy: FloatArray
    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    is_false_positive: BoolArray
    is_redundant: BoolArray
    is_overmerged: BoolArray
    truth_spike_found: BoolArray
    found_spike_true: BoolArray
    found_spike_agrees: BoolArray

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def is_well_detected(self) -> BoolArray:
        """Whether the accuracy of each true unit reaches 0.8; shape (n_true_units,)."""
        return self.accuracy >= WELL_DETECTED_ACCURACY

    @property
    def agreement(self) -> FloatArray:
        """Agreement of each pair of units, shape (n_true_units, n_found_units), 0 to 1."""
        return agreement_scores(self.match_counts, self.n_truth, self.n_found)

    @property
    def found_scores(self) -> FoundScores:
        """Scores of each found unit against the true one that it agrees most with."""
        return found_scores(self.match_counts, self.agreement, self.n_truth, self.n_found)

    @property
    def confusion(self) -> IntArray:
        """Matching spikes of each pair, with one row more for false and one column for missed.

        Shape (n_true_units + 1, n_found_units + 1). Row and column order are
        those of the ids. The last column holds a true unit's spikes that its
        matched unit lacks, the last row a found unit's spikes that are not the
        matched true unit's.
        """
        n_true, n_found = self.match_counts.shape
        table = np.zeros((n_true + 1, n_found + 1), np.int64)
        table[:n_true, :n_found] = self.match_counts
        table[:n_true, n_found] = self.n_truth
        table[n_true, :n_found] = self.n_found
        for true_index, found_index in enumerate(self.matched_index):
            if found_index != UNMATCHED:
                n_match = self.match_counts[true_index, found_index]
                table[true_index, n_found] -= n_match
                # By the best-match rule a unit may answer several true ones: the best one counts.
                rest = self.n_found[found_index] - n_match
                table[n_true, found_index] = min(table[n_true, found_index], rest)
        return table

    def summary(self) -> dict[str, Any]:
        """Return the means over true units that have spikes, and the counts of units.

        Means are NaN where no true unit has a spike.
        """
        active = self.n_truth > 0
        scores = {
            name: float(getattr(self, name)[active].mean()) if active.any() else float("nan")
            for name in ("accuracy", "precision", "recall", "f1")
        }
        return {
            "rule": self.rule,
            "n_true_units": int(active.sum()),
            "n_found_units": len(self.found_ids),
            **scores,
            "n_well_detected": int(self.is_well_detected.sum()),
            "n_false_positive": int(self.is_false_positive.sum()),
            "n_redundant": int(self.is_redundant.sum()),
            "n_overmerged": int(self.is_overmerged.sum()),
            "n_true_spikes": len(self.truth_spike_found),
            "n_found_spikes": len(self.found_spike_true),
            "n_matched_spikes": int(self.truth_spike_found.sum()),
        }


def compare(
    truth: Sorting,
    found: Sorting,
    *,
    rule: Rule = "one_to_one",
    tolerance_ms: float | None = None,
) -> Comparison:
    """Compare a sorting with the true one.

    Parameters
    ----------
    truth, found : Sorting
        Of the same recording.
    rule : {"one_to_one", "spikeforest"}
        ``one_to_one`` assigns units by the largest summed agreement, each
        used once and only from agreement 0.5 (SpikeInterface's
        ``compare_sorter_to_ground_truth``). ``spikeforest`` gives each true
        unit the found unit of the highest agreement, however low and however
        often used (Magland et al. 2020, eLife 9:e55167).
    tolerance_ms : float, optional
        0.4 by the one-to-one rule, 1.0 by SpikeForest's unless given.

    Returns
    -------
    Comparison

    Raises
    ------
    BadInput
        If the sampling rates differ or the rule is unknown.

    Notes
    -----
    O(n_spikes + coincidences + n_units³).
    """
    if rule not in get_args(Rule):
        raise BadInput(f"unknown rule '{rule}'{nearest_name(str(rule), get_args(Rule))}")
    if truth.sampling_rate_hz != found.sampling_rate_hz:
        raise BadInput(
            f"the truth is sampled at {truth.sampling_rate_hz} Hz and the sorting at "
            f"{found.sampling_rate_hz} Hz; give both at the recording's rate"
        )
    tolerance_ms = TOLERANCE_MS[rule] if tolerance_ms is None else tolerance_ms
    tolerance = tolerance_in_samples(tolerance_ms, truth.sampling_rate_hz)
    counts = count_matches(truth, found, tolerance)
    n_truth, n_found = truth.spike_counts(), found.spike_counts()
    agreement = agreement_scores(counts, n_truth, n_found)
    matched = _assign(agreement) if rule == "one_to_one" else _best_found(agreement)
    accuracy, precision, recall = _unit_scores(counts, n_truth, n_found, matched)
    total = precision + recall
    truth_hit, found_hit = _matched_spikes(truth, found, matched, tolerance)
    false_positive, redundant, overmerged = _faults(agreement, matched)
    return Comparison(
        rule=rule,
        tolerance_samples=tolerance,
        truth_ids=truth.unit_ids,
        found_ids=found.unit_ids,
        n_truth=n_truth,
        n_found=n_found,
        match_counts=counts,
        matched_index=matched,
        accuracy=accuracy,
        precision=precision,
        recall=recall,
        f1=np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0),
        is_false_positive=false_positive,
        is_redundant=redundant,
        is_overmerged=overmerged,
        truth_spike_found=truth_hit,
        found_spike_true=found_hit,
        found_spike_agrees=agreeing_spikes(truth, found, agreement, tolerance),
    )


def agreement_scores(counts: IntArray, n_first: IntArray, n_second: IntArray) -> FloatArray:
    """Return n_match / (n_first + n_second − n_match) of each pair of units; 0 for two silent ones.

    Parameters
    ----------
    counts : ndarray, shape (n_first_units, n_second_units)
    n_first, n_second : ndarray
        Number of spikes of each unit.
    """
    either = n_first[:, None] + n_second[None, :] - counts
    return np.divide(counts, either, out=np.zeros(counts.shape), where=either > 0)


def _assign(agreement: FloatArray) -> IntArray:
    """Match units one to one, largest summed agreement first (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    matched = np.full(len(agreement), UNMATCHED, np.int64)
    rows, columns = linear_sum_assignment(-np.where(agreement < MIN_AGREEMENT, 0.0, agreement))
    kept = agreement[rows, columns] >= MIN_AGREEMENT
    matched[rows[kept]] = columns[kept]
    return matched


def _best_found(agreement: FloatArray) -> IntArray:
    """Give each true unit the found unit that agrees most with it, if any agrees at all."""
    if agreement.shape[1] == 0:
        return np.full(len(agreement), UNMATCHED, np.int64)
    return np.where(agreement.max(axis=1) > 0, agreement.argmax(axis=1), UNMATCHED)


def _unit_scores(
    counts: IntArray, n_truth: IntArray, n_found: IntArray, matched: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return accuracy, precision and recall of each true unit."""
    accuracy, precision, recall = np.zeros((3, len(n_truth)))
    units = np.flatnonzero(matched != UNMATCHED)
    n_match = counts[units, matched[units]]
    n_answer = n_found[matched[units]]
    accuracy[units] = n_match / (n_truth[units] + n_answer - n_match)
    precision[units] = n_match / n_answer
    recall[units] = n_match / n_truth[units]
    return accuracy, precision, recall


def _matched_spikes(
    truth: Sorting, found: Sorting, matched: IntArray, tolerance: int
) -> tuple[BoolArray, BoolArray]:
    """Mark the spikes that the matched units share."""
    truth_hit = np.zeros(truth.n_spikes, bool)
    found_hit = np.zeros(found.n_spikes, bool)
    truth_spikes, found_spikes = spikes_of_units(truth), spikes_of_units(found)
    for true_index, found_index in enumerate(matched):
        if found_index == UNMATCHED:
            continue
        of_truth, of_found = truth_spikes[true_index], found_spikes[found_index]
        partner = match_trains(
            truth.sample_index[of_truth], found.sample_index[of_found], tolerance
        )
        truth_hit[of_truth[partner >= 0]] = True
        found_hit[of_found[partner[partner >= 0]]] = True
    return truth_hit, found_hit


def _faults(agreement: FloatArray, matched: IntArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return which found units are false, redundant and over-merged."""
    n_true, n_found = agreement.shape
    free = ~np.isin(np.arange(n_found), matched)
    if n_true == 0 or n_found == 0:
        none = np.zeros(n_found, bool)
        return free, none, none.copy()
    best_true = agreement.argmax(axis=0)
    best_score = agreement.max(axis=0)
    # A unit that is the best answer to its true unit, only too poor to match, is no repetition.
    is_best_answer = agreement.argmax(axis=1)[best_true] == np.arange(n_found)
    redundant = free & (best_score >= REDUNDANT_AGREEMENT) & ~is_best_answer
    overmerged = (agreement > OVERMERGED_AGREEMENT).sum(axis=0) > 1
    return free & (best_score < REDUNDANT_AGREEMENT), redundant, overmerged
