"""A mixture of normal distributions of one shape: neurons whose clouds noise has run together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.gaps import SMALLEST_VARIANCE
from embersort.clustering.parcels import parcels
from embersort.types import FloatArray

MAX_ROUNDS = 100
"""A bound on the rounds of one fit; most settle in a few dozen."""

SETTLED = 1e-4
"""A fit is done when a round raises the log likelihood of a point by less than this."""

POINTS_A_DIMENSION = 2
"""The fit starts with at most one part for so many points in each dimension."""


class Mixture(NamedTuple):
    """Normal distributions that differ in place and share, but not in shape.

    Attributes
    ----------
    centre : ndarray, shape (n_parts, n_dims)
    whitening : ndarray, shape (n_dims, n_dims)
        Makes each part round, of variance 1.
    share : ndarray, shape (n_parts,)
        Of all points; they sum to 1.
    """

    centre: NDArray[np.float64]
    whitening: NDArray[np.float64]
    share: NDArray[np.float64]

    def log_density(self, points: FloatArray) -> NDArray[np.float64]:
        """Return the log of each part's density times its share, shape (n_parts, n)."""
        white, centre = points @ self.whitening, self.centre @ self.whitening
        square = np.square(white[None, :, :] - centre[:, None, :]).sum(axis=2)
        volume = np.linalg.slogdet(self.whitening)[1] - 0.5 * points.shape[1] * np.log(2 * np.pi)
        return np.asarray(np.log(self.share)[:, None] + volume - 0.5 * square, np.float64)

    def most_likely(self, points: FloatArray) -> NDArray[np.int64]:
        """Return the part that each point most likely belongs to, those without points left out."""
        part = self.log_density(points).argmax(axis=0)
        return np.unique(part, return_inverse=True)[1]


def fit_mixture(points: FloatArray, n_start: int) -> Mixture:
    """Fit normal distributions of one covariance to points, as many as the points ask for.

    Parameters
    ----------
    points : ndarray, shape (n, n_dims)
    n_start : int
        Parts to start from, at most.

    Returns
    -------
    Mixture
        Of all numbers of parts the one with the least Bayesian information criterion (Schwarz
        1978).

    Notes
    -----
    What noise and overlaps do to a spike, they do to all neurons' on the same channels: hence one
    covariance, which few points suffice to know. Parts start as parcels, which needs no chance;
    expectation and maximisation (Dempster et al. 1977) by turns; parts that hold too few points
    for their own parameters are dropped on the way (Figueiredo and Jain 2002, equation 17), then
    the smallest, until one is left. O(n_start² · rounds · n · n_dims).
    """
    n, n_dims = points.shape
    cloud: NDArray[np.float64] = np.array(points, dtype=np.float64, order="C")
    n_start = max(1, min(n_start, n // (POINTS_A_DIMENSION * n_dims)))
    labels = parcels(cloud, n_start, 1)
    belongs = np.eye(int(labels.max()) + 1)[:, labels]
    best, least = None, np.inf
    while best is None or len(belongs) > 0:
        mixture, belongs, log_likelihood = _settled(cloud, belongs)
        cost = 0.5 * len(mixture.share) * (n_dims + 1) * np.log(n) - log_likelihood
        if cost < least:
            best, least = mixture, cost
        belongs = _normalised(np.delete(belongs, mixture.share.argmin(), axis=0))
    return best


def _settled(
    points: NDArray[np.float64], belongs: NDArray[np.float64]
) -> tuple[Mixture, NDArray[np.float64], float]:
    """Return the mixture, whose the points are in it, and their log likelihood."""
    enough = 0.5 * (points.shape[1] + 1)
    before = -np.inf
    mixture = _of(points, belongs)
    for _ in range(MAX_ROUNDS):
        log_density = mixture.log_density(points)
        highest = log_density.max(axis=0)
        belongs = np.exp(log_density - highest)
        total = belongs.sum(axis=0)
        log_likelihood = float((highest + np.log(total)).sum())
        belongs /= total
        held = belongs.sum(axis=1)
        keep = held > min(enough, held.max() - 1)
        if keep.all() and log_likelihood - before < SETTLED * len(points):
            break
        before = log_likelihood if keep.all() else -np.inf
        belongs = _normalised(belongs[keep])
        mixture = _of(points, belongs)
    return mixture, belongs, log_likelihood


def _of(points: NDArray[np.float64], belongs: NDArray[np.float64]) -> Mixture:
    """Return the mixture that is most likely if the points belong to the parts like this."""
    n, n_dims = points.shape
    held = belongs.sum(axis=1)
    centre = belongs @ points / held[:, None]
    covariance = (points.T @ points - (centre.T * held) @ centre) / n
    # As far as few points require, it is shrunk towards a multiple of the identity.
    ridge = np.trace(covariance) / n + SMALLEST_VARIANCE
    root = np.linalg.cholesky(covariance + ridge * np.eye(n_dims))
    return Mixture(centre, np.linalg.inv(root).T, held / n)


def _normalised(belongs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares of points that sum to 1 again."""
    return belongs / np.maximum(belongs.sum(axis=0), np.finfo(float).tiny)
