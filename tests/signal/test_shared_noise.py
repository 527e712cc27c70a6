import numpy as np
import pytest

from embersort.config import FilterConfig, RunConfig, WhitenConfig
from embersort.recording import ArrayRecording
from embersort.signal.preprocess import filter_tile, fit_preprocessor, whiten
from embersort.signal.shared_noise import (
    SharedNoise,
    fit_shared_noise,
    shared_gains,
    subtract_shared_noise,
)
from embersort.signal.tiles import Tile
from embersort.signal.whiten import noise_covariance, noise_levels
from embersort.types import Geometry

N_SAMPLES = 60_000
GROUPS = Geometry(
    positions_um=np.stack([np.arange(12.0), np.zeros(12)], axis=1),
    shank_index=np.repeat([0, 1, 2], 4),
)
GAINS = np.linspace(0.8, 1.3, 12)


def traces_of(rng, height, gains=GAINS):
    shared = rng.standard_normal((N_SAMPLES, 1)) * height * gains
    return (shared + rng.standard_normal((N_SAMPLES, len(gains)))).astype("f4")


def fitted(traces, geometry=GROUPS):
    noise = traces.std(axis=0)
    scaled = (traces / noise).astype("f4")
    ok = np.ones(traces.shape[1], bool)
    return fit_shared_noise(scaled, noise_covariance(scaled), geometry, noise, ok)


def test_the_gains_are_those_whose_products_make_the_covariance():
    far = GROUPS.distances_um() > 100
    covariance = np.outer(GAINS, GAINS)
    # What near channels share besides does not count.
    covariance[~far] += 5
    assert np.allclose(shared_gains(covariance, far), GAINS, rtol=1e-6)


def test_what_is_shared_is_taken_off_at_each_gain():
    traces = traces_of(np.random.default_rng(0), 6)
    shared = fitted(traces)
    assert np.allclose(shared.gains_uv / GAINS, 6, rtol=0.03)
    left = subtract_shared_noise(traces, shared)
    # A median of twelve has a variance of about an eighth of theirs.
    assert left.std(axis=0).max() < 1.15


def test_a_spike_that_few_channels_see_stays():
    shared = SharedNoise(channels=np.arange(12), gains_uv=GAINS.astype("f4"))
    traces = (7 * GAINS + np.zeros((1, 12))).astype("f4")
    traces[0, :4] -= 100
    expected = np.zeros(12)
    expected[:4] = -100
    assert np.allclose(subtract_shared_noise(traces, shared)[0], expected, atol=1e-4)
    assert traces[0, 5] == np.float32(7 * GAINS[5])


def test_channels_that_hardly_share_it_are_left_as_they_are():
    gains = GAINS.copy()
    gains[5] = 0
    traces = traces_of(np.random.default_rng(1), 6, gains)
    shared = fitted(traces)
    assert shared.channels.tolist() == [c for c in range(12) if c != 5]
    assert (subtract_shared_noise(traces, shared)[:, 5] == traces[:, 5]).all()


@pytest.mark.parametrize("height", [0.0, 0.7])
def test_little_in_common_is_no_shared_noise(height):
    assert fitted(traces_of(np.random.default_rng(2), height)) is None


def test_near_channels_alone_have_no_shared_noise():
    near = Geometry(positions_um=np.stack([np.zeros(12), 8.0 * np.arange(12)], axis=1))
    assert fitted(traces_of(np.random.default_rng(3), 6), near) is None


def test_seven_channels_are_too_few():
    rng = np.random.default_rng(4)
    seven = Geometry(positions_um=np.stack([np.zeros(7), 300.0 * np.arange(7)], axis=1))
    assert fitted(traces_of(rng, 6, GAINS[:7]), seven) is None


@pytest.mark.parametrize(("mode", "removed"), [("auto", True), ("none", False)])
def test_filtered_and_white_traces_come_without_it_where_that_is_chosen(mode, removed):
    traces = 10 * traces_of(np.random.default_rng(5), 6)
    recording = ArrayRecording(traces=traces, sampling_rate_hz=30_000, geometry=GROUPS)
    front = fit_preprocessor(
        recording, FilterConfig(reference=mode), WhitenConfig(), RunConfig(n_workers=1)
    )
    assert (front.shared is not None) == removed
    filtered = filter_tile(recording, Tile(index=0, start=0, stop=N_SAMPLES), front, 0)
    far = np.corrcoef(filtered.T)[:4, 4:].mean()
    assert abs(far) < 0.1 if removed else far > 0.9
    assert np.allclose(noise_levels(filtered), front.noise_uv, rtol=0.03)
    assert np.allclose(noise_levels(whiten(filtered, front)), 1, atol=0.03)
