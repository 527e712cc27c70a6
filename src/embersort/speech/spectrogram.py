"""Waveform to spectrogram and back, and the features that the network reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from embersort.config import Config

ComplexArray = NDArray[np.complex64]
Float32Array = NDArray[np.float32]


class SpectrogramConfig(Config):
    """The time-frequency grid; Hershey et al. 2016, section 3."""

    sampling_rate_hz: int = Field(8000, gt=0)
    """Rate to which every signal is brought."""
    window_samples: int = Field(256, ge=8)
    """Length of the analysis window, 32 ms at 8 kHz."""
    hop_samples: int = Field(64, ge=2)
    """Samples from one frame to the next, 8 ms at 8 kHz."""
    floor_db: float = Field(-40.0, lt=0)
    """Power, relative to the mean bin, below which features do not tell bins apart."""

    @model_validator(mode="after")
    def _four_hops_a_window(self) -> SpectrogramConfig:
        # With a squared-Hann overlap of 75 % the windows add up to a constant, so the inverse
        # is exact everywhere.
        if self.window_samples != 4 * self.hop_samples:
            raise ValueError("window_samples must be 4 times hop_samples")
        return self

    @property
    def n_frequencies(self) -> int:
        """Number of frequency bins, from 0 Hz to half the sampling rate."""
        return self.window_samples // 2 + 1

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second."""
        return self.sampling_rate_hz / self.hop_samples


DEFAULT_SPECTROGRAM = SpectrogramConfig()

_WINDOW_POWER = 2.0
"""Sum of the squared windows that cover a sample, at four hops a window."""


def stft(signal: Float32Array, config: SpectrogramConfig = DEFAULT_SPECTROGRAM) -> ComplexArray:
    """Return the spectrogram of a signal.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,), float32
    config : SpectrogramConfig

    Returns
    -------
    ndarray, shape (n_frames, n_frequencies), complex64
        Every sample lies under four windows; ``n_frames`` is `n_frames_of` the length.
    """
    n_frames = n_frames_of(len(signal), config)
    edge = config.window_samples - config.hop_samples
    padded = np.zeros((n_frames - 1) * config.hop_samples + config.window_samples, np.float32)
    padded[edge : edge + len(signal)] = signal
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.window_samples)
    return np.fft.rfft(frames[:: config.hop_samples] * _window(config)).astype(np.complex64)


def istft(
    spectrogram: ComplexArray, n_samples: int, config: SpectrogramConfig = DEFAULT_SPECTROGRAM
) -> Float32Array:
    """Return the signal of a spectrogram: the exact inverse of `stft`, by overlap-add.

    Parameters
    ----------
    spectrogram : ndarray, shape (n_frames, n_frequencies), complex64
    n_samples : int
        Length of the signal, as given to `stft`.
    """
    frames = np.fft.irfft(spectrogram, config.window_samples).astype(np.float32)
    frames *= _window(config) / np.float32(_WINDOW_POWER)
    hop = config.hop_samples
    quarters = frames.reshape(len(frames), 4, hop)
    padded = np.zeros((len(frames) + 3, hop), np.float32)
    for quarter in range(4):
        padded[quarter : quarter + len(frames)] += quarters[:, quarter]
    edge = config.window_samples - hop
    return padded.reshape(-1)[edge : edge + n_samples]


def n_frames_of(n_samples: int, config: SpectrogramConfig = DEFAULT_SPECTROGRAM) -> int:
    """Return the number of frames of a signal."""
    return -(-n_samples // config.hop_samples) + 3


def log_features(
    spectrogram: ComplexArray, config: SpectrogramConfig = DEFAULT_SPECTROGRAM
) -> Float32Array:
    """Return log power relative to the mean bin of the recording, floored softly.

    Parameters
    ----------
    spectrogram : ndarray, shape (n_frames, n_frequencies), complex64
        Of a whole recording: the mean is what makes the features independent of its gain.

    Returns
    -------
    ndarray, shape (n_frames, n_frequencies), float32
        In bel; ``floor_db / 10`` where there is silence.
    """
    power = np.square(np.abs(spectrogram))
    mean = power.mean(dtype=np.float64) if power.size else 0.0
    relative = power / np.float32(mean) if mean > 0 else power
    return np.log10(relative + np.float32(10 ** (config.floor_db / 10)))


def _window(config: SpectrogramConfig) -> Float32Array:
    """Return the square root of the periodic Hann window."""
    phase = np.arange(config.window_samples) * (np.pi / config.window_samples)
    return np.sin(phase).astype(np.float32)
