"""How far probabilities and predicted scores are to be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.errors import BadInput
from embersort.types import BoolArray, FloatArray, IntArray

N_BINS = 15
"""Bins of equal width (Guo et al. 2017)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability:
    """What was said and what came of it, by bins of what was said.

    Attributes
    ----------
    n_spikes : ndarray, shape (n_bins,), int64
    said : ndarray, shape (n_bins,), float64
        Mean probability in each bin; NaN where it is empty.
    came_true : ndarray, shape (n_bins,), float64
        Share of right ones in each bin; NaN where it is empty.
    """

    n_spikes: IntArray
    said: FloatArray
    came_true: FloatArray

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of what was said from what came true, weighted by spikes; NaN for none.

        Guo et al. 2017, "On calibration of modern neural networks", equation 3.
        """
        total = self.n_spikes.sum()
        if total == 0:
            return float("nan")
        gap = np.abs(self.said - self.came_true)
        return float(np.nansum(gap * self.n_spikes) / total)


def reliability(
    probability: FloatArray, correct: BoolArray, *, n_bins: int = N_BINS
) -> Reliability:
    """Compare probabilities with what came true.

    Parameters
    ----------
    probability : ndarray, shape (n_spikes,)
        Between 0 and 1; what is not finite is left out.
    correct : ndarray, shape (n_spikes,), bool
    n_bins : int
        Of equal width.

    Raises
    ------
    BadInput
        If the two have different lengths, or a probability is out of range.
    """
    probability = np.asarray(probability, np.float64)
    if len(probability) != len(correct):
        raise BadInput(f"{len(probability)} probabilities for {len(correct)} spikes")
    known = np.isfinite(probability)
    probability, correct = probability[known], np.asarray(correct, bool)[known]
    if len(probability) and not 0 <= probability.min() <= probability.max() <= 1:
        raise BadInput(
            f"probabilities span {probability.min():g}..{probability.max():g}, expected 0..1"
        )
    column = np.minimum((probability * n_bins).astype(np.int64), n_bins - 1)
    counts = np.bincount(column, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            n_spikes=counts,
            said=np.bincount(column, probability, minlength=n_bins) / counts,
            came_true=np.bincount(column, correct, minlength=n_bins) / counts,
        )


def determination(predicted: FloatArray, true: FloatArray) -> float:
    """Return the share of the variance of ``true`` that a prediction explains.

    1 - Σ(true - predicted)² / Σ(true - mean)²: a bias counts against it; NaN where ``true`` does
    not vary.
    """
    variance = float(np.square(true - np.mean(true)).sum()) if len(true) else 0.0
    if variance == 0:
        return float("nan")
    return 1 - float(np.square(true - predicted).sum()) / variance
