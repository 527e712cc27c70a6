"""What all tiles give, put straight into one array a column: never held in parts and whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPARE = 1.1
"""Room is made for this many times the rows that the tiles so far lead one to expect."""


class RowAccumulator:
    """Rows of tiles, one tile after the other.

    Parameters
    ----------
    n_tiles : int
        How many tiles there will be. Memory that no row has been written to costs nothing.
    """

    def __init__(self, n_tiles: int) -> None:
        self._n_tiles, self._n_done, self._n_rows = n_tiles, 0, 0
        self._columns: list[NDArray[Any]] = []

    def add(self, parts: Sequence[NDArray[Any]]) -> None:
        """Add the rows of a tile: an array for each column, all of one length."""
        if not self._columns:
            self._columns = [np.empty((0, *part.shape[1:]), part.dtype) for part in parts]
        start, stop = self._n_rows, self._n_rows + len(parts[0])
        self._n_done += 1
        self._n_rows = stop
        if stop > len(self._columns[0]):
            room = math.ceil(SPARE * stop * max(1.0, self._n_tiles / self._n_done))
            # One by one, so that no more than one column is there twice.
            for i, column in enumerate(self._columns):
                self._columns[i] = np.empty((room, *column.shape[1:]), column.dtype)
                self._columns[i][:start] = column[:start]
        for column, part in zip(self._columns, parts, strict=True):
            column[start:stop] = part

    @property
    def n_bytes(self) -> int:
        """Bytes of all rows that there is room for."""
        return sum(column.nbytes for column in self._columns)

    def columns(self) -> tuple[NDArray[Any], ...]:
        """Return the rows of all tiles added, an array for each column."""
        return tuple(column[: self._n_rows] for column in self._columns)
