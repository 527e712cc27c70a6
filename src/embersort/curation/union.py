"""Parts put together into units, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from embersort.curation.pair_tests import SpikeTrains
from embersort.types import IntArray

RowsOfUnit = Callable[[int], NDArray[np.int64]]
"""From a part to the spikes of all parts that its unit has by now."""


def unite_pairs(
    spikes: SpikeTrains,
    same: IntArray,
    pairs: Iterable[tuple[int, int]],
    are_one: Callable[[int, int, RowsOfUnit], bool],
) -> NDArray[np.int64]:
    """Return the leading part of each part's unit, the larger one's of two that were joined.

    Parameters
    ----------
    spikes : SpikeTrains
    same : ndarray, shape (n_parts,), int64
        Leading part of each part's unit so far.
    pairs : iterable of (int, int)
        Parts to be asked about, the likeliest first.
    are_one : callable
        Says whether two parts that are not of one unit yet are; as a whole, if it asks for that.
    """
    unit = same.copy()

    def rows_of_unit(part: int) -> NDArray[np.int64]:
        return np.flatnonzero(unit[spikes.unit_index] == unit[part])

    for a, b in pairs:
        if unit[a] == unit[b] or not are_one(a, b, rows_of_unit):
            continue
        a_is_larger = len(rows_of_unit(a)) >= len(rows_of_unit(b))
        keep, drop = (a, b) if a_is_larger else (b, a)
        unit[unit == unit[drop]] = unit[keep]
    return unit
