"""Noise has the level, colour and correlation that were asked for, and no seams."""

from __future__ import annotations

import numpy as np
import pytest

import naive_simulate as naive
from embersort.simulate.artefacts import draw_artefacts
from embersort.simulate.band import band_gain, band_pass, band_troughs, noise_std
from embersort.simulate.noise import NoiseConfig, _colour_and_mix, build_noise, noise_tile
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
