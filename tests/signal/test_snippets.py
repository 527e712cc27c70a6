import numpy as np

import naive_signal
from embersort.config import SnippetConfig
from embersort.signal.pca import TemporalPca, fit_pca
from embersort.signal.snippets import Window, cut_snippets, make_window
from embersort.types import Geometry

NEIGHBOURS = np.array([[0, 1, -1], [1, 0, 2], [2, 1, -1]])


def test_a_window_in_samples():
    line = Geometry(positions_um=np.column_stack([np.zeros(4), 50.0 * np.arange(4)]))
    window = make_window(line, 30_000.0, SnippetConfig(max_channels=3))
    assert (window.n_before, window.n_after, window.n_window) == (30, 45, 75)
    assert window.neighbours[0].tolist() == [0, 1, 2]
    tiny = make_window(line, 1000.0, SnippetConfig(before_ms=0.1, after_ms=0.1))
    assert (tiny.n_before, tiny.n_after) == (1, 1)


def test_snippets_of_a_literal():
    traces = np.arange(12, dtype="f4").reshape(4, 3) + 1
    window = Window(n_before=1, n_after=2, neighbours=NEIGHBOURS)
    snippets = cut_snippets(traces, np.array([0, 3]), np.array([1, 0]), window)
    assert snippets.tolist() == [
        [[0, 0, 0], [2, 1, 3], [5, 4, 6]],
        [[7, 8, 0], [10, 11, 0], [0, 0, 0]],
    ]


def test_the_kernel_equals_its_twin():
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(50, 3)).astype("f4")
    sample, channel = rng.integers(-3, 53, 40), rng.integers(0, 3, 40)
    window = Window(n_before=4, n_after=5, neighbours=NEIGHBOURS)
    expected = naive_signal.cut(traces, sample, channel, 4, 9, NEIGHBOURS)
    assert (cut_snippets(traces, sample, channel, window) == expected).all()


def test_no_events_have_no_snippets():
    window = Window(n_before=1, n_after=2, neighbours=NEIGHBOURS)
    none = np.zeros(0, np.int64)
    assert cut_snippets(np.zeros((4, 3), "f4"), none, none, window).shape == (0, 3, 3)


def test_codes_keep_the_units_of_the_noise():
    basis = np.eye(4, 2, dtype="f4")
    stage = TemporalPca(basis=basis, neighbours=NEIGHBOURS)
    snippets = np.arange(12, dtype="f4").reshape(1, 4, 3)
    codes = stage.encode(snippets, np.array([1]))
    assert codes.tolist() == [[0, 3, 1, 4, 2, 5]]
    assert stage.encode(snippets[:0], np.zeros(0, np.int64)).shape == (0, 6)


def test_the_common_frame_holds_the_shared_channels_in_order():
    stage = TemporalPca(basis=np.ones((1, 1), "f4"), neighbours=NEIGHBOURS)
    # Peaks on channels 0 and 1 share channels 0 and 1, listed in another order for each.
    codes = np.array([[10, 11, 0], [21, 20, 22]], "f4")
    assert stage.on_shared_channels(codes, np.array([0, 1])).tolist() == [[10, 11], [20, 21]]
    assert stage.on_shared_channels(codes[1:], np.array([1])).tolist() == [[20, 21, 22]]


def test_the_components_are_those_of_the_waveforms():
    rng = np.random.default_rng(0)
    shapes = np.linalg.qr(rng.normal(size=(20, 2)))[0]
    waveforms = rng.normal(size=(300, 2)) * [5, 2] @ shapes.T
    stage = fit_pca(waveforms, NEIGHBOURS, 2)
    assert np.allclose(stage.basis.T @ stage.basis, np.eye(2), atol=1e-6)
    assert np.allclose(stage.basis @ (stage.basis.T @ shapes), shapes, atol=1e-5)
    largest = stage.basis[np.abs(stage.basis).argmax(axis=0), [0, 1]]
    assert (largest > 0).all()


def test_a_large_waveform_counts_as_much_as_a_small_one():
    small, large = np.eye(6)[:1].repeat(3, 0), 1000 * np.eye(6)[1:2].repeat(2, 0)
    basis = fit_pca(np.concatenate([small, large]), NEIGHBOURS, 1).basis
    assert np.allclose(np.abs(basis[:, 0]), [1, 0, 0, 0, 0, 0], atol=1e-6)


def test_without_waveforms_the_components_are_cosines():
    basis = fit_pca(np.zeros((0, 30)), NEIGHBOURS, 4).basis
    assert basis.shape == (30, 4)
    assert np.allclose(basis.T @ basis, np.eye(4), atol=1e-6)
