"""Columns gathered tile by tile."""

import numpy as np
import pytest

from embersort.signal.accumulate import RowAccumulator


def decompose(n_rows, start):
    number = np.arange(start, start + n_rows)
    return number, np.stack([number, -number], axis=1).astype("f4")


# Even, ever more, ever fewer, and none at first.
@pytest.mark.parametrize("sizes", [[3, 3, 3], [1, 5, 40], [40, 5, 1], [0, 0, 7], [0, 0, 0]])
def test_all_rows_come_back_in_order(sizes):
    gathered = RowAccumulator(len(sizes))
    for size, start in zip(sizes, np.cumsum([0, *sizes]), strict=False):
        gathered.add(decompose(size, start))
    number, pairs = gathered.columns()
    expected = decompose(sum(sizes), 0)
    np.testing.assert_array_equal(number, expected[0])
    np.testing.assert_array_equal(pairs, expected[1])
    assert (number.dtype, pairs.dtype) == (np.int64, np.float32)


def test_room_is_made_once_where_tiles_are_alike():
    gathered = RowAccumulator(20)
    gathered.add(decompose(10, 0))
    first = gathered.columns()[1].base
    for tile in range(1, 20):
        gathered.add(decompose(10, 10 * tile))
    assert gathered.columns()[1].base is first
    assert len(first) == 220
    assert gathered.n_bytes == 220 * (8 + 2 * 4)
