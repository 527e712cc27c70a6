"""The encoder: an event's snippet becomes a point on the unit sphere, and what else it tells.

Each channel is a token: learned coefficients of its trace, where it lies from the event's own
centre, and its share of the event's strength. Two small layers mix the tokens; attention pools
them, so that any number and arrangement of channels goes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.embedding.architecture import (
    CENTRE_SHARE,
    LOCATION_PERIOD_UM,
    LOG_AMPLITUDE_CENTRE,
    N_LOCATION,
    N_OUT_EXTRAS,
    N_TOKEN_EXTRAS,
    TOKEN_GAIN,
    TOKEN_LENGTH_UM,
)
from embersort.embedding.kernels import (
    FAST,
    Float32,
    add_product,
    attention_pool,
    normalise,
    rectify,
)
from embersort.embedding.resampling import N_SHIFTS, resampling_matrices, shift_index
from embersort.errors import BadInput
from embersort.types import IntArray, frozen_array


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """What the encoder says of each event.

    Attributes
    ----------
    embedding : ndarray, shape (n_events, n_dims), float32
        Unit norm.
    spike_logit, collision_logit : ndarray, shape (n_events,), float32
        Log odds that the event is a spike at all, and that it is more than one.
    shift_samples : ndarray, shape (n_events,), float32
        How far the spike's true trough lies after the event's sample, at the recording's rate.
    position_um : ndarray, shape (n_events, 2), float32
        Estimated position in the plane of the probe.
    log_amplitude : ndarray, shape (n_events,), float32
        Natural logarithm of the event's norm, in units of noise.
    """

    embedding: Float32
    spike_logit: Float32
    collision_logit: Float32
    shift_samples: Float32
    position_um: Float32
    log_amplitude: Float32


class _Layers(NamedTuple):
    """The encoder's parameters as its kernel takes them; names as in `encoder_shapes`."""

    temporal: Float32
    token_weight: Float32
    token_bias: Float32
    pool_1: Float32
    mix_weight: Float32
    mix_pooled: Float32
    mix_bias: Float32
    pool_2: Float32
    head_weight: Float32
    head_bias: Float32
    out_weight: Float32
    out_bias: Float32


class Encoder:
    """The encoder with its weights, made ready for one sampling rate and window.

    Parameters
    ----------
    parameters : dict of str to ndarray
        As `encoder_shapes` lists them.
    n_window, n_before : int
        Samples of a snippet, and of them before the trough.
    sampling_rate_hz : float

    Raises
    ------
    BadConfig
        If the window does not cover what the encoder reads.
    """

    def __init__(
        self,
        parameters: dict[str, Float32],
        *,
        n_window: int,
        n_before: int,
        sampling_rate_hz: float,
    ) -> None:
        resampling = resampling_matrices(n_window, n_before, sampling_rate_hz)
        temporal = (resampling @ parameters["temporal"]).astype(np.float32)
        self._layers = _Layers(**{**parameters, "temporal": temporal})
        self._n_before = n_before
        self._sampling_rate_hz = sampling_rate_hz

    def encode(
        self,
        snippets: Float32,
        channel_index: IntArray,
        neighbours: IntArray,
        positions_um: NDArray[np.floating],
    ) -> Encoded:
        """Encode events; each by itself, so that batches don't matter.

        Parameters
        ----------
        snippets : ndarray, shape (n_events, n_window, n_local), float32
            White traces in units of noise.
        channel_index : ndarray, shape (n_events,), int64
            Peak channels.
        neighbours : ndarray, shape (n_channels, n_local), int64
            Channels of a snippet, the peak channel first, padded with -1.
        positions_um : ndarray, shape (n_channels, 2)

        Raises
        ------
        BadInput
            If the snippets have another length than the encoder was made for.

        Notes
        -----
        O(n_events · n_local); about 0.3 MFLOP for an event on 16 channels. Releases the GIL.
        """
        if snippets.shape[1] != self._layers.temporal.shape[1]:
            raise BadInput(
                f"snippets have {snippets.shape[1]} samples, the encoder was made for "
                f"{self._layers.temporal.shape[1]}; make an encoder for this window"
            )
        n_events = len(snippets)
        out = np.empty((n_events, len(self._layers.out_bias)), np.float32)
        place = np.empty((n_events, 3), np.float32)
        _encode(
            np.ascontiguousarray(snippets, dtype=np.float32),
            np.ascontiguousarray(channel_index, dtype=np.int64),
            np.ascontiguousarray(neighbours, dtype=np.int64),
            np.ascontiguousarray(positions_um, dtype=np.float32),
            self._n_before,
            self._layers,
            out,
            place,
        )
        return self._finish(out, place)

    def _finish(self, out: Float32, place: Float32) -> Encoded:
        """Turn the last layer's outputs into an embedding and the other answers."""
        n_shape = out.shape[1] - N_OUT_EXTRAS
        extras = out[:, n_shape:]
        position = place[:, :2] + np.float32(TOKEN_LENGTH_UM) * extras[:, 4:6]
        embedding = np.empty((len(out), n_shape + N_LOCATION), np.float32)
        _embed(out, position, embedding)
        return Encoded(
            embedding=frozen_array(embedding, np.float32, 2, "embedding"),
            spike_logit=extras[:, 1].copy(),
            collision_logit=extras[:, 2].copy(),
            # The network speaks of milliseconds, whatever the rate.
            shift_samples=extras[:, 3] * np.float32(self._sampling_rate_hz * 1e-3),
            position_um=position,
            log_amplitude=place[:, 2].copy(),
        )


@njit(nogil=True, cache=True)
def _embed(out: Float32, position: Float32, embedding: Float32) -> None:
    """Join shape and place, and scale to unit norm."""
    n_shape = out.shape[1] - N_OUT_EXTRAS
    for i in range(len(out)):
        row = embedding[i]
        row[:n_shape] = out[i, :n_shape]
        gate = softplus(out[i, n_shape])
        for axis in range(2):
            angle = np.float32(2 * np.pi / LOCATION_PERIOD_UM) * position[i, axis]
            row[n_shape + 2 * axis] = gate * np.cos(angle)
            row[n_shape + 2 * axis + 1] = gate * np.sin(angle)
        normalise(row)


@njit(nogil=True, cache=True)
def softplus(x: float) -> np.float32:
    """Return log(1 + exp(x)) without overflow."""
    return np.float32(max(x, 0.0) + np.log1p(np.exp(-abs(x))))


@njit(nogil=True, cache=True, fastmath=FAST)
def _encode(
    snippets: Float32,
    channel_index: IntArray,
    neighbours: IntArray,
    positions: Float32,
    n_before: int,
    layers: _Layers,
    out: Float32,
    place: Float32,
) -> None:
    n_local = neighbours.shape[1]
    n_coefficients, n_hidden = layers.temporal.shape[2], len(layers.token_bias)
    coefficients = np.empty((n_local, n_coefficients), np.float32)
    tokens = np.empty((n_local, n_coefficients + N_TOKEN_EXTRAS), np.float32)
    hidden = np.empty((n_local, n_hidden), np.float32)
    mixed = np.empty((n_local, n_hidden), np.float32)
    logits = np.empty((n_local, layers.pool_1.shape[1]), np.float32)
    pooled, pooled_bias = np.empty((1, n_hidden), np.float32), np.empty((1, n_hidden), np.float32)
    head_in = np.empty((1, layers.head_weight.shape[0]), np.float32)
    head = np.empty((1, len(layers.head_bias)), np.float32)
    for i in range(len(snippets)):
        local = neighbours[channel_index[i]]
        n = 0
        while n < n_local and local[n] >= 0:
            n += 1
        _project(snippets[i], n, layers.temporal, n_before, coefficients)
        make_tokens(coefficients[:n], local, positions, tokens, place[i])

        hidden[:n] = layers.token_bias
        add_product(tokens[:n], layers.token_weight, hidden[:n])
        rectify(hidden[:n])
        attention_pool(hidden[:n], layers.pool_1, logits, pooled[0])
        pooled_bias[0] = layers.mix_bias
        add_product(pooled, layers.mix_pooled, pooled_bias)
        mixed[:n] = pooled_bias
        add_product(hidden[:n], layers.mix_weight, mixed[:n])
        rectify(mixed[:n])
        attention_pool(mixed[:n], layers.pool_2, logits, pooled[0])

        head_in[0, :n_hidden] = pooled[0]
        head_in[0, n_hidden] = place[i, 2] - np.float32(LOG_AMPLITUDE_CENTRE)
        head_in[0, n_hidden + 1] = np.log(np.float32(n))
        head[0] = layers.head_bias
        add_product(head_in, layers.head_weight, head)
        rectify(head)
        out[i] = layers.out_bias
        add_product(head, layers.out_weight, out[i : i + 1])


@njit(nogil=True, cache=True, fastmath=FAST)
def _project(
    snippet: Float32, n_channels: int, temporal: Float32, n_before: int, coefficients: Float32
) -> None:
    """Read each channel's coefficients, the trough placed to an eighth of a sample."""
    shift = N_SHIFTS // 2
    if 0 < n_before < len(snippet) - 1:
        shift = shift_index(
            snippet[n_before - 1, 0], snippet[n_before, 0], snippet[n_before + 1, 0]
        )
    basis = temporal[shift]
    coefficients[:n_channels] = 0
    for t in range(len(snippet)):
        row = basis[t]
        for c in range(n_channels):
            x, target = snippet[t, c], coefficients[c]
            for k in range(len(target)):
                target[k] += x * row[k]


@njit(nogil=True, cache=True, fastmath=FAST)
def make_tokens(
    coefficients: Float32, local: IntArray, positions: Float32, tokens: Float32, place: Float32
) -> None:
    """Fill in the tokens of one event, and its centre (µm) and log norm in ``place``."""
    n_channels, n_coefficients = coefficients.shape
    total, strongest = np.float32(1), np.float32(0)
    extras = tokens[:, n_coefficients:]
    for c in range(n_channels):
        energy = np.float32(0)
        for k in range(n_coefficients):
            energy += coefficients[c, k] * coefficients[c, k]
        extras[c, 3] = energy
        total += energy
        strongest = max(strongest, energy)
    origin = positions[local[0]]
    x, y, weights = np.float32(0), np.float32(0), np.float32(1e-6)
    for c in range(n_channels):
        weight = max(extras[c, 3] - np.float32(CENTRE_SHARE) * strongest, np.float32(0))
        weights += weight
        x += weight * (positions[local[c], 0] - origin[0])
        y += weight * (positions[local[c], 1] - origin[1])
    x /= weights
    y /= weights
    scale = np.float32(1) / np.sqrt(total)
    log_norm = np.float32(0.5) * np.log(total)
    for c in range(n_channels):
        share = np.sqrt(extras[c, 3]) * scale
        dx = (positions[local[c], 0] - origin[0] - x) / np.float32(TOKEN_LENGTH_UM)
        dy = (positions[local[c], 1] - origin[1] - y) / np.float32(TOKEN_LENGTH_UM)
        extras[c, 0] = dx
        extras[c, 1] = dy
        extras[c, 2] = np.sqrt(dx * dx + dy * dy)
        extras[c, 3] = share
        extras[c, 4] = log_norm - np.float32(LOG_AMPLITUDE_CENTRE)
        for k in range(n_coefficients):
            tokens[c, k] = coefficients[c, k] * scale * np.float32(TOKEN_GAIN)
    place[0] = origin[0] + x
    place[1] = origin[1] + y
    place[2] = log_norm
