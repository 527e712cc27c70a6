import numpy as np
import pytest

import naive_embedding
from embedding_samples import column_probe
from embersort.embedding.neighbours import BLOCK_EVENTS, Search, nearest_events


def _events(n_events, n_channels, seed=0):
    rng = np.random.default_rng(seed)
    embedding = rng.standard_normal((n_events, 6)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    sample = np.sort(rng.integers(0, 1000, n_events))
    return embedding, sample, rng.integers(0, n_channels, n_events)


@pytest.mark.parametrize(
    ("window", "radius_um"), [(1000, 500.0), (80, 500.0), (300, 30.0), (0, 0.0)]
)
def test_equals_the_slow_twin(window, radius_um):
    probe = column_probe(6)
    embedding, sample, channel = _events(150, 6)
    found = nearest_events(
        embedding,
        sample,
        channel,
        probe,
        Search(n_neighbours=5, window_samples=window, radius_um=radius_um),
    )
    expected = naive_embedding.nearest_events(
        embedding, sample, channel, probe.distances_um(), n=5, window=window, radius_um=radius_um
    )
    assert (found == expected).all()


@pytest.mark.parametrize(("n", "n_bins"), [(7, 4), (4, 4), (9, 1)])
@pytest.mark.parametrize(("window", "radius_um"), [(1000, 500.0), (80, 30.0), (15, 0.0)])
def test_bins_equal_the_slow_twin(n, n_bins, window, radius_um):
    probe = column_probe(6)
    embedding, sample, channel = _events(150, 6)
    found = nearest_events(
        embedding,
        sample,
        channel,
        probe,
        Search(n_neighbours=n, window_samples=window, radius_um=radius_um, n_bins=n_bins),
    )
    expected = naive_embedding.nearest_events(
        embedding,
        sample,
        channel,
        probe.distances_um(),
        n=n,
        window=window,
        radius_um=radius_um,
        n_bins=n_bins,
    )
    assert (found == expected).all()


def test_a_bin_holds_the_nearest_of_its_part_of_the_window():
    embedding = np.array([[1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6], [1, 0]], np.float32)
    found = nearest_events(
        embedding,
        np.array([0, 4, 6, 9, 10]),
        np.zeros(5, np.int64),
        column_probe(1),
        Search(n_neighbours=3, window_samples=10, radius_um=0.0, n_bins=2),
    )
    assert found.tolist() == [[4, -1, 4], [2, 0, 2], [3, 1, 3], [2, 2, 4], [0, 0, -1]]


def test_equals_come_by_channel_then_time_and_never_itself():
    embedding = np.ones((4, 1), np.float32)
    found = nearest_events(
        embedding,
        np.array([0, 1, 2, 3]),
        np.array([1, 0, 1, 0]),
        column_probe(2),
        Search(n_neighbours=3, window_samples=10, radius_um=100.0),
    )
    assert found.tolist() == [[1, 3, 2], [3, 0, 2], [1, 3, 0], [1, 0, 2]]


def test_too_few_neighbours_leave_gaps():
    found = nearest_events(
        np.ones((2, 1), np.float32),
        np.array([0, 50]),
        np.array([0, 0]),
        column_probe(2),
        Search(n_neighbours=2, window_samples=10, radius_um=100.0),
    )
    assert found.tolist() == [[-1, -1], [-1, -1]]


def test_no_events():
    none = np.zeros(0, np.int64)
    found = nearest_events(
        np.zeros((0, 3), np.float32),
        none,
        none,
        column_probe(2),
        Search(n_neighbours=2, window_samples=10, radius_um=100.0),
    )
    assert found.shape == (0, 2)


def test_threads_do_not_change_the_result():
    embedding, sample, channel = _events(BLOCK_EVENTS + 300, 4)
    arguments = (embedding, sample, channel, column_probe(4))
    search = Search(n_neighbours=5, window_samples=60, radius_um=20.0, n_bins=2)
    one = nearest_events(*arguments, search, n_threads=1)
    two = nearest_events(*arguments, search, n_threads=2)
    assert (one == two).all()
