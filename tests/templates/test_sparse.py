"""Templates on the channels that they reach, against the same on all channels."""

import numpy as np
import pytest

from embersort.templates.sparse import NO_CHANNEL, gather, sparse


def some(n_units=3, seed=0):
    """Templates of 5 samples on 6 channels, each on other channels, the second on none."""
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(n_units, 5, 6)).astype("f4")
    dense[0][:, [0, 2, 5]] = 0
    if n_units > 1:
        dense[1] = 0
    return dense


def test_only_channels_that_are_not_zero_are_held():
    dense = np.zeros((2, 3, 4), "f4")
    dense[0, 1, [3, 1]] = 5, -2
    dense[1, 0, 2] = 1
    held = sparse(dense)
    assert held.channels.tolist() == [[1, 3], [2, NO_CHANNEL]]
    assert held.waves.tolist() == [[[0, 0], [-2, 5], [0, 0]], [[1, 0], [0, 0], [0, 0]]]
    assert (len(held), held.n_window, held.n_channels) == (2, 3, 4)


def test_all_that_is_asked_of_them_is_that_of_the_dense_ones():
    dense = some()
    held = sparse(dense)
    assert (held.dense() == dense).all()
    assert all((one == whole).all() for one, whole in zip(held.each(), dense, strict=True))
    assert held.energy() == pytest.approx(np.square(dense).sum(axis=(1, 2)))
    assert (held[np.array([2, 0])].dense() == dense[[2, 0]]).all()
    assert (held[np.array([True, False, True])].dense() == dense[[0, 2]]).all()


@pytest.mark.parametrize("rows", [[], [1], [2, 0]])
def test_others_take_the_place_of_some_whatever_room_they_need(rows):
    dense, others = some(), 10 * some(seed=1)[: len(rows)]
    for scarce in (False, True):
        if scarce:
            others[:, :, 1:] = 0
        expected = dense.copy()
        expected[rows] = others
        replaced = sparse(dense).replaced(np.array(rows, int), sparse(others))
        assert (replaced.dense() == expected).all()


def test_as_many_of_other_shapes():
    held = sparse(some())
    made = held.with_waves({2: (np.array([4, 1]), np.array([[1, 2]] * 5, "f4"))})
    expected = np.zeros((3, 5, 6), "f4")
    expected[2][:, [4, 1]] = 1, 2
    assert (made.dense() == expected).all()
    assert not held.with_waves({}).waves.size


def test_none_are_as_good_as_many():
    none = gather([], 5, 6)
    assert none.dense().shape == (0, 5, 6)
    assert none.energy().shape == (0,)
