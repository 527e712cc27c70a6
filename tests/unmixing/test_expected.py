import numpy as np

import naive_unmixing
from embersort.unmixing.expected import expected_stretch
from unmixing_scenes import prepared, unmixed


def test_expected_values_are_those_of_the_neighbours():
    embedder, labels = prepared().embedder, prepared().labels
    start = int(embedder.segments.events.sample_index[np.flatnonzero(labels >= 0)[3]]) - 50
    bin_unit = unmixed().labels(start, start + 150)
    fast = expected_stretch(embedder, labels, bin_unit, start)
    slow = naive_unmixing.expected_stretch(embedder, labels, bin_unit, start)
    assert np.isfinite(slow).any()
    np.testing.assert_allclose(fast, slow, atol=1e-4)


def test_without_a_unit_nothing_is_expected():
    embedder, labels = prepared().embedder, prepared().labels
    background = np.full((100, 6), -1, np.int16)
    assert np.isnan(expected_stretch(embedder, labels, background, 3000)).all()


def test_what_is_not_expected_is_as_recorded():
    bins = unmixed().bins
    assert np.isfinite(bins.expected_uv).all()
    changed = bins.expected_uv != bins.value_uv
    assert 0.2 < changed.mean() < 1
