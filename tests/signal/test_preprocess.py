import numpy as np
import pytest

from embersort.config import FilterConfig, RunConfig, WhitenConfig
from embersort.recording import ArrayRecording
from embersort.signal.preprocess import filter_tile, fit_preprocessor, reference, whiten
from embersort.signal.reference import reference_groups, shares_noise, subtract_median
from embersort.signal.tiles import Tile
from embersort.signal.whiten import (
    good_channels,
    local_whitening,
    noise_covariance,
    noise_levels,
)
from embersort.types import Geometry

RATE_HZ = 30_000.0


def line(n_channels, shanks=None):
    places = np.column_stack([np.zeros(n_channels), 25.0 * np.arange(n_channels)])
    return Geometry(positions_um=places, shank_index=np.zeros(0) if shanks is None else shanks)


def correlated_noise(n_samples, n_channels, seed=0):
    rng = np.random.default_rng(seed)
    far = np.abs(np.subtract.outer(np.arange(n_channels), np.arange(n_channels)))
    mixing = np.linalg.cholesky(np.exp(-far / 2) + 0.1 * np.eye(n_channels))
    return (10 * rng.normal(size=(n_samples, n_channels)) @ mixing.T).astype("f4")


def fitted(traces, geometry, **settings):
    recording = ArrayRecording(traces=traces, sampling_rate_hz=RATE_HZ, geometry=geometry)
    front = fit_preprocessor(
        recording, FilterConfig(**settings), WhitenConfig(), RunConfig(n_workers=1)
    )
    return recording, front


def test_noise_levels_of_a_literal():
    traces = np.array([[-1, 0], [1, 0], [2, 0], [-3, 0]], "f4")
    assert np.allclose(noise_levels(traces), [1.5 / 0.6745, 0])
    assert (noise_levels(traces[:0]) == 0).all()


def test_silent_broken_and_noisy_channels_are_not_good():
    noise = np.array([0, 1, 1.2, 0.9, 9.5, 9.7, np.nan])
    assert good_channels(noise).tolist() == [False, True, True, True, True, False, False]


def test_with_few_channels_none_is_too_noisy():
    assert good_channels(np.array([1.0, 1.0, 100.0])).all()


def test_the_median_reference_of_a_literal():
    traces = np.array([[1, 2, 9, 100], [4, 0, 2, 100]], "f4")
    done = subtract_median(traces, (np.array([0, 1, 2]),))
    assert done.tolist() == [[-1, 0, 7, 100], [2, -2, 0, 100]]
    assert traces[0, 0] == 1


@pytest.mark.parametrize("n_channels", [2, 5, 8, 33, 130])
def test_the_median_equals_numpy(n_channels):
    traces = np.random.default_rng(n_channels).normal(size=(200, n_channels)).astype("f4")
    done = subtract_median(traces, (np.arange(n_channels),))
    assert np.allclose(done, traces - np.median(traces, axis=1, keepdims=True), atol=1e-6)


def test_references_are_per_shank_and_only_where_channels_are_enough():
    shanks = np.repeat([0, 1], [9, 4])
    ok = np.ones(13, bool)
    ok[0] = False
    groups = reference_groups(line(13, shanks), ok, "auto")
    assert [g.tolist() for g in groups] == [[1, 2, 3, 4, 5, 6, 7, 8]]
    groups = reference_groups(line(13, shanks), ok, "median")
    assert [len(g) for g in groups] == [8, 4]
    assert reference_groups(line(13, shanks), ok, "none") == ()
    ok[1] = False
    assert reference_groups(line(13, shanks), ok, "auto") == ()


def sharing(rho, n_channels, shanks=None):
    covariance = 4 * (np.full((n_channels, n_channels), rho) + (1 - rho) * np.eye(n_channels))
    return shares_noise(covariance, line(n_channels, shanks), np.ones(n_channels, bool))


def test_noise_is_shared_where_channels_far_apart_are_correlated():
    assert sharing(0.11, 20)
    assert not sharing(0.09, 20)
    # The far pairs of five channels lie 75 and 100 µm apart, where tissue makes 0.15 and 0.08.
    assert sharing(0.13, 5)
    assert not sharing(0.11, 5)
    # On two shanks with three channels each the far pairs are 50 µm apart: 0.29.
    assert sharing(0.3, 6, [0, 0, 0, 1, 1, 1])
    assert not sharing(0.28, 6, [0, 0, 0, 1, 1, 1])
    assert not sharing(0.5, 1)


def test_what_only_bad_channels_share_is_nothing():
    covariance = np.eye(20)
    covariance[15:, 15:] = covariance[:5, 15:] = covariance[15:, :5] = 1
    ok = np.arange(20) < 15
    assert shares_noise(covariance, line(20), np.ones(20, bool))
    assert not shares_noise(covariance, line(20), ok)


@pytest.mark.parametrize(("mode", "shared"), [("auto", True), ("median", False), ("none", True)])
def test_the_reference_is_for_detection_and_white_traces_need_none(mode, shared):
    rng = np.random.default_rng(0)
    traces = correlated_noise(90_000, 16)
    if shared:
        traces += (10 * rng.normal(size=(90_000, 1))).astype("f4")
    recording, front = fitted(traces, line(16), reference=mode)
    assert [len(group) for group in front.groups] == ([] if mode == "none" else [16])
    filtered = filter_tile(recording, Tile(index=0, start=0, stop=90_000), front, 0)
    looked_at = reference(filtered, front)
    assert np.allclose(noise_levels(looked_at), 1, atol=0.03)
    if front.groups:
        assert np.allclose(np.median(looked_at * front.referenced_noise_uv, axis=1), 0, atol=1e-3)
        assert (front.referenced_noise_uv < front.noise_uv).all()
    white = whiten(filtered, front)
    assert np.allclose(noise_levels(white), 1, atol=0.02)
    # Half of the variance of filtered traces was shared.
    far = np.corrcoef(filtered.T)[0, 8:].mean(), np.corrcoef(white.T)[0, 8:].mean()
    assert far[1] < (0.3 * far[0] if shared else 0.05)


def test_without_shared_noise_there_is_no_reference():
    _, front = fitted(correlated_noise(90_000, 16), line(16))
    assert front.groups == ()
    assert (front.referenced_noise_uv == front.noise_uv).all()


def test_covariance_of_pairs_is_taken_where_both_are_quiet():
    scaled = np.array([[1, 1], [-1, 1], [3, 50], [2, 0]], "f4")
    covariance = noise_covariance(scaled)
    assert np.allclose(covariance, [[(1 + 1 + 9 + 4) / 4, 0], [0, 2 / 3]])


def test_whitening_makes_the_noise_white_and_of_unit_height():
    geometry = line(12)
    recording, front = fitted(correlated_noise(90_000, 12), geometry, reference="none")
    tile = Tile(index=0, start=0, stop=90_000)
    white = whiten(filter_tile(recording, tile, front, 0), front)
    assert np.allclose(noise_levels(white), 1, atol=0.02)
    middle = np.corrcoef(white.T)[3:9, 3:9] - np.eye(6)
    assert np.abs(middle).max() < 0.1


def test_whitening_by_a_block_of_channels_is_the_whole_matrix_product():
    geometry = line(70)
    recording, front = fitted(correlated_noise(30_000, 70), geometry)
    traces = filter_tile(recording, Tile(index=0, start=0, stop=3000), front, 0)
    assert np.allclose(whiten(traces, front), traces @ front.whitening.T, atol=1e-4)


def test_shanks_are_whitened_apart():
    covariance = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    near = Geometry(positions_um=np.arange(8.0).reshape(4, 2), shank_index=[0, 0, 1, 1])
    matrix = local_whitening(covariance, near, np.ones(4, bool), WhitenConfig())
    assert (matrix[:2, 2:] == 0).all()
    assert (matrix[0, :2] != 0).all()


def test_whitening_off_leaves_the_good_channels_alone():
    ok = np.array([True, False, True])
    matrix = local_whitening(np.eye(3), line(3), ok, WhitenConfig(enabled=False))
    assert matrix.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_bad_channels_give_zeros_and_a_warning(caplog):
    traces = correlated_noise(30_000, 6)
    traces[:, 2] = 0
    recording, front = fitted(traces, line(6))
    assert front.channel_ok.tolist() == [True, True, False, True, True, True]
    assert "1 of 6 channels are left out, silent or far too noisy: 2" in caplog.text
    filtered = filter_tile(recording, Tile(index=0, start=0, stop=1000), front, 0)
    white = whiten(filtered, front)
    assert (white[:, 2] == 0).all()
    assert np.isfinite(white).all()
    assert front.scale[2] == 0


def test_the_gain_of_the_recording_does_not_matter():
    traces = correlated_noise(30_000, 6)
    whites = []
    for gain in (1, 64):
        recording, front = fitted(gain * traces, line(6))
        tile = filter_tile(recording, Tile(index=0, start=0, stop=1000), front, 0)
        whites.append(whiten(tile, front))
    assert np.allclose(*whites, atol=1e-4)


def test_a_tile_is_the_same_with_any_extra_samples():
    recording, front = fitted(correlated_noise(90_000, 6), line(6))
    tile = Tile(index=1, start=30_000, stop=33_000)
    narrow, wide = filter_tile(recording, tile, front, 10), filter_tile(recording, tile, front, 200)
    assert np.allclose(wide[190:-190], narrow, atol=1e-4)
