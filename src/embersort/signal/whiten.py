"""Noise levels, bad channels and local whitening, estimated from a sample of the recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embersort.config import WhitenConfig
from embersort.signal.medians import row_medians
from embersort.types import BoolArray, FloatArray, Geometry
from embersort.units import MAD_TO_SD

REGULARISATION = 0.01
"""Share of the mean variance added to the diagonal of the covariance. Chosen on the development
recordings, 2026-11-22."""

MOST_OF_MEDIAN = 10.0
"""The mean variance counts at most as this many of the median along the principal axes: what all
channels share can be nearly all of the mean, and says nothing of what each has alone."""

LEAST_OF_MEAN = 0.01
"""It counts at least as this much of itself, also where most channels record the same."""

QUIET = 4.0
"""Samples beyond this many noise levels belong to spikes and are left out of the covariance."""

AWAY = 0.25
"""Lags, as a share of those asked for, from which on a spike's flank is over."""

NOISY = 8.0
"""A channel this many times noisier than the median channel is bad."""

CHANNELS_AT_ONCE = 32
"""Channels whose medians are taken together."""

MIN_CHANNELS_TO_JUDGE = 4
"""With fewer channels there is no typical noise to be judged by."""


def noise_levels(traces: NDArray[np.float32]) -> FloatArray:
    """Return the noise of each channel, MAD / 0.6745 (Quiroga et al. 2004, equation 3.1).

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels), float32
        Filtered, hence centred on zero.

    Returns
    -------
    ndarray, shape (n_channels,), float64
    """
    if traces.size == 0:
        return np.zeros(traces.shape[1])
    # A few channels at a time: of many together the magnitudes alone would take gigabytes.
    starts = range(0, traces.shape[1], CHANNELS_AT_ONCE)
    some = [row_medians(np.abs(traces[:, i : i + CHANNELS_AT_ONCE]).T) for i in starts]
    return np.concatenate(some).astype(np.float64) * MAD_TO_SD


def good_channels(noise: FloatArray) -> BoolArray:
    """Say which channels can be used: neither silent nor far noisier than the others."""
    alive = np.isfinite(noise) & (noise > 0)
    if alive.sum() >= MIN_CHANNELS_TO_JUDGE:
        alive &= noise <= NOISY * np.median(noise[alive])
    return alive


def noise_covariance(scaled: NDArray[np.float32]) -> FloatArray:
    """Return the covariance of the channels between spikes.

    Parameters
    ----------
    scaled : ndarray, shape (n_samples, n_channels), float32
        Traces in units of each channel's noise.

    Returns
    -------
    ndarray, shape (n_channels, n_channels), float64
        Each pair of channels over the samples at which both are quiet (below `QUIET`).
    """
    quiet = (np.abs(scaled) < QUIET).astype(np.float32)
    n_pairs = (quiet.T @ quiet).astype(np.float64)
    silenced = np.multiply(scaled, quiet, out=quiet)
    return (silenced.T @ silenced).astype(np.float64) / np.maximum(n_pairs, 1.0)


def noise_autocorrelation(white: Sequence[NDArray[np.float32]], n_lags: int) -> NDArray[np.float64]:
    """Return how alike the noise is to itself a few samples later.

    Parameters
    ----------
    white : sequence of ndarray, shape (n_samples, n_channels), float32
        Stretches of white traces.
    n_lags : int

    Returns
    -------
    ndarray, shape (n_lags,), float64
        1 at no lag. Over all channels, and pairs of samples far (`AWAY` lags) from any that is
        loud; that of noise without colour where there are no such pairs.
    """
    seen, n_pairs = np.zeros(n_lags), np.zeros(n_lags)
    for traces in white:
        quiet = _far_from_loud(traces, round(AWAY * n_lags))
        length = len(traces) + n_lags
        of_noise = np.fft.rfft(traces * quiet, length, axis=0)
        of_pairs = np.fft.rfft(quiet.astype(np.float32), length, axis=0)
        seen += np.fft.irfft(np.square(np.abs(of_noise)).sum(axis=1), length)[:n_lags]
        n_pairs += np.fft.irfft(np.square(np.abs(of_pairs)).sum(axis=1), length)[:n_lags]
    # Counts come back from the transform with rounding.
    known = n_pairs > 0.5
    covariance = np.divide(seen, n_pairs, where=known, out=np.zeros(n_lags))
    if n_lags == 0 or covariance[0] <= 0:
        return np.eye(1, n_lags)[0]
    return covariance / covariance[0]


def _far_from_loud(traces: NDArray[np.float32], reach: int) -> BoolArray:
    """Say which samples have none beyond `QUIET` within ``reach`` on their own channel."""
    loud = np.cumsum(np.abs(traces) >= QUIET, axis=0)
    padded = np.concatenate([np.zeros((reach + 1, traces.shape[1]), loud.dtype), loud])
    padded = np.concatenate([padded, np.repeat(padded[-1:], reach, axis=0)])
    n_loud = padded[2 * reach + 1 :] - padded[: len(traces)]
    return np.asarray(n_loud == 0)


def local_whitening(
    covariance: FloatArray, geometry: Geometry, channel_ok: BoolArray, config: WhitenConfig
) -> FloatArray:
    """Return the matrix that whitens each channel with the channels around it.

    Parameters
    ----------
    covariance : ndarray, shape (n_channels, n_channels), float64
    geometry : Geometry
    channel_ok : ndarray, shape (n_channels,), bool
    config : WhitenConfig

    Returns
    -------
    ndarray, shape (n_channels, n_channels), float64
        ``traces @ W.T`` is white. Row ``c`` is row ``c`` of the inverse square root (ZCA, Kessy et
        al. 2018) of the covariance of the good channels within ``radius_um``. Rows of bad channels
        are zero.
    """
    n_channels = geometry.n_channels
    if not config.enabled:
        return np.diag(channel_ok.astype(np.float64))
    near = geometry.distances_um() <= config.radius_um
    matrix = np.zeros((n_channels, n_channels))
    for channel in np.flatnonzero(channel_ok):
        local = np.flatnonzero(near[channel] & channel_ok)
        values, vectors = np.linalg.eigh(covariance[np.ix_(local, local)])
        mean = np.trace(covariance[np.ix_(local, local)]) / len(local)
        middle = MOST_OF_MEDIAN * values[(len(values) - 1) // 2]
        floor = REGULARISATION * min(mean, max(middle, LEAST_OF_MEAN * mean))
        scale = 1 / np.sqrt(np.maximum(values, 0) + floor)
        row = vectors[local == channel] * scale @ vectors.T
        matrix[channel, local] = row[0]
    return matrix
