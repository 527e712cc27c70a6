"""The only conversions of units: between time and samples, and between measures of spread."""

from __future__ import annotations

MAD_TO_SD = 1 / 0.6745
"""Standard deviation of a normal distribution over its median absolute deviation, to the four
digits of Quiroga et al. (2004), equation 3.1, which SpikeForest and others use."""


def ms_to_samples(duration_ms: float, sampling_rate_hz: float) -> int:
    """Return the number of samples nearest to a duration.

    Examples
    --------
    >>> ms_to_samples(1.0, 30000.0)
    30
    """
    return round(duration_ms * 1e-3 * sampling_rate_hz)


def s_to_samples(duration_s: float, sampling_rate_hz: float) -> int:
    """Return the number of samples nearest to a duration in seconds."""
    return round(duration_s * sampling_rate_hz)


def samples_to_ms(n_samples: float, sampling_rate_hz: float) -> float:
    """Return the duration of a number of samples in milliseconds."""
    return n_samples / sampling_rate_hz * 1e3


def samples_to_s(n_samples: float, sampling_rate_hz: float) -> float:
    """Return the duration of a number of samples in seconds."""
    return n_samples / sampling_rate_hz
