"""The median of each row."""

import numpy as np
import pytest

from embersort.signal.medians import row_medians


def test_of_literals():
    rows = np.array([[9, 1, 5], [2, 2, -4]], "f4")
    assert row_medians(rows).tolist() == [5, 2]
    assert row_medians(np.array([[9.0, 1, 4, 6]])).tolist() == [5]
    assert rows.tolist() == [[9, 1, 5], [2, 2, -4]]


@pytest.mark.parametrize("n_values", [1, 2, 30, 1001, 4000])
def test_equal_to_numpy_to_the_last_bit(n_values):
    columns = np.random.default_rng(n_values).normal(size=(n_values, 7)).astype("f4")
    columns[:, 0] = columns[:, 0].round()
    found = row_medians(columns.T)
    assert found.dtype == np.float32
    # Of equal zeros it is chance which sign lies in the middle: adding 0 leaves none below.
    assert (found + 0).tobytes() == (np.median(columns, axis=0) + np.float32(0)).tobytes()
