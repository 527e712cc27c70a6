"""The band in which spikes are measured: noise level and SNR of a scene refer to it."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt, sosfreqz

from embersort.types import FloatArray
from embersort.units import MAD_TO_SD

BAND_HZ = (300.0, 6000.0)
"""The usual band of spike sorting; SNR in SpikeForest is measured in it."""
BAND_ORDER = 3
NYQUIST_SHARE = 0.9
"""The upper edge stays below this share of half the sampling rate."""
SETTLE_S = 0.01
"""The filter has settled after this long."""
N_FREQUENCIES = 8192


def band_pass(traces: FloatArray, sampling_rate_hz: float) -> NDArray[np.float64]:
    """Return the traces (time first) within 300–6000 Hz, filtered forward and backward."""
    padding = min(len(traces) - 1, round(SETTLE_S * sampling_rate_hz))
    return sosfiltfilt(_sections(sampling_rate_hz), traces, axis=0, padlen=padding)


def band_troughs(waveforms: FloatArray, sampling_rate_hz: float) -> NDArray[np.float64]:
    """Return the depth of each waveform's trough within 300–6000 Hz, as a positive number.

    Parameters
    ----------
    waveforms : ndarray, shape (n_window, n_waveforms)
        Zero before and after the window.

    Notes
    -----
    The same zero-phase filter as ``band_pass``, as a product in frequency.
    """
    n_window = len(waveforms)
    n_fft = 1 << int(np.ceil(np.log2(n_window + 2 * SETTLE_S * sampling_rate_hz)))
    spectrum = np.fft.rfft(waveforms, n_fft, axis=0)
    spectrum *= _power_response(sampling_rate_hz, n_fft)[:, None]
    # Filtering forward and backward also spreads to before the window: it wraps to the end.
    return -np.fft.irfft(spectrum, n_fft, axis=0).min(axis=0)


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
    return np.median(np.abs(filtered - np.median(filtered, axis=0)), axis=0) * MAD_TO_SD


@functools.lru_cache(maxsize=16)
def _power_response(sampling_rate_hz: float, n_fft: int) -> NDArray[np.float64]:
    """Return the band-pass's gain at the frequencies of a real transform: its square, both ways."""
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / sampling_rate_hz)
    _, response = sosfreqz(_sections(sampling_rate_hz), worN=frequency_hz, fs=sampling_rate_hz)
    return np.abs(response) ** 2


@functools.lru_cache(maxsize=16)
def _sections(sampling_rate_hz: float) -> NDArray[np.float64]:
    high_hz = min(BAND_HZ[1], NYQUIST_SHARE * sampling_rate_hz / 2)
    return butter(BAND_ORDER, (BAND_HZ[0], high_hz), "bandpass", fs=sampling_rate_hz, output="sos")
