"""Windows of the recording for the page: snippets of a unit, and short stretches of traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import FilterConfig
from embersort.signal.filter import bandpass, design_bandpass
from embersort.types import FloatArray, IntArray, Recording
from embersort.units import MAD_TO_SD, ms_to_samples

HIGHEST_SHARE = 0.45
"""The upper edge of the pass band stays below this share of the sampling rate."""
NOISE_PART_MS = 500.0
N_NOISE_PARTS = 8
MARGIN_MS = 5.0
"""Read beside a window: 0.3 % is left by then of what a step at its end does to the filter."""


def filter_sections(sampling_rate_hz: float) -> FloatArray:
    """Return the second-order sections of the shown traces' band-pass, the sort's default."""
    usual = FilterConfig()
    low_hz = min(usual.low_hz, HIGHEST_SHARE * sampling_rate_hz / 2)
    return design_bandpass(FilterConfig(low_hz=low_hz), sampling_rate_hz)


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
    filtered[place] = bandpass(traces, sections)[inside]
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
            traces = recording.read(first, last)[:, channels]
            piece[first - start : last - start] = traces
            # Beyond the recording's ends its last values hold: a step would ring in the filter.
            piece[: first - start] = traces[0]
            piece[last - start :] = traces[-1]
    if len(pieces) == 0:
        return pieces[:, :n_window]
    sections = filter_sections(recording.sampling_rate_hz)
    pieces = np.nan_to_num(pieces, copy=False)
    pieces -= pieces.mean(axis=1, keepdims=True)
    # Side by side, so that one pass of the filter serves them all.
    beside = pieces.transpose(1, 0, 2).reshape(n_read, -1)
    filtered = bandpass(beside, sections)[margin : margin + n_window]
    return filtered.reshape(n_window, len(pieces), -1).transpose(1, 0, 2)


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
    mean -= mean.mean(axis=0)
    filtered = bandpass(mean.astype(np.float32), filter_sections(recording.sampling_rate_hz))
    return filtered[margin : margin + n_window]


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
