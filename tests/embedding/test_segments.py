import numpy as np
import pytest

from embedding_samples import N_BEFORE, N_WINDOW, RATE_HZ, random_segment_network
from embersort.embedding.segment_architecture import (
    SEGMENT_BEFORE_SAMPLES,
    SEGMENT_SAMPLES,
    SegmentConfig,
    segment_shapes,
)
from embersort.embedding.segment_network import mean_and_spread
from embersort.embedding.segment_weights import (
    load_segment_weights,
    load_shipped_segment,
    save_segment_weights,
)
from embersort.embedding.segments import bin_offsets, canonical_segments
from embersort.errors import BadConfig, BadWeights

POSITIONS = np.array([[0.0, 0], [20, 15], [0, 30], [20, 45], [0, 60]])


def wave(place):
    """A smooth spike whose trough lies at 0."""
    return -10 * np.exp(-0.5 * (place / 6.0) ** 2)


def random_segment(n_channels, n_neighbours, seed=0):
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal((1 + n_neighbours, n_channels, SEGMENT_SAMPLES)) * 4
    return draw[0].astype(np.float32), draw[1:].astype(np.float32)


def test_a_segment_is_the_trace_at_the_times_of_its_bins():
    later = 0.25
    time = np.arange(N_WINDOW) - N_BEFORE
    snippets = wave(time - later)[None, :, None].astype(np.float32) * [[[1.0, 0.5]]]
    segments = canonical_segments(snippets.astype(np.float32), N_BEFORE, RATE_HZ)
    assert segments.shift.tolist() == [later]
    wanted = wave(bin_offsets(RATE_HZ))
    np.testing.assert_allclose(segments.values[0, 0], wanted, atol=0.03)
    np.testing.assert_allclose(segments.values[0, 1], wanted / 2, atol=0.03)


def test_bins_are_1_5_samples_apart_at_30_khz():
    offsets = bin_offsets(30000.0)
    assert offsets[SEGMENT_BEFORE_SAMPLES] == 0
    np.testing.assert_allclose(np.diff(offsets), 1.5)
    assert (offsets[0], offsets[-1]) == (-22.5, 36.0)


def test_a_snippet_that_is_too_short_is_refused():
    with pytest.raises(BadConfig, match="does not cover"):
        canonical_segments(np.zeros((1, 20, 2), np.float32), 10, RATE_HZ)


def test_no_neighbours_have_no_mean_and_no_spread():
    mean, spread = mean_and_spread(np.zeros((0, 2, 3), np.float32), (2, 3))
    assert mean.shape == spread.shape == (2, 3)
    assert not mean.any()
    assert not spread.any()
    two = np.array([[[1.0]], [[3.0]]], np.float32)
    mean, spread = mean_and_spread(two, (1, 1))
    assert (float(mean[0, 0]), float(spread[0, 0])) == (2.0, 1.0)


def test_every_bin_has_a_point_on_the_sphere():
    network = random_segment_network()
    found = network.embed(*random_segment(5, 3), POSITIONS)
    assert found.bins.shape == (5, SEGMENT_SAMPLES, network.config.n_dims)
    np.testing.assert_allclose(np.linalg.norm(found.bins, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found.whole), 1, atol=1e-5)
    # Background is no part of what a segment as a whole can be.
    assert found.whole[-1] == 0


def test_moving_a_probe_by_the_period_of_places_changes_nothing():
    network = random_segment_network()
    own, neighbours = random_segment(5, 3)
    here = network.embed(own, neighbours, POSITIONS)
    there = network.embed(own, neighbours, POSITIONS + np.array([400.0, -800.0]))
    np.testing.assert_allclose(here.bins, there.bins, atol=1e-4)
    elsewhere = network.embed(own, neighbours, POSITIONS + np.array([100.0, 0.0]))
    assert np.abs(here.bins - elsewhere.bins).max() > 1e-2


def test_channels_may_come_in_any_order_after_the_peak():
    network = random_segment_network()
    own, neighbours = random_segment(5, 3)
    order = [0, 3, 1, 4, 2]
    here = network.embed(own, neighbours, POSITIONS)
    there = network.embed(own[order], neighbours[:, order], POSITIONS[order])
    np.testing.assert_allclose(here.bins[order], there.bins, atol=1e-5)


def test_neighbours_change_what_a_bin_is():
    network = random_segment_network()
    own, neighbours = random_segment(5, 3)
    near = network.embed(own, neighbours, POSITIONS).bins
    assert np.abs(near - network.embed(own, -neighbours, POSITIONS).bins).max() > 1e-2
    assert np.isfinite(network.embed(own, neighbours[:0], POSITIONS).bins).all()


def test_weights_come_back_as_written_and_only_those(tmp_path):
    path = tmp_path / "a.safetensors"
    network = random_segment_network()
    sha256 = save_segment_weights(network, path)
    loaded = load_segment_weights(path, sha256=sha256)
    assert (loaded.config, loaded.sha256) == (network.config, sha256)
    for name, value in network.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value)
    with pytest.raises(BadWeights, match="not the file that was shipped"):
        load_segment_weights(path, sha256="0" * 64)
    content = path.read_bytes()
    for broken in (b"", content[:-10], content.replace(b"embersort-segment-1", b"x" * 19)):
        path.write_bytes(broken)
        with pytest.raises(BadWeights, match="not a whole weight file"):
            load_segment_weights(path)
    path.write_bytes(content.replace(b'n_hidden\\":8', b'n_hidden\\":4'))
    with pytest.raises(BadWeights):
        load_segment_weights(path)
    with pytest.raises(BadWeights, match="cannot be read"):
        load_segment_weights(tmp_path / "none.safetensors")


def test_equal_weights_have_equal_hashes(tmp_path):
    network = random_segment_network()
    hashes = {save_segment_weights(network, tmp_path / f"{i}.safetensors") for i in range(8)}
    assert len(hashes) == 1


def test_a_parameter_that_is_not_finite_is_refused(tmp_path):
    network = random_segment_network()
    network.weights["out_bias"][0] = np.nan
    save_segment_weights(network, tmp_path / "a.safetensors")
    with pytest.raises(BadWeights, match=r"out_bias is of shape .* or not finite"):
        load_segment_weights(tmp_path / "a.safetensors")


def test_the_shipped_network_is_whole():
    network = load_shipped_segment()
    assert network.config == SegmentConfig()
    assert {n: v.shape for n, v in network.weights.items()} == segment_shapes(network.config)
