"""Medians of many values, fast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray


def row_medians(values: FloatArray) -> NDArray[np.floating]:
    """Return the median of each row, equal to that of `numpy.median`.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_values)
        Finite, and at least one in a row.

    Returns
    -------
    ndarray, shape (n_rows,), same type

    Notes
    -----
    O(n_rows · n_values). `numpy.median` selects three places of a row at once; for a single place
    NumPy's selection is vectorised and several times as fast.
    """
    n_values = values.shape[1]
    middle = n_values // 2
    selected = np.array(values, order="C")
    selected.partition(middle, axis=1)
    upper = selected[:, middle]
    if n_values % 2:
        return upper
    return (selected[:, :middle].max(axis=1) + upper) / 2
