import numpy as np
import pytest

from embersort.confidence.trees import LEAF, Trees
from embersort.errors import BadWeights
from naive_confidence import tree_sum


def trees(**changes):
    """Two trees: x0 <= 1 ? (x1 <= 5 ? 10 : 20) : 30, and a lone leaf of 0.5; they start at 100."""
    values = {
        "roots": np.array([0, 5], np.int32),
        "feature": np.array([0, 1, LEAF, LEAF, LEAF, LEAF], np.int16),
        "threshold": np.array([1, 5, 0, 0, 0, 0], np.float32),
        "left": np.array([1, 2, 0, 0, 0, 0], np.int32),
        "right": np.array([4, 3, 0, 0, 0, 0], np.int32),
        "missing_left": np.array([0, 1, 0, 0, 0, 0], np.uint8),
        "value": np.array([0, 0, 10, 20, 30, 0.5], np.float32),
        "start": np.array([100], np.float32),
    }
    return Trees(**{**values, **changes})


def test_each_row_falls_to_its_leaves():
    rows = np.array(
        [[1, 5], [1, 5.5], [1.5, 0], [np.nan, 0], [0, np.nan], [np.nan, np.nan]], np.float32
    )
    assert trees().sum(rows).tolist() == [110.5, 120.5, 130.5, 130.5, 110.5, 130.5]


def test_random_trees_are_summed_like_their_naive_twin():
    rng = np.random.default_rng(0)
    n_trees, depth = 7, 3
    n_nodes = 2 ** (depth + 1) - 1
    first = n_nodes * np.arange(n_trees)
    inner = np.arange(n_nodes) < 2**depth - 1
    child = np.where(inner, 2 * np.arange(n_nodes) + 1, 0)
    random = Trees(
        roots=first.astype(np.int32),
        feature=np.where(
            np.tile(inner, n_trees), rng.integers(0, 4, n_trees * n_nodes), LEAF
        ).astype(np.int16),
        threshold=rng.normal(size=n_trees * n_nodes).astype(np.float32),
        left=np.concatenate([np.where(inner, child + f, 0) for f in first]).astype(np.int32),
        right=np.concatenate([np.where(inner, child + 1 + f, 0) for f in first]).astype(np.int32),
        missing_left=rng.integers(0, 2, n_trees * n_nodes).astype(np.uint8),
        value=rng.normal(size=n_trees * n_nodes).astype(np.float32),
        start=np.array([0.25], np.float32),
    )
    rows = rng.normal(size=(50, 4)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    expected = [tree_sum(random, row) for row in rows]
    assert random.sum(rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "value"), [("left", [0, 2, 0, 0, 0, 0]), ("right", [9, 3, 0, 0, 0, 0])]
)
def test_trees_that_lead_nowhere_are_refused(name, value):
    with pytest.raises(BadWeights, match=name):
        trees(**{name: np.array(value, np.int32)})


def test_a_root_that_is_not_there_is_refused():
    with pytest.raises(BadWeights, match="root"):
        trees(roots=np.array([0, 6], np.int32))


def test_features_that_are_not_there_are_refused():
    with pytest.raises(BadWeights, match="1 features"):
        trees().sum(np.zeros((3, 1), np.float32))
