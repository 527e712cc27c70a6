"""Agreement between sorters where there is no truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embersort.evaluation.comparison import WELL_DETECTED_ACCURACY, compare
from embersort.types import FloatArray, IntArray, Sorting


def mean_agreement(sortings: Mapping[str, Sorting]) -> FloatArray:
    """Return how well each sorter's units are found by each other one.

    Parameters
    ----------
    sortings : mapping of str to Sorting
        One recording's sortings by sorter.

    Returns
    -------
    ndarray, shape (n_sorters, n_sorters), float64
        Mean agreement of the row's units with the column's, matched one to
        one; NaN where the row has no units.
    """
    names = list(sortings)
    table = np.full((len(names), len(names)), np.nan)
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            table[i, j] = compare(sortings[first], sortings[second]).summary()["accuracy"]
    return table


def n_confirming(sortings: Mapping[str, Sorting], sorter: str) -> IntArray:
    """Return how many other sorters have each unit of one sorter (agreement at least 0.8).

    Returns
    -------
    ndarray, shape (n_units,), int64
    """
    own = sortings[sorter]
    count = np.zeros(own.n_units, np.int64)
    for name, other in sortings.items():
        if name != sorter:
            count += compare(own, other).accuracy >= WELL_DETECTED_ACCURACY
    return count
