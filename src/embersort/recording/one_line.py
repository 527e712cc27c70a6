"""A recording in one line, for whoever looks at it in a Python session."""

from __future__ import annotations

from embersort.types import Recording


def one_line(recording: Recording) -> str:
    """Return kind, channels, length, sampling rate and unit of a recording.

    Cheap: nothing is read.
    """
    name, rate_hz = type(recording).__name__, recording.sampling_rate_hz
    unit = getattr(recording, "unit", "")
    return (
        f"<{name}: {recording.geometry.n_channels} channels, {recording.n_samples / rate_hz:.1f} s "
        f"at {rate_hz:g} Hz{f', {unit}' if unit else ''}>"
    )
