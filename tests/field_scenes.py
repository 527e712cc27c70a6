"""Small recordings of kinds that users report, drawn from a seed; microvolt, 30 kHz."""

import numpy as np

from embersort.recording import ArrayRecording
from embersort.types import Geometry

RATE_HZ = 30_000
NOISE_UV = 10.0
REACH_UM = 28.0
"""At this distance a spike has half of its height."""


def column(n_channels, pitch_um=20.0):
    return np.stack([np.zeros(n_channels), pitch_um * np.arange(n_channels)], axis=1)


def noise(rng, n_samples, positions_um):
    """Noise that near channels and near samples share in part."""
    apart = np.abs(positions_um[:, None, 1] - positions_um[None, :, 1])
    mix = np.linalg.cholesky(np.exp(-apart / 30) + 1e-6 * np.eye(len(positions_um)))
    shared = rng.standard_normal((n_samples, len(positions_um))) @ mix.T
    shared[1:] = 0.8 * shared[1:] + 0.6 * shared[:-1]
    own = rng.standard_normal((n_samples, len(positions_um)))
    return NOISE_UV * (0.8 * shared + 0.6 * own)


def template(positions_um, place_um, peak_uv, width_ms, tail=0.3):
    """Shape (n_window, n_channels): a trough at 1 ms, then a slower hump."""
    time_ms = np.arange(75) / 30 - 1
    wave = -np.exp(-0.5 * (time_ms / width_ms) ** 2)
    wave += tail * np.exp(-0.5 * ((time_ms - 0.5) / (2 * width_ms)) ** 2)
    away = np.hypot(*(positions_um - np.asarray(place_um)).T)
    return np.outer(wave, peak_uv / (1 + (away / REACH_UM) ** 2))


def train(rng, rate_hz, start_s, stop_s):
    """Poisson but for a refractory period of 3 ms."""
    gaps = 0.003 + rng.exponential(1 / rate_hz - 0.003, int(2 * rate_hz * (stop_s - start_s)) + 20)
    time_s = start_s + 0.01 + np.cumsum(gaps)
    return np.round(time_s[time_s < stop_s - 0.01] * RATE_HZ).astype(np.int64)


def add(rng, traces, waveform, samples):
    """Add spikes, the height of each its own, with their trough at the samples."""
    for sample, height in zip(samples, 1 + 0.05 * rng.standard_normal(len(samples)), strict=True):
        traces[sample - 30 : sample + 45] += height * waveform


def recording_of(traces, positions_um):
    return ArrayRecording(
        traces=traces.astype(np.float32),
        sampling_rate_hz=RATE_HZ,
        geometry=Geometry(positions_um=positions_um),
    )
