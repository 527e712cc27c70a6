"""How clusters spread about their centres, as their innermost events say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

CORE = 0.75
"""Share of a cluster's events, the innermost, that say how far its events spread."""

ROUNDS = 4
"""In which the innermost are found: first by plain distance, then by the spread found so far."""

TINY = 1e-300
"""Keeps equal events from a division by zero."""

MIN_OWN = 5
"""So many events at least have a mean."""

MIN_PER_COLUMN = 2
"""Fewer events of the cores than this for each column say too little."""


def core_whitening(away: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """Return the matrix by which clusters spread alike in all directions.

    Parameters
    ----------
    away : sequence of ndarray, shape (n_events, n_columns)
        Events of each cluster, less its centre.

    Returns
    -------
    ndarray, shape (n_columns, n_columns), or None
        To be multiplied from the right; None where there are too few events.

    Notes
    -----
    Concentration steps towards the covariance of the events that lie innermost (Rousseeuw and Van
    Driessen 1999), from the plain distance, in all clusters together; O(n · n_columns²).
    """
    n_columns = away[0].shape[1]
    turn = np.eye(n_columns)
    for _ in range(ROUNDS):
        inner = np.concatenate([_innermost(rows @ turn, rows) for rows in away])
        if len(inner) < MIN_PER_COLUMN * n_columns:
            return None
        values, vectors = np.linalg.eigh(inner.T @ inner / len(inner))
        turn = vectors / np.sqrt(np.maximum(values, 1e-9 * values[-1] + TINY))
    return turn


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreSpread:
    """How many events of one cluster lie about their centre.

    Attributes
    ----------
    centre : ndarray, shape (n_columns,)
    whitening : ndarray, shape (n_columns, n_columns)
        See `core_whitening`; scaled so that the median event is as far off as a normal one.
    """

    centre: NDArray[np.float64]
    whitening: NDArray[np.float64]

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points in standard deviations from the centre."""
        return (points - self.centre) @ self.whitening


def chi_square_quantile(share: float, n: int) -> float:
    """Return the square that a share of points of n standard normal columns stay below.

    As `scipy.stats.chi2.ppf`, whose package takes a second to import.
    """
    return float(2 * gammaincinv(n / 2, share))


def core_spread(many: NDArray[np.float64]) -> CoreSpread | None:
    """Return the spread of many events, shape (n_events, n_columns); None if they are too few."""
    centre = np.median(many, axis=0)
    whitening = core_whitening([many - centre])
    if whitening is None:
        return None
    square = np.square((many - centre) @ whitening).sum(axis=1)
    scale = float(np.median(square) / chi_square_quantile(0.5, many.shape[1]))
    return CoreSpread(centre=centre, whitening=whitening / np.sqrt(max(scale, TINY)))


def separation(few: NDArray[np.float64], many: NDArray[np.float64]) -> float:
    """Return how far the mean of a few events lies from many, in standard deviations of these.

    Parameters
    ----------
    few, many : ndarray, shape (n_events, n_columns)
        In columns of which any may tell them apart.

    Returns
    -------
    float
        The distance by which the mean of so few lies off by chance is taken out; 0 where there are
        too few of either to tell.
    """
    spread = core_spread(many)
    if spread is None or not len(few):
        return 0.0
    apart = float(np.square(spread.place(few).mean(axis=0)).sum())
    return float(np.sqrt(max(apart - many.shape[1] / len(few), 0.0)))


def nearer_to_many(few: NDArray[np.float64], many: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which of a few events are more likely of many others than of their own kind.

    Parameters
    ----------
    few, many : ndarray, shape (n_events, n_columns)

    Returns
    -------
    ndarray, shape (n_few,), bool
        Nearer to the centre of the many than to the mean of the other few, in the spread of the
        many, which both are taken to have; none where that is not known.
    """
    nearer = np.zeros(len(few), bool)
    spread = core_spread(many)
    if spread is None:
        return nearer
    place = spread.place(few)
    from_many = np.square(place).sum(axis=1)
    for _ in range(ROUNDS):
        own = ~nearer
        n = int(own.sum())
        if n < MIN_OWN:
            break
        from_own = np.square(place - place[own].mean(axis=0)).sum(axis=1)
        # One's own mean is nearer for having one in it.
        from_own[own] *= (n / (n - 1)) ** 2
        # A mean of so few is itself uncertain.
        found = from_many < from_own - place.shape[1] / n
        if np.array_equal(found, nearer):
            break
        nearer = found
    return nearer


def _innermost(turned: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    square = np.square(turned).sum(axis=1)
    return rows[square <= np.quantile(square, CORE)]
