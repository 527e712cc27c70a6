"""What can be measured of any unit in a recording: size, rate, refractoriness, presence."""

from __future__ import annotations

from typing import Any

import numpy as np

from embersort.benchmark.exchange import StoredRecording
from embersort.spike_pairs import short_intervals
from embersort.types import FloatArray, IntArray, Sorting
from embersort.units import MAD_TO_SD

BAND_HZ = (300.0, 6000.0)
"""Band in which SNR is measured (SpikeForest)."""
FILTER_ORDER = 3
NOISE_SECONDS = 20
"""Seconds of recording, evenly spread, from which noise is measured."""
MAX_SPIKES = 500
"""Spikes of a unit that are averaged into its template."""
TEMPLATE_MS = 2.0
"""Length of that template, centred on the spike."""
PRESENCE_BINS = 20
"""Parts of the recording in which a unit may be present or not."""


def measure_units(stored: StoredRecording, sorting: Sorting) -> dict[str, Any]:
    """Measure every unit of a sorting, true or found.

    Returns
    -------
    dict
        Columns with one entry per unit: ``unit_id``, ``n_spikes``,
        ``rate_hz``, ``snr`` (SpikeForest: the size of the template's peak over
        the noise of its channel), ``peak_channel``, ``violation_share``
        (intervals below 1.5 ms), ``presence_ratio`` (of 20 parts of the
        recording, those with a spike).

    Notes
    -----
    Reads at most 500 snippets per unit.
    """
    counts = sorting.spike_counts()
    noise = noise_counts(stored)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("snr", "peak_channel", "violation_share", "presence_ratio")
    }
    for train in sorting.trains() if sorting.n_units else []:
        size = np.abs(template_counts(stored, train)).max(axis=0)
        peak = int(size.argmax())
        short = short_intervals(train, stored.sampling_rate_hz)
        part = train * PRESENCE_BINS // max(1, stored.n_samples)
        columns["peak_channel"].append(peak)
        columns["snr"].append(round(float(size[peak] / noise[peak]), 4))
        columns["violation_share"].append(round(float(short.mean()), 6) if len(short) else 0.0)
        columns["presence_ratio"].append(len(np.unique(part)) / PRESENCE_BINS)
    return {
        "unit_id": sorting.unit_ids.tolist(),
        "n_spikes": counts.tolist(),
        "rate_hz": (counts / sorting.duration_s).round(4).tolist(),
        **columns,
    }


def noise_counts(stored: StoredRecording) -> FloatArray:
    """Return the noise of each channel (MAD / 0.6745) within the band, in counts."""
    traces = stored.traces()
    length = min(stored.n_samples, round(stored.sampling_rate_hz))
    n_parts = max(1, min(NOISE_SECONDS, stored.n_samples // max(1, length)))
    starts = np.linspace(0, stored.n_samples - length, n_parts).astype(np.int64)
    parts = [band_passed(traces[s : s + length], stored.sampling_rate_hz) for s in starts]
    sample = np.concatenate(parts)
    deviation = np.median(np.abs(sample - np.median(sample, axis=0)), axis=0)
    return np.maximum(deviation * MAD_TO_SD, np.finfo(np.float64).tiny)


def template_counts(stored: StoredRecording, train: IntArray) -> FloatArray:
    """Return the mean snippet of a unit within the band, in counts, time × channel."""
    half = round(TEMPLATE_MS / 2 * 1e-3 * stored.sampling_rate_hz)
    # The filter needs room on both sides of the window.
    margin = 10 * half
    fits = train[(train >= margin) & (train < stored.n_samples - margin)]
    if not len(fits):
        return np.zeros((1, stored.n_channels))
    chosen = fits[np.linspace(0, len(fits) - 1, min(len(fits), MAX_SPIKES)).astype(np.int64)]
    traces = stored.traces()
    # Averaging and filtering commute, so one filter run per unit is enough.
    mean = np.zeros((2 * margin, stored.n_channels))
    for spike in chosen:
        mean += traces[spike - margin : spike + margin]
    filtered = band_passed(mean / len(chosen), stored.sampling_rate_hz)
    return filtered[margin - half : margin + half]


def band_passed(traces: Any, sampling_rate_hz: float) -> FloatArray:
    """Return traces within the band, forward and backward filtered, along axis 0."""
    from scipy.signal import butter, sosfiltfilt

    high_hz = min(BAND_HZ[1], 0.45 * sampling_rate_hz)
    edges = (BAND_HZ[0], high_hz)
    sos = butter(FILTER_ORDER, edges, "bandpass", fs=sampling_rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sos, np.asarray(traces, np.float64), axis=0))
