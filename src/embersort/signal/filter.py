"""Zero-phase Butterworth band-pass filter, one tile at a time."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import FilterConfig
from embersort.errors import BadConfig
from embersort.types import FloatArray

NYQUIST_SHARE = 0.9
"""The upper edge never exceeds this share of the Nyquist frequency."""

SETTLE_LEVEL = 1e-6
"""A filter has settled when its impulse response has decayed to this share of its peak."""


def design_bandpass(config: FilterConfig, sampling_rate_hz: float) -> FloatArray:
    """Return second-order sections of the Butterworth band-pass.

    Returns
    -------
    ndarray, shape (n_sections, 6), float64
        As `scipy.signal.butter(..., output="sos")` gives them.

    Raises
    ------
    BadConfig
        If no band is left below the Nyquist frequency.
    """
    # Imported here: SciPy's signal package takes longer to load than the rest of a start.
    from scipy.signal import butter

    high_hz = min(config.high_hz, NYQUIST_SHARE * sampling_rate_hz / 2)
    if config.low_hz >= high_hz:
        raise BadConfig(
            f"filter.low_hz is {config.low_hz:g}, but at a sampling rate of "
            f"{sampling_rate_hz:g} Hz the band ends at {high_hz:g} Hz; lower it"
        )
    return butter(
        config.order, (config.low_hz, high_hz), "bandpass", fs=sampling_rate_hz, output="sos"
    )


def settle_samples(sos: FloatArray) -> int:
    """Return after how many samples the filter's response to an impulse has died away.

    The slowest pole of radius r decays as r^n (Oppenheim and Schafer, Discrete-Time Signal
    Processing, section 5.3).
    """
    radius = max(float(np.abs(np.roots(section[3:])).max()) for section in sos)
    return math.ceil(math.log(SETTLE_LEVEL) / math.log(radius))


def bandpass(traces: NDArray[np.float32], sos: FloatArray) -> NDArray[np.float32]:
    """Filter forward and backward along time.

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels), float32
        Left as they are.
    sos : ndarray, shape (n_sections, 6), float64

    Returns
    -------
    ndarray, shape (n_samples, n_channels), float32
        Equal to `scipy.signal.sosfiltfilt` without padding, to float32 precision (the state is
        float64). Both ends are wrong by the filter's settling: give it a margin.

    Notes
    -----
    O(n_samples · n_channels · n_sections); channels are the SIMD lanes.
    """
    filtered = np.array(traces, dtype=np.float32, order="C")
    _run_sections(filtered, np.ascontiguousarray(sos, dtype=np.float64))
    return filtered


@njit(nogil=True, cache=True, error_model="numpy")
def _run_sections(x: NDArray[np.float32], sos: FloatArray) -> None:
    """Run the cascade over ``x`` in place, forward then backward (direct form II transposed)."""
    n_samples, n_channels = x.shape
    n_sections = sos.shape[0]
    z1 = np.empty((n_sections, n_channels))
    z2 = np.empty((n_sections, n_channels))
    row = np.empty(n_channels)
    for direction in range(2):
        z1[:] = 0.0
        z2[:] = 0.0
        for step in range(n_samples):
            t = step if direction == 0 else n_samples - 1 - step
            for c in range(n_channels):
                row[c] = x[t, c]
            for s in range(n_sections):
                b0, b1, b2 = sos[s, 0], sos[s, 1], sos[s, 2]
                a1, a2 = sos[s, 4], sos[s, 5]
                z1s, z2s = z1[s], z2[s]
                for c in range(n_channels):
                    value = row[c]
                    out = b0 * value + z1s[c]
                    z1s[c] = b1 * value - a1 * out + z2s[c]
                    z2s[c] = b2 * value - a2 * out
                    row[c] = out
            for c in range(n_channels):
                x[t, c] = row[c]
