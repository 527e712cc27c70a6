"""Movement artefacts: rare, large, slow deflections on all channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray

DURATION_S = (0.03, 0.3)
"""Shortest and longest artefact (log-uniform)."""
SLOW_HZ, FAST_HZ = (4.0, 40.0), (200.0, 1500.0)
"""Frequencies of an artefact's slow and fast part."""
FAST_SHARE = 0.15
"""Height of the fast part, which survives the band-pass, beside the slow one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Artefacts:
    """Artefacts of a recording, in order of time.

    Attributes
    ----------
    onset_s, duration_s, height_uv : ndarray, shape (n_artefacts,)
    frequency_hz, phase_rad : ndarray, shape (n_artefacts, 2)
        Of the slow and the fast part.
    gain : ndarray, shape (n_artefacts, n_channels)
    """

    onset_s: FloatArray
    duration_s: FloatArray
    height_uv: FloatArray
    frequency_hz: FloatArray
    phase_rad: FloatArray
    gain: FloatArray

    def add_to(
        self, traces: NDArray[np.float32], start_sample: int, sampling_rate_hz: float
    ) -> None:
        """Add to the traces, in place, every artefact that reaches into them."""
        times_s = (start_sample + np.arange(len(traces))) / sampling_rate_hz
        ends_s = self.onset_s + self.duration_s
        here = (self.onset_s <= times_s[-1]) & (ends_s >= times_s[0])
        for i in np.flatnonzero(here):
            share = (times_s - self.onset_s[i]) / self.duration_s[i]
            inside = (share > 0) & (share < 1)
            envelope = self.height_uv[i] * np.sin(np.pi * share[inside]) ** 2
            angle = 2 * np.pi * np.outer(times_s[inside], self.frequency_hz[i]) + self.phase_rad[i]
            wave = envelope * (np.sin(angle) @ np.array([1.0, FAST_SHARE]))
            traces[inside] += np.outer(wave, self.gain[i]).astype(np.float32)


def draw_artefacts(
    per_min: float, height_uv: float, n_channels: int, duration_s: float, rng: np.random.Generator
) -> Artefacts:
    """Draw the artefacts of a recording.

    Parameters
    ----------
    per_min : float
        Mean number per minute.
    height_uv : float
        Median height of the slow part; heights are log-normal.
    """
    n = int(rng.poisson(per_min * duration_s / 60))
    slow_hz, fast_hz = _log_uniform(SLOW_HZ, n, rng), _log_uniform(FAST_HZ, n, rng)
    return Artefacts(
        onset_s=np.sort(rng.uniform(0, duration_s, n)),
        duration_s=_log_uniform(DURATION_S, n, rng),
        height_uv=height_uv * rng.lognormal(0, 0.5, n),
        frequency_hz=np.stack([slow_hz, fast_hz], axis=1),
        phase_rad=rng.uniform(0, 2 * np.pi, (n, 2)),
        gain=rng.uniform(0.7, 1.3, (n, n_channels)),
    )


def _log_uniform(
    span: tuple[float, float], n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    return np.exp(rng.uniform(np.log(span[0]), np.log(span[1]), n))
