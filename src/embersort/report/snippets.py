"""Windows of the recording for the page: snippets of a unit, and short stretches of traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from embersort.types import FloatArray, IntArray, Recording
from embersort.units import MAD_TO_SD, ms_to_samples

FILTER_ORDER = 3
LOW_HZ, HIGH_HZ = 300.0, 6000.0
"""Pass band of the shown traces; SpikeInterface's and the sort's default."""
HIGHEST_SHARE = 0.45
"""The upper edge stays below this share of the sampling rate."""
NOISE_PART_MS = 500.0
N_NOISE_PARTS = 8
MARGIN_MS = 10.0
"""Read beside a window so that the filter has settled: three periods of its lower edge."""


def filter_sections(sampling_rate_hz: float) -> FloatArray:
    """Return the second-order sections of the band-pass of the shown traces."""
    high_hz = min(HIGH_HZ, HIGHEST_SHARE * sampling_rate_hz)
    low_hz = min(LOW_HZ, high_hz / 2)
    return butter(FILTER_ORDER, [low_hz, high_hz], "bandpass", fs=sampling_rate_hz, output="sos")


def read_window(
    recording: Recording, start: int, stop: int, channels: IntArray
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read a window raw and band-passed; zero where it reaches over the recording's ends.

    Returns
    -------
    raw, filtered : ndarray, shape (stop - start, n_channels), float32
        In microvolt; the raw one less its median.
    """
    margin = ms_to_samples(MARGIN_MS, recording.sampling_rate_hz)
    first, last = max(0, start - margin), min(recording.n_samples, stop + margin)
    raw = np.zeros((stop - start, len(channels)), np.float32)
    filtered = raw.copy()
    if last <= first:
        return raw, filtered
    traces = np.nan_to_num(recording.read(first, last)[:, channels])
    traces -= np.median(traces, axis=0)
    inside = slice(max(start, 0) - first, min(stop, recording.n_samples) - first)
    place = slice(max(start, 0) - start, min(stop, recording.n_samples) - start)
    raw[place] = traces[inside]
    sections = filter_sections(recording.sampling_rate_hz)
    pad = min(3 * (2 * len(sections) + 1), len(traces) - 1)
    filtered[place] = sosfiltfilt(sections, traces, axis=0, padlen=pad)[inside]
    return raw, filtered


def read_snippets(
    recording: Recording,
    sample_index: IntArray,
    channels: IntArray,
    n_before: int,
    n_window: int,
) -> NDArray[np.float32]:
    """Read the band-passed snippets of some spikes.

    Parameters
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
        Each is read with a margin, and all are filtered together.
    channels : ndarray, shape (n_channels,), int64

    Returns
    -------
    ndarray, shape (n_spikes, n_window, n_channels), float32
        In microvolt.
    """
    margin = ms_to_samples(MARGIN_MS, recording.sampling_rate_hz)
    n_read = n_window + 2 * margin
    pieces = np.zeros((len(sample_index), n_read, len(channels)), np.float32)
    for piece, sample in zip(pieces, sample_index, strict=True):
        start = int(sample) - n_before - margin
        first, last = max(0, start), min(recording.n_samples, start + n_read)
        if first < last:
            traces = np.nan_to_num(recording.read(first, last)[:, channels])
            piece[first - start : last - start] = traces - traces.mean(axis=0)
    if len(pieces) == 0:
        return pieces[:, :n_window]
    sections = filter_sections(recording.sampling_rate_hz)
    filtered = sosfiltfilt(sections, pieces, axis=1)
    return filtered[:, margin : margin + n_window].astype(np.float32)


def mean_snippet(
    recording: Recording, sample_index: IntArray, n_most: int, n_before: int, n_window: int
) -> NDArray[np.float32]:
    """Average the band-passed snippets of a unit on all channels.

    Filtering and averaging commute, so the mean is filtered once.

    Returns
    -------
    ndarray, shape (n_window, n_channels), float32
        In microvolt; zero for a unit without spikes.
    """
    margin = ms_to_samples(MARGIN_MS, recording.sampling_rate_hz)
    n_read = n_window + 2 * margin
    start = sample_index - n_before - margin
    start = start[(start >= 0) & (start + n_read <= recording.n_samples)]
    start = start[spread(len(start), n_most)]
    mean = np.zeros((n_read, recording.geometry.n_channels))
    for first in start:
        mean += recording.read(int(first), int(first) + n_read)
    mean = np.nan_to_num(mean / max(len(start), 1))
    filtered = sosfiltfilt(filter_sections(recording.sampling_rate_hz), mean, axis=0)
    return filtered[margin : margin + n_window].astype(np.float32)


def noise_uv(recording: Recording) -> FloatArray:
    """Return the noise of each channel (MAD / 0.6745) in the pass band, from evenly spread parts.

    Returns
    -------
    ndarray, shape (n_channels,), float64
    """
    n_part = min(recording.n_samples, ms_to_samples(NOISE_PART_MS, recording.sampling_rate_hz))
    channels = np.arange(recording.geometry.n_channels)
    starts = np.unique(np.linspace(0, recording.n_samples - n_part, N_NOISE_PARTS).astype(int))
    parts = [read_window(recording, int(s), int(s) + n_part, channels)[1] for s in starts]
    return np.median(np.abs(np.concatenate(parts)), axis=0) * MAD_TO_SD


def waveform_density(
    snippets: FloatArray, n_levels: int
) -> tuple[NDArray[np.int64], tuple[float, float]]:
    """Count how often each sample of a snippet takes each height.

    Returns
    -------
    counts : ndarray, shape (n_levels, n_window), int64
        Row 0 is the lowest height.
    limits_uv : tuple of float
        Lowest and highest edge of the rows; 0.1 % of the values beyond are counted at the edge.
    """
    n_window = snippets.shape[1]
    if snippets.size == 0:
        return np.zeros((n_levels, n_window), np.int64), (-1.0, 1.0)
    low, high = (float(value) for value in np.quantile(snippets, (0.001, 0.999)))
    high = high if high > low else low + 1.0
    level = np.clip(((snippets - low) / (high - low) * n_levels).astype(int), 0, n_levels - 1)
    flat = np.bincount(
        (level * n_window + np.arange(n_window)).ravel(), minlength=n_levels * n_window
    )
    return flat.reshape(n_levels, n_window), (low, high)


def spread(n_items: int, n_kept: int) -> IntArray:
    """Return at most ``n_kept`` positions of ``n_items``, spread evenly.

    Examples
    --------
    >>> spread(10, 3).tolist()
    [0, 3, 6]
    """
    n_kept = min(n_items, n_kept)
    return np.arange(n_kept) * n_items // max(n_kept, 1)
