"""How well signals were separated: SI-SDR, and the purity of bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray, IntArray


def si_sdr_from_products(
    reference_energy: FloatArray, estimate_energy: FloatArray, product: FloatArray
) -> NDArray[np.float64]:
    """Return the scale-invariant signal-to-distortion ratio from sums over a signal.

    Parameters
    ----------
    reference_energy, estimate_energy, product : ndarray, broadcastable
        Sums of r², e² and r · e over all samples (and channels) of reference r and estimate e,
        which have no mean.

    Returns
    -------
    ndarray, float64
        In dB; minus infinity where the estimate is silent or orthogonal to the reference.

    Notes
    -----
    Le Roux et al. 2019, "SDR – half-baked or well done?", equation 3. As sums over stretches add
    up, a recording of any length is scored tile by tile.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.square(product) / np.asarray(reference_energy, np.float64)
        ratio = target / np.maximum(np.asarray(estimate_energy) - target, 0)
        return np.where(target > 0, 10 * np.log10(ratio), -np.inf)


@dataclass(frozen=True, kw_only=True, slots=True)
class BinPurity:
    """How the bins of estimated units agree with the ideal mask.

    Attributes
    ----------
    purity : float
        Share of the bins given to units that belong to the true unit most common in their unit.
    completeness : float
        Share of the true units' bins that were given to a unit in which theirs are most common.
    n_given, n_true : int
        Bins given to units, and bins of true units.
    """

    purity: float
    completeness: float
    n_given: int
    n_true: int


def bin_purity(counts: IntArray) -> BinPurity:
    """Score estimated masks against ideal ones.

    Parameters
    ----------
    counts : ndarray, shape (n_true_units + 1, n_units + 1), int64
        Bins by true unit (rows) and estimated unit (columns); the last of each is the background.

    Examples
    --------
    >>> counts = np.array([[8, 0, 2], [1, 6, 3], [1, 0, 79]])
    >>> score = bin_purity(counts)
    >>> score.purity, score.completeness
    (0.875, 0.7)
    """
    between = counts[:-1, :-1]
    n_given, n_true = int(counts[:, :-1].sum()), int(counts[:-1].sum())
    right = int(between.max(axis=0, initial=0).sum()) if between.size else 0
    return BinPurity(
        purity=right / n_given if n_given else float("nan"),
        completeness=right / n_true if n_true else float("nan"),
        n_given=n_given,
        n_true=n_true,
    )
