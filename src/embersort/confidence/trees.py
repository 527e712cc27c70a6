"""Boosted regression trees: each spike or unit falls to one leaf of each; the leaves add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.errors import BadWeights

LEAF = -1
"""``feature`` of a node that has no branches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trees:
    """Trees laid one after the other; a node is a position in every array.

    Attributes
    ----------
    roots : ndarray, shape (n_trees,), int32
    feature : ndarray, shape (n_nodes,), int16
        Column that a node asks about; `LEAF` at the ends.
    threshold : ndarray, shape (n_nodes,), float32
        Values up to it go left.
    left, right : ndarray, shape (n_nodes,), int32
    missing_left : ndarray, shape (n_nodes,), uint8
        Whether NaN goes left.
    value : ndarray, shape (n_nodes,), float32
        What a leaf adds.
    start : ndarray, shape (1,), float32
        What the leaves are added to.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.uint8]
    value: NDArray[np.float32]
    start: NDArray[np.float32]

    def __post_init__(self) -> None:
        n_nodes = len(self.feature)
        inner = self.feature != LEAF
        at = np.arange(n_nodes)
        for name in ("left", "right"):
            child = getattr(self, name)
            # A child lies behind its parent, so that every walk ends.
            if (child[inner] <= at[inner]).any() or (child[inner] >= n_nodes).any():
                raise BadWeights(f"trees lead nowhere: {name} does not point to a later node")
        if len(self.roots) and not 0 <= self.roots.min() <= self.roots.max() < n_nodes:
            raise BadWeights("trees have a root that is not there")

    def sum(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum over trees for each row.

        Parameters
        ----------
        features : ndarray, shape (n_rows, n_features), float32

        Returns
        -------
        ndarray, shape (n_rows,), float64

        Raises
        ------
        BadWeights
            If the trees ask about columns that are not there.

        Notes
        -----
        O(n_rows · n_trees · depth); the order of additions is fixed.
        """
        if self.feature.max(initial=LEAF) >= features.shape[1]:
            raise BadWeights(f"trees ask about more than {features.shape[1]} features")
        return _sum(
            features,
            self.roots,
            self.feature,
            self.threshold,
            self.left,
            self.right,
            self.missing_left,
            self.value,
            float(self.start[0]),
        )


@njit(cache=True, nogil=True)
def _sum(  # type: ignore[no-untyped-def]  # noqa: ANN202, PLR0913
    features,  # noqa: ANN001
    roots,  # noqa: ANN001
    feature,  # noqa: ANN001
    threshold,  # noqa: ANN001
    left,  # noqa: ANN001
    right,  # noqa: ANN001
    missing_left,  # noqa: ANN001
    value,  # noqa: ANN001
    start,  # noqa: ANN001
):
    result = np.empty(len(features))
    for i in range(len(features)):
        total = start
        for root in roots:
            node = root
            while feature[node] >= 0:
                x = features[i, feature[node]]
                goes_left = missing_left[node] != 0 if np.isnan(x) else x <= threshold[node]
                node = left[node] if goes_left else right[node]
            total += value[node]
        result[i] = total
    return result
