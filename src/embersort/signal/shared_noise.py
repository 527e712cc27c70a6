"""Noise that all channels of a device share, each with its own gain, and how it is taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.signal.medians import row_medians
from embersort.signal.reference import MIN_CHANNELS, subtract_median
from embersort.types import BoolArray, FloatArray, Geometry, IntArray
from embersort.units import MAD_TO_SD

FAR_UM = 100.0
"""Over this distance tissue shares next to no noise, nor do channels share a spike's best part."""

MOST_OF_THE_NOISE = 0.5
"""Correlation of far channels from which on what they share is more than what each has alone."""

MUCH_QUIETER = 0.7
"""The shared noise is taken off where this much of the noise, or less, is left of the typical
channel: below that the median costs more of the spikes than it wins."""

LEAST_GAIN = 0.5
"""Channels with less of the typical channel's gain say little of what is shared."""

ROUNDS = 30
"""Rounds in which the gains settle; each halves their error or better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedNoise:
    """How much each channel has of what they all share.

    Attributes
    ----------
    channels : ndarray, shape (n_sharing,), int64
        Channels that share it; the others are left as they are.
    gains_uv : ndarray, shape (n_sharing,), float32
        Height of the shared noise on each of them.
    """

    channels: IntArray
    gains_uv: NDArray[np.float32]


def fit_shared_noise(
    scaled: NDArray[np.float32],
    covariance: FloatArray,
    geometry: Geometry,
    noise_uv: FloatArray,
    channel_ok: BoolArray,
) -> SharedNoise | None:
    """Return what all channels share, if most of the noise is that and a median takes it off.

    Parameters
    ----------
    scaled : ndarray, shape (n_samples, n_channels), float32
        Filtered traces in units of each channel's noise.
    covariance : ndarray, shape (n_channels, n_channels)
        Of the noise of the scaled traces.
    geometry : Geometry
        Channels of different shanks are far apart.
    noise_uv : ndarray, shape (n_channels,)
    channel_ok : ndarray, shape (n_channels,), bool

    Returns
    -------
    SharedNoise, or None
        None also where fewer than `MIN_CHANNELS` channels have any that are far from them: their
        median would follow the spikes.
    """
    far = (geometry.distances_um() > FAR_UM) & channel_ok[:, None] & channel_ok
    channels = np.flatnonzero(far.any(axis=1))
    if len(channels) < MIN_CHANNELS or covariance[far].mean() < MOST_OF_THE_NOISE:
        return None
    gains = shared_gains(covariance[np.ix_(channels, channels)], far[np.ix_(channels, channels)])
    sharing = gains >= LEAST_GAIN * np.median(gains)
    channels, gains = channels[sharing], gains[sharing]
    if len(channels) < MIN_CHANNELS:
        return None
    shared = SharedNoise(channels=channels, gains_uv=gains.astype(np.float32))
    left = np.abs(subtract_shared_noise(scaled, shared)[:, channels])
    level = row_medians(left.T) * MAD_TO_SD
    if np.median(level) > MUCH_QUIETER:
        return None
    return SharedNoise(channels=channels, gains_uv=(gains * noise_uv[channels]).astype(np.float32))


def shared_gains(covariance: FloatArray, far: BoolArray) -> FloatArray:
    """Return the gains whose products are nearest to the covariance of the far pairs.

    Parameters
    ----------
    covariance : ndarray, shape (n_channels, n_channels)
    far : ndarray, shape (n_channels, n_channels), bool
        Pairs that count; each channel is in at least one.

    Returns
    -------
    ndarray, shape (n_channels,)
        One common factor by least squares (Harman and Jones 1966, "minres"), one channel after
        the other until they settle.
    """
    gains = np.full(len(covariance), np.sqrt(max(covariance[far].mean(), 0.0)))
    for _ in range(ROUNDS):
        for channel, pairs in enumerate(far):
            others = gains[pairs]
            power = others @ others
            if power > 0:
                gains[channel] = covariance[channel, pairs] @ others / power
    return gains


def subtract_shared_noise(
    traces: NDArray[np.float32], shared: SharedNoise | None
) -> NDArray[np.float32]:
    """Return the traces less what they share: the median over the channels, each at its gain.

    A neuron reaches few of the channels, so that their median hardly follows it.
    """
    if shared is None:
        return traces
    cleaned = traces.copy()
    alike = traces[:, shared.channels] / shared.gains_uv
    everyone = (np.arange(len(shared.channels)),)
    cleaned[:, shared.channels] = subtract_median(alike, everyone) * shared.gains_uv
    return cleaned
