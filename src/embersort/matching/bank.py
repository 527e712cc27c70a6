"""The templates in the form in which they are matched: sparse, separable, shifted, correlated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.types import FloatArray

SUPPORT_SHARE = 0.05
"""A channel belongs to a template if it holds this share of the largest channel's peak to peak."""

COLOURLESS = np.ones(1)
"""Autocorrelation of noise without colour."""

MAX_SUPPORT = 24
"""At most this many channels of a template are matched, the largest first."""

LEFT_OUT = 0.001
"""Components of a template are enough when they leave this share of its energy."""

TINY = 1e-300
"""Keeps a template of zeros from a division by zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateBank:
    """Templates of all units in units of the noise, ready to be matched.

    Attributes
    ----------
    channels : ndarray, shape (n_units, n_support), int64
        Channels of each template, the largest first, padded with -1.
    shifted : ndarray, shape (n_units, n_shifts, n_window, n_support), float32
        What is subtracted: the template moved by ``shift_samples``; zero on the padding.
    shift_samples : ndarray, shape (n_shifts,), float64
        Sub-sample delays, from -0.5 on.
    spatial : ndarray, shape (n_channels, n_units * rank), float32
    temporal : ndarray, shape (n_units, rank, n_window), float32
        Their products, summed over the rank, are the templates that are looked for.
    norm2 : ndarray, shape (n_units,), float64
        Squared norm of what is looked for.
    near : ndarray, shape (n_units, n_near), int64
        Units whose templates share a channel with a unit's, itself first, padded with -1.
    overlap : ndarray, shape (n_units, n_shifts, n_near, 2 * n_window - 1), float32
        Score that the subtraction of ``shifted[u, s]`` takes from near unit ``v`` at each lag.
    strongest : ndarray, shape (n_units, n_shifts, n_near), float32
        Largest magnitude of ``overlap`` over the lags.
    noise2 : ndarray, shape (n_units,), float64
        Variance of what noise alone gives in the match with a template brought to unit norm.
    n_before : int
        Sample of the trough within the window.
    """

    channels: NDArray[np.int64]
    shifted: NDArray[np.float32]
    shift_samples: NDArray[np.float64]
    spatial: NDArray[np.float32]
    temporal: NDArray[np.float32]
    norm2: NDArray[np.float64]
    near: NDArray[np.int64]
    overlap: NDArray[np.float32]
    strongest: NDArray[np.float32]
    noise2: NDArray[np.float64]
    n_before: int

    @property
    def n_units(self) -> int:
        """Number of templates."""
        return len(self.channels)

    @property
    def n_window(self) -> int:
        """Samples of a template."""
        return self.shifted.shape[2]


def select(bank: TemplateBank, wanted: NDArray[np.bool_]) -> TemplateBank:
    """Return the bank of some of its templates, as if made of them alone."""
    rows = np.flatnonzero(wanted)
    place = np.full(bank.n_units + 1, -1)
    place[rows] = np.arange(len(rows))
    # The padding, -1, finds the entry beyond the last, which is -1.
    near = place[bank.near[rows]]
    order = np.argsort(near < 0, axis=1, kind="stable")
    n_near = int((near >= 0).sum(axis=1).max(initial=1))
    order = order[:, :n_near]
    near = np.take_along_axis(near, order, axis=1)
    overlap = np.take_along_axis(bank.overlap[rows], order[:, None, :, None], axis=2)
    overlap[np.broadcast_to((near < 0)[:, None, :, None], overlap.shape)] = 0
    rank = bank.temporal.shape[1]
    spatial = bank.spatial.reshape(len(bank.spatial), bank.n_units, rank)[:, rows]
    return TemplateBank(
        channels=bank.channels[rows],
        shifted=bank.shifted[rows],
        shift_samples=bank.shift_samples,
        spatial=np.ascontiguousarray(spatial.reshape(len(spatial), -1)),
        temporal=bank.temporal[rows],
        norm2=bank.norm2[rows],
        near=np.ascontiguousarray(near),
        overlap=np.ascontiguousarray(overlap),
        strongest=np.abs(overlap).max(axis=3),
        noise2=bank.noise2[rows],
        n_before=bank.n_before,
    )


def make_bank(
    templates: FloatArray, n_before: int, config: MatchConfig, noise: FloatArray = COLOURLESS
) -> TemplateBank:
    """Prepare templates for matching.

    Parameters
    ----------
    templates : ndarray, shape (n_units, n_window, n_channels)
        White templates in units of the noise.
    n_before : int
        Sample of the trough within the window.
    config : MatchConfig
    noise : ndarray, shape (n_lags,), optional
        Autocorrelation of the noise.

    Returns
    -------
    TemplateBank

    Notes
    -----
    O(n_units · n_near · n_shifts · n_window² · rank) for the overlaps, the dearest part.
    """
    n_units, n_window, n_channels = templates.shape
    channels = _support(templates)
    sparse = np.zeros((n_units, n_window, channels.shape[1]), np.float32)
    for unit in range(n_units):
        used = channels[unit][channels[unit] >= 0]
        sparse[unit, :, : len(used)] = templates[unit][:, used]
    shift_samples = np.arange(config.n_shifts) / config.n_shifts - 0.5 + 0.5 / config.n_shifts
    shifted = np.matmul(_delays(shift_samples, n_window), sparse[:, None])
    rank = min(config.rank, n_window, channels.shape[1])
    spatial = np.zeros((n_channels, n_units, rank), np.float32)
    temporal = np.zeros((n_units, rank, n_window), np.float32)
    norm2 = np.zeros(n_units)
    for unit in range(n_units):
        used = channels[unit][channels[unit] >= 0]
        u, s, vt = np.linalg.svd(sparse[unit, :, : len(used)].astype(np.float64), False)
        left = 1 - np.cumsum(s**2) / max(np.square(s).sum(), TINY)
        k = min(rank, len(s), 1 + np.count_nonzero(left > LEFT_OUT))
        spatial[used, unit, :k] = (vt[:k] * s[:k, None]).T
        temporal[unit, :k] = u[:, :k].T
        norm2[unit] = np.square(s[:k]).sum()
    near = _near_units(channels)
    shifted = np.ascontiguousarray(shifted, np.float32)
    overlap = _overlaps(spatial, temporal, shifted, channels, near)
    return TemplateBank(
        channels=channels,
        shifted=shifted,
        shift_samples=shift_samples,
        spatial=np.ascontiguousarray(spatial.reshape(n_channels, -1)),
        temporal=temporal,
        norm2=norm2,
        near=near,
        overlap=overlap,
        strongest=np.abs(overlap).max(axis=3),
        noise2=noise_variance(sparse, noise),
        n_before=n_before,
    )


def noise_variance(templates: FloatArray, noise: FloatArray) -> NDArray[np.float64]:
    """Return the variance of the noise in the match with each template, brought to unit norm.

    Parameters
    ----------
    templates : ndarray, shape (n_units, n_window, n_channels)
    noise : ndarray, shape (n_lags,)
        Autocorrelation of noise that is the same on all channels, and independent between them.

    Returns
    -------
    ndarray, shape (n_units,), float64
        1 for noise without colour; more for a template as slow as its noise.
    """
    n_window = templates.shape[1]
    n_lags = min(n_window, len(noise))
    spectrum = np.fft.rfft(np.asarray(templates, np.float64), 2 * n_window, axis=1)
    power = np.square(np.abs(spectrum)).sum(axis=2)
    own = np.fft.irfft(power, 2 * n_window, axis=1)[:, :n_lags]
    # Every lag but none stands for two, forwards and backwards.
    variance = own @ (np.where(np.arange(n_lags) > 0, 2.0, 1.0) * noise[:n_lags])
    return np.asarray(variance / np.maximum(own[:, 0], np.finfo(float).tiny))


def _support(templates: FloatArray) -> NDArray[np.int64]:
    """Return each template's channels, the largest first, padded with -1."""
    extent = np.ptp(templates, axis=1)
    order = np.argsort(-extent, axis=1, kind="stable")
    largest = np.take_along_axis(extent, order, axis=1)
    used = (largest > SUPPORT_SHARE * largest[:, :1]) & (largest > 0)
    n_support = min(MAX_SUPPORT, max(1, int(used.sum(axis=1).max(initial=1))))
    return np.ascontiguousarray(np.where(used, order, -1)[:, :n_support])


def _delays(shift_samples: NDArray[np.float64], n_window: int) -> NDArray[np.float32]:
    """Return the matrices that delay a window by fractions of a sample, (n_shifts, n_window, …).

    Band-limited, by the Fourier shift theorem on a window of twice the length.
    """
    frequency = np.fft.rfftfreq(2 * n_window)
    spectrum = np.fft.rfft(np.eye(n_window), 2 * n_window, axis=0)
    turned = spectrum * np.exp(-2j * np.pi * frequency * shift_samples[:, None])[:, :, None]
    return np.fft.irfft(turned, 2 * n_window, axis=1)[:, :n_window].astype(np.float32)


def _near_units(channels: NDArray[np.int64]) -> NDArray[np.int64]:
    n_units = len(channels)
    uses = np.zeros((n_units, int(channels.max(initial=0)) + 1), np.float32)
    for unit in range(n_units):
        uses[unit, channels[unit][channels[unit] >= 0]] = 1
    shares = uses @ uses.T > 0
    rows = [
        np.concatenate([[unit], np.flatnonzero(shares[unit] & (np.arange(n_units) != unit))])
        for unit in range(n_units)
    ]
    near = np.full((n_units, max((len(row) for row in rows), default=1)), -1, np.int64)
    for unit, row in enumerate(rows):
        near[unit, : len(row)] = row
    return near


@njit(nogil=True, cache=True)
def _overlaps(
    spatial: NDArray[np.float32],
    temporal: NDArray[np.float32],
    shifted: NDArray[np.float32],
    channels: NDArray[np.int64],
    near: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Correlate what is subtracted with what is looked for, at all lags."""
    n_units, n_shifts, n_window = shifted.shape[:3]
    n_near, rank = near.shape[1], temporal.shape[1]
    overlap = np.zeros((n_units, n_shifts, n_near, 2 * n_window - 1), np.float32)
    projected = np.empty(n_window, np.float32)
    for u in range(n_units):
        for k in range(n_near):
            v = near[u, k]
            if v < 0:
                break
            for s in range(n_shifts):
                for r in range(rank):
                    # What a template needs no component for is zero.
                    if temporal[v, r].any():
                        _weigh(shifted[u, s], channels[u], spatial[:, v, r], projected)
                        _correlate(projected, temporal[v, r], overlap[u, s, k])
    return overlap


@njit(nogil=True, cache=True)
def _weigh(
    template: NDArray[np.float32],
    channels: NDArray[np.int64],
    weight: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Put the weighted sum of a template's channels into ``out``."""
    out[:] = 0
    for i in range(len(channels)):
        if channels[i] < 0:
            break
        w = weight[channels[i]]
        if w != 0:
            for t in range(len(out)):
                out[t] += w * template[t, i]


@njit(nogil=True, cache=True)
def _correlate(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Add sum_t a[t + lag] b[t] to ``out[lag + n - 1]``: lag is where b is looked for from a."""
    n = len(a)
    backwards = b[::-1].copy()
    for t in range(n):
        value = a[t]
        # a's sample t meets b's sample n - 1 - q where b starts t - (n - 1 - q) later than a.
        for q in range(n):
            out[t + q] += value * backwards[q]
