"""Voices made of harmonics: gliding pitch, a formant envelope, syllables with pauses."""

from __future__ import annotations

import numpy as np

RATE_HZ = 8000


def harmonic_voice(pitch_hz, formants_hz, seed, duration_s=4.0):
    """Return a voice, shape (n_samples,), float32."""
    rng = np.random.default_rng(seed)
    n_samples = int(duration_s * RATE_HZ)
    time_s = np.arange(n_samples) / RATE_HZ
    glide = np.interp(
        time_s,
        np.arange(0, duration_s + 1, 0.25),
        rng.normal(0, 0.06, 99)[: int(4 * (duration_s + 1))],
    )
    phase = 2 * np.pi * np.cumsum(pitch_hz * np.exp(glide)) / RATE_HZ
    voice = np.zeros(n_samples)
    for harmonic in range(1, int(3600 / pitch_hz)):
        frequency_hz = harmonic * pitch_hz
        envelope = sum(np.exp(-(((frequency_hz - f) / 250) ** 2)) for f in formants_hz) + 0.02
        voice += envelope * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    syllables = rng.random(int(duration_s * 4) + 2) < 0.75
    gate = np.interp(time_s * 4, np.arange(len(syllables)), syllables)
    return (voice * gate).astype(np.float32)


def two_voices(duration_s=4.0):
    """Return a low and a high voice, shape (2, n_samples), at one level."""
    low = harmonic_voice(105.0, (550, 1100, 2400), 1, duration_s)
    high = harmonic_voice(235.0, (800, 1600, 2900), 2, duration_s)
    return np.stack([voice / np.sqrt(np.mean(voice**2)) * 0.1 for voice in (low, high)])
