"""Noise has the level, colour and correlation that were asked for, and no seams."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

import naive_simulate as naive
from embersort.simulate.artefacts import draw_artefacts
from embersort.simulate.band import band_gain, band_pass, band_troughs, noise_std
from embersort.simulate.noise import NoiseConfig, _colour_and_mix, build_noise, noise_tile
from embersort.simulate.normals import LARGEST, PAIRS, hashed_normals
from embersort.types import Geometry

RATE_HZ = 30000.0
LINE = Geometry(positions_um=np.column_stack([np.zeros(6), 20.0 * np.arange(6)]))


def tiles(config: NoiseConfig, n_tiles: int, n_samples: int = 8192, geometry: Geometry = LINE):
    model = build_noise(config, geometry, RATE_HZ, np.random.default_rng(1))
    return np.concatenate([noise_tile(model, i, n_samples, RATE_HZ) for i in range(n_tiles)])


@pytest.mark.parametrize("white_share", [0.0, 0.3, 1.0])
def test_level_within_the_band(white_share):
    noise = tiles(NoiseConfig(level_uv=12, white_share=white_share), 12)
    assert noise_std(noise, RATE_HZ) == pytest.approx(np.full(6, 12.0), rel=0.04)


def test_near_channels_correlate_as_asked():
    noise = tiles(NoiseConfig(white_share=0.0, correlation_um=40.0), 20)
    correlation = np.corrcoef(noise.T)
    assert correlation[0, 1] == pytest.approx(np.exp(-0.5), abs=0.06)
    assert correlation[0, 3] == pytest.approx(np.exp(-1.5), abs=0.08)


def test_without_correlation_channels_are_independent():
    noise = tiles(NoiseConfig(correlation_um=0.0), 12)
    off_diagonal = np.corrcoef(band_pass(noise, RATE_HZ).T)[~np.eye(6, dtype=bool)]
    assert np.abs(off_diagonal).max() < 0.03


def test_power_falls_with_frequency():
    noise = tiles(NoiseConfig(white_share=0.0, exponent=2.0), 12)[:, 0]
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(len(noise), 1 / RATE_HZ)

    def mean(low, high):
        return power[(frequency > low) & (frequency < high)].mean()

    # 1/f²: four times the frequency, a sixteenth of the power.
    assert mean(900, 1100) / mean(3800, 4200) == pytest.approx(16, rel=0.25)


def test_no_seam_between_tiles():
    many = tiles(NoiseConfig(white_share=0.0, exponent=2.0), 3000, n_samples=64)[:, 0]
    step = np.diff(many)
    at_seams, elsewhere = step[63::64], np.delete(step, np.arange(63, len(step), 64))
    assert at_seams.std() == pytest.approx(elsewhere.std(), rel=0.05)


def test_white_part_is_independent_of_the_coloured_part():
    only_white = tiles(NoiseConfig(white_share=1.0), 20)[:, 0]
    only_coloured = tiles(NoiseConfig(white_share=0.0), 20)[:, 0]
    spectrum = np.fft.rfft(only_white) * np.conj(np.fft.rfft(only_coloured))
    correlation = np.fft.irfft(spectrum) / (
        len(only_white) * only_white.std() * only_coloured.std()
    )
    assert np.abs(correlation).max() < 6 / np.sqrt(len(only_white))


def test_kernel_equals_its_slow_twin():
    model = build_noise(NoiseConfig(), LINE, RATE_HZ, np.random.default_rng(0))
    drawn = np.random.default_rng(2).standard_normal((6, 600 + len(model.taps) - 1), np.float32)
    fast = np.zeros((600, 6), np.float32)
    white = np.float32(model.white_uv)
    _colour_and_mix(drawn, model.taps, model.sources, model.weights, white, fast)
    slow = naive.coloured_noise(drawn, model.taps, model.sources, model.weights, white, 600)
    assert fast == pytest.approx(slow, abs=1e-3)


def test_hum_has_its_amplitude_and_frequency():
    noise = tiles(NoiseConfig(level_uv=0, hum_uv=30, hum_hz=50), 8)
    spectrum = np.abs(np.fft.rfft(noise[:60000, 0])) / 30000
    assert spectrum.argmax() == 100
    assert 0.7 * 30 <= spectrum[100] <= 1.3 * 30
    assert spectrum[200] == pytest.approx(spectrum[100] / 2, rel=1e-3)


def test_silence():
    assert not tiles(NoiseConfig(level_uv=0), 2).any()


def test_artefacts_are_the_same_in_any_slice():
    artefacts = draw_artefacts(60, 300, 3, 10.0, np.random.default_rng(4))
    whole = np.zeros((300000, 3), np.float32)
    artefacts.add_to(whole, 0, RATE_HZ)
    part = np.zeros((5000, 3), np.float32)
    start = int(artefacts.onset_s[2] * RATE_HZ) - 1000
    artefacts.add_to(part, start, RATE_HZ)
    assert np.abs(part).max() > 10
    assert np.array_equal(part, whole[start : start + 5000])


def test_gain_of_white_noise_is_that_of_the_filter():
    white = np.random.default_rng(0).standard_normal((300000, 1))
    assert band_gain(np.ones(1), RATE_HZ) == pytest.approx(
        band_pass(white, RATE_HZ).std(), rel=0.01
    )


def test_troughs_in_the_band_are_those_of_the_filtered_waveform():
    wave = np.zeros((151, 2))
    wave[:, 0] = -50 * np.exp(-0.5 * ((np.arange(151) - 45) / 4) ** 2)
    wave[:, 1] = 3 * wave[:, 0]
    padded = np.pad(wave, ((400, 400), (0, 0)))
    expected = -band_pass(padded, RATE_HZ).min(axis=0)
    assert band_troughs(wave, RATE_HZ) == pytest.approx(expected, rel=1e-3)


def test_hashed_noise_has_the_level_colour_and_seams_of_the_other():
    hashed = NoiseConfig(generator="hashed", level_uv=12, exponent=2.0)
    noise = tiles(hashed, 12)
    assert noise_std(noise, RATE_HZ) == pytest.approx(np.full(6, 12.0), rel=0.04)
    other = tiles(hashed.model_copy(update={"generator": "philox"}), 12)
    assert not np.array_equal(noise, other)
    assert np.corrcoef(noise.T) == pytest.approx(np.corrcoef(other.T), abs=0.03)
    many = tiles(hashed.model_copy(update={"white_share": 0.0}), 3000, n_samples=64)[:, 0]
    step = np.diff(many)
    at_seams, elsewhere = step[63::64], np.delete(step, np.arange(63, len(step), 64))
    assert at_seams.std() == pytest.approx(elsewhere.std(), rel=0.05)


def test_hashed_normals_equal_their_slow_twin():
    for n in (0, 1, 2 * PAIRS, 2 * PAIRS + 7):
        fast = hashed_normals(11, 5, n)
        assert fast.dtype == np.float32
        assert fast == pytest.approx(naive.hashed_normals(11, 5, n), abs=2e-5)


def test_fewer_hashed_normals_are_the_same_and_every_stream_is_another():
    many = hashed_normals(3, 4, 5000)
    assert np.array_equal(hashed_normals(3, 4, 1500), many[:1500])
    for key, stream in ((4, 4), (3, 5), (2**63 - 1, 4)):
        assert abs(np.corrcoef(many, hashed_normals(key, stream, 5000))[0, 1]) < 0.07


def test_hashed_normals_are_normal_far_into_the_tails():
    n = 4_000_000
    x = np.concatenate([hashed_normals(9, stream, n // 16) for stream in range(16)]).astype(float)
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / n)
    assert kstest(x, "norm").pvalue > 1e-3
    for limit in (2.0, 3.0, 4.0, 4.5):
        expected = norm.sf(limit) * n
        for tail in (x > limit, x < -limit):
            assert abs(tail.sum() - expected) < 5 * np.sqrt(expected)
    assert 4.8 < np.abs(x).max() < LARGEST


def test_hashed_normals_do_not_depend_on_each_other():
    n = 2_000_000
    x = hashed_normals(1, 2, n).astype(float)
    for lag in (1, 2, 7, 31, 32, PAIRS - 1, PAIRS, PAIRS + 1, 2 * PAIRS, 8192, 65536):
        near, far = x[:-lag], x[lag:]
        assert abs((near * far).mean()) < 5 / np.sqrt(n)
        # Nor do their squares: cosine and sine of one pair share a radius.
        assert abs(((near**2 - 1) * (far**2 - 1)).mean()) < 5 * 2 / np.sqrt(n)
