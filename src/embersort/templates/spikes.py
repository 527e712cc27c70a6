"""Spikes as codes with a unit each: what templates are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embersort.signal.tiles import Tile
from embersort.spread import spread_places
from embersort.types import UNASSIGNED, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitSpikes:
    """Spikes of which templates are made, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
        `UNASSIGNED` for what belongs to no unit.
    channel_index : ndarray, shape (n_spikes,), int64
        Channel round which each was cut.
    pca_features : ndarray, shape (n_spikes, n_features), float32
    """

    sample_index: IntArray
    unit_index: IntArray
    channel_index: IntArray
    pca_features: NDArray[np.float32]

    def without_units(self, left_out: NDArray[np.bool_]) -> UnitSpikes:
        """Return the same spikes, those of some units assigned to none, the others counted anew."""
        place = np.append(np.cumsum(~left_out) - 1, UNASSIGNED)
        place[:-1][left_out] = UNASSIGNED
        return replace(self, unit_index=place[self.unit_index])

    def inside(self, tiles: Sequence[Tile]) -> NDArray[np.bool_]:
        """Say which spikes lie within some tiles."""
        inside = np.zeros(len(self.sample_index), bool)
        for tile in tiles:
            first, last = np.searchsorted(self.sample_index, [tile.start, tile.stop])
            inside[first:last] = True
        return inside


def evenly(rows: IntArray, most: int) -> IntArray:
    """Return at most so many of some rows, evenly spread."""
    return rows[spread_places(len(rows), most)]
