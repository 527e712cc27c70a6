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

LARGEST_RADIUS = 1.0 - 1e-12
"""Poles of a settling filter lie within this."""

REAL = 1e-12
"""A pole's imaginary part below this is rounding."""

LONGEST_SETTLE_S = 5.0
"""Every tile is read with so much on either side; more would take all time and memory."""

ORDER = 3
"""Order of the Butterworth filter, run forward and backward: a convention of the field."""

SETTLE_LEVEL = 1e-6
"""A filter has settled when its impulse response has decayed to this share of its peak."""


def design_bandpass(
    config: FilterConfig, sampling_rate_hz: float, order: int = ORDER
) -> FloatArray:
    """Return second-order sections of the Butterworth band-pass.

    A low-pass of poles on the unit circle becomes a band-pass (s → (s² + ω₁ω₂) / (s (ω₂ - ω₁)))
    and is brought to samples by the bilinear transform (Oppenheim and Schafer, Discrete-Time
    Signal Processing, sections 7.1 and B.1). SciPy's design is the same, but loading its signal
    package takes longer than the rest of a start.

    Returns
    -------
    ndarray, shape (n_sections, 6), float64
        In the order of `scipy.signal`: b0, b1, b2, 1, a1, a2.

    Raises
    ------
    BadConfig
        If no band is left below the Nyquist frequency.
    """
    high_hz = min(config.high_hz, NYQUIST_SHARE * sampling_rate_hz / 2)
    if config.low_hz >= high_hz:
        raise BadConfig(
            f"filter.low_hz is {config.low_hz:g}, but at a sampling rate of "
            f"{sampling_rate_hz:g} Hz the band ends at {high_hz:g} Hz; lower it"
        )
    # The bilinear transform bends frequencies; edges are moved so that they come out right.
    low, high = np.tan(np.pi * np.array([config.low_hz, high_hz]) / sampling_rate_hz)
    return np.array(
        [
            _section(pair, high - low)
            for pole in _upper_poles(order)
            for pair in _band_pairs(complex(pole), float(low), float(high))
        ]
    )


def _upper_poles(order: int) -> NDArray[np.complex128]:
    """Return the poles of the analogue low-pass of edge 1, of each conjugate pair one."""
    turns = (2 * np.arange((order + 1) // 2) + 1 + order) / (2 * order)
    poles = np.exp(1j * np.pi * turns)
    # The middle one of an odd order is real.
    return np.where(np.abs(poles.imag) < REAL, poles.real, poles)


def _band_pairs(pole: complex, low: float, high: float) -> list[tuple[complex, complex]]:
    """Return the pairs of digital poles, each of a real section, that a low-pass pole becomes."""
    middle = pole * (high - low) / 2
    apart = np.sqrt(middle * middle - low * high + 0j)
    first, second = ((1 + s) / (1 - s) for s in (middle + apart, middle - apart))
    if pole.imag == 0:
        return [(first, second)]
    return [(first, first.conjugate()), (second, second.conjugate())]


def _section(poles: tuple[complex, complex], width: float) -> list[float]:
    """Return the coefficients of one section, with zeros at no and at half the sampling rate."""
    first, second = poles
    # Each factor s - p of the analogue filter leaves its 1 - p = 2 / (1 + z) behind.
    gain = width * ((1 + first) * (1 + second)).real / 4
    return [gain, 0.0, -gain, 1.0, -(first + second).real, (first * second).real]


def settle_samples(sos: FloatArray) -> int:
    """Return after how many samples the filter's response to an impulse has died away.

    The slowest pole of radius r decays as r^n (Oppenheim and Schafer, Discrete-Time Signal
    Processing, section 5.3).
    """
    radius = max(float(np.abs(np.roots(section[3:])).max()) for section in sos)
    # Of a band near nothing, a pole may round on to the circle or beyond, where nothing decays.
    return math.ceil(math.log(SETTLE_LEVEL) / math.log(min(radius, LARGEST_RADIUS)))


def check_settling(config: FilterConfig, settle_s: float) -> None:
    """Refuse a band whose filter takes too long to settle.

    Raises
    ------
    BadConfig
        If it settles after more than `LONGEST_SETTLE_S`.
    """
    if settle_s > LONGEST_SETTLE_S:
        raise BadConfig(
            f"a filter from filter.low_hz = {config.low_hz:g} to filter.high_hz = "
            f"{config.high_hz:g} Hz of order {ORDER} settles after {settle_s:.0f} s, more "
            f"than {LONGEST_SETTLE_S:g} s; raise filter.low_hz or widen the band"
        )


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
