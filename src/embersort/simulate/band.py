"""The band in which spikes are measured: noise level and SNR of a scene refer to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt, sosfreqz

from embersort.types import FloatArray

BAND_HZ = (300.0, 6000.0)
"""The usual band of spike sorting; SNR in SpikeForest is measured in it."""
BAND_ORDER = 3
NYQUIST_SHARE = 0.9
"""The upper edge stays below this share of half the sampling rate."""
MAD_TO_STD = 1 / 0.6745
"""Standard deviation of a Gaussian over its median absolute deviation."""
N_FREQUENCIES = 8192


def band_pass(traces: FloatArray, sampling_rate_hz: float) -> NDArray[np.float64]:
    """Return the traces (time first) within 300–6000 Hz, filtered forward and backward."""
    padding = min(len(traces) - 1, round(0.01 * sampling_rate_hz))
    return sosfiltfilt(_sections(sampling_rate_hz), traces, axis=0, padlen=padding)


def band_gain(taps: FloatArray, sampling_rate_hz: float) -> float:
    """Return the standard deviation, in the band, of white noise of variance 1 sent through taps.

    Parameters
    ----------
    taps : ndarray, shape (n_taps,)
        Impulse response of the filter that colours the noise; one tap of 1 leaves it white.
    """
    frequency_hz, response = sosfreqz(
        _sections(sampling_rate_hz), worN=N_FREQUENCIES, fs=sampling_rate_hz
    )
    # Forward and backward: the gain of the band-pass is squared.
    passed = np.abs(response) ** 2
    angle = -2j * np.pi * np.outer(frequency_hz / sampling_rate_hz, np.arange(len(taps)))
    coloured = np.abs(np.exp(angle) @ np.asarray(taps, np.float64))
    return float(np.sqrt(np.mean((passed * coloured) ** 2)))


def noise_std(traces: FloatArray, sampling_rate_hz: float) -> NDArray[np.float64]:
    """Return each channel's noise in the band: MAD / 0.6745, shape (n_channels,)."""
    filtered = band_pass(traces, sampling_rate_hz)
    return np.median(np.abs(filtered - np.median(filtered, axis=0)), axis=0) * MAD_TO_STD


def _sections(sampling_rate_hz: float) -> NDArray[np.float64]:
    high_hz = min(BAND_HZ[1], NYQUIST_SHARE * sampling_rate_hz / 2)
    return butter(BAND_ORDER, (BAND_HZ[0], high_hz), "bandpass", fs=sampling_rate_hz, output="sos")
