"""The only conversions between physical units and samples."""

from __future__ import annotations


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
