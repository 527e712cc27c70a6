"""Pure clustering: the event times are known, only the labels are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.errors import BadInput
from embersort.evaluation.comparison import agreement_scores
from embersort.types import UNASSIGNED, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusteringScore:
    """How well labels of events agree with the true ones.

    Attributes
    ----------
    adjusted_rand : float
        Adjusted Rand index over the events that have a true unit.
    truth_labels : ndarray, shape (n_true_units,), int64
        The true units, ascending.
    accuracy : ndarray, shape (n_true_units,), float64
        Agreement of each true unit with the label matched to it, one to one; 0 if none is.
    n_found : int
        Number of labels given, without −1.
    """

    adjusted_rand: float
    truth_labels: IntArray
    accuracy: FloatArray
    n_found: int

    @property
    def mean_accuracy(self) -> float:
        """Mean accuracy over the true units; NaN without any."""
        return float(self.accuracy.mean()) if len(self.accuracy) else float("nan")


def score_clustering(truth_label: IntArray, found_label: IntArray) -> ClusteringScore:
    """Score the labels of events against the true ones.

    Parameters
    ----------
    truth_label, found_label : ndarray, shape (n_events,), int64
        Label of each event; −1 is an event of no unit. A true −1 (noise)
        counts against the accuracy of the label that takes it in, and is left
        out of the Rand index; a found −1 is a miss.

    Returns
    -------
    ClusteringScore

    Raises
    ------
    BadInput
        If the arrays differ in length.

    Examples
    --------
    >>> score_clustering(np.array([0, 0, 1, 1]), np.array([7, 7, 3, 3])).accuracy.tolist()
    [1.0, 1.0]
    """
    from scipy.optimize import linear_sum_assignment

    truth_names, found_names, counts = contingency(truth_label, found_label)
    real = np.flatnonzero(truth_names != UNASSIGNED)
    given = np.flatnonzero(found_names != UNASSIGNED)
    n_truth, n_found = counts.sum(axis=1)[real], counts.sum(axis=0)[given]
    agreement = agreement_scores(counts[np.ix_(real, given)], n_truth, n_found)
    accuracy = np.zeros(len(real))
    rows, columns = linear_sum_assignment(-agreement)
    accuracy[rows] = agreement[rows, columns]
    has_unit = np.asarray(truth_label) != UNASSIGNED
    return ClusteringScore(
        adjusted_rand=adjusted_rand_index(
            np.asarray(truth_label)[has_unit], np.asarray(found_label)[has_unit]
        ),
        truth_labels=truth_names[real],
        accuracy=accuracy,
        n_found=len(given),
    )


def contingency(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the distinct labels of both, ascending, and how many events have each pair.

    Raises
    ------
    BadInput
        If the arrays differ in length.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim != 1:
        raise BadInput(f"labels of shape {first.shape} and {second.shape}, expected one per event")
    first_names, first_index = np.unique(first, return_inverse=True)
    second_names, second_index = np.unique(second, return_inverse=True)
    counts = np.zeros((len(first_names), len(second_names)), np.int64)
    np.add.at(counts, (first_index, second_index), 1)
    return first_names, second_names, counts


def adjusted_rand_index(first: IntArray, second: IntArray) -> float:
    """Return the adjusted Rand index of two labellings.

    Hubert and Arabie 1985, equation 5: 1 for equal partitions, 0 expected by
    chance. All labels count as clusters, −1 too. 1 for fewer than two events.

    Examples
    --------
    >>> round(adjusted_rand_index(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])), 4)
    0.5714
    """
    counts = contingency(first, second)[2]
    together = _pairs(counts).sum()
    in_first, in_second = _pairs(counts.sum(axis=1)).sum(), _pairs(counts.sum(axis=0)).sum()
    n_pairs = _pairs(counts.sum())
    if n_pairs == 0:
        return 1.0
    expected = in_first * in_second / n_pairs
    largest = (in_first + in_second) / 2
    if largest == expected:
        return 1.0
    return float((together - expected) / (largest - expected))


def _pairs(counts: IntArray) -> FloatArray:
    """Return the number of pairs among each number of things."""
    values = np.asarray(counts, np.float64)
    return values * (values - 1) / 2
