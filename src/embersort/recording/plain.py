"""Traces in a plain file, read piece by piece.

Not memory-mapped: a process that touches a mapped file which was cut short is killed by the system
(SIGBUS) without a word. Read, it gives an error that says which sample is missing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.recording.watch import changed


class FileTraces:
    """A two-dimensional array in a file; a slice of rows is read when it is asked for.

    Parameters
    ----------
    path : Path
    dtype : numpy dtype
    shape : tuple of int
        Rows (time) and columns (channels).
    offset : int
        Bytes before the first sample.
    by_column : bool
        Whether the file holds one column after the other, rather than one row after the other.

    Raises
    ------
    BadInput
        If the file cannot be opened, or is shorter than the shape.
    """

    ndim = 2

    def __init__(
        self,
        path: Path,
        dtype: Any,
        shape: tuple[int, int],
        *,
        offset: int = 0,
        by_column: bool = False,
    ) -> None:
        self._how = (path, dtype, shape, offset, by_column)
        self.path, self.dtype, self.shape = path, np.dtype(dtype), shape
        self.offset, self.by_column = offset, by_column
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise BadInput(f"{path} cannot be opened: {error.strerror}") from None
        self._state = self._now()
        if offset + shape[0] * shape[1] * self.dtype.itemsize > self._state[0]:
            raise BadInput(f"{path} is shorter than its {shape[0]} samples; is it truncated?")

    def __reduce__(self) -> tuple[Any, ...]:
        path, dtype, shape, offset, by_column = self._how
        return _reopened, (path, dtype, shape, offset, by_column)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Return a copy of some rows, shape (n_rows, n_columns)."""
        start, stop, step = rows.indices(self.shape[0])
        if step != 1:
            raise ValueError(f"rows are read one after the other, not every {step}th")
        stop = max(start, stop)
        if self.by_column:
            found = np.empty((self.shape[1], stop - start), self.dtype)
            for channel, row in enumerate(found):
                first = channel * self.shape[0] + start
                self._fill(row, first * self.dtype.itemsize, start, stop)
            found = found.T
        else:
            found = np.empty((stop - start, self.shape[1]), self.dtype)
            self._fill(found, start * self.shape[1] * self.dtype.itemsize, start, stop)
        if self._now() != self._state:
            raise changed(self.path, start, stop)
        return found

    def _fill(self, array: NDArray[Any], place: int, start: int, stop: int) -> None:
        """Read as many bytes as ``array`` has, from ``place`` bytes after the first sample."""
        if not array.size:
            return
        left = array.reshape(-1).view(np.uint8)
        at = self.offset + place
        while len(left):
            n_read = os.preadv(self._file.fileno(), [left.data], at)
            if not n_read:
                raise changed(self.path, start, stop)
            left, at = left[n_read:], at + n_read

    def _now(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


def _reopened(path: Path, dtype: Any, shape: tuple[int, int], offset: int, by_column: bool) -> Any:
    return FileTraces(path, dtype, shape, offset=offset, by_column=by_column)
