"""The segment network: every bin of a segment becomes a point on the unit sphere.

A segment is seen together with mean and spread of its nearest neighbours within half a minute:
where it equals them the bin is the neuron's own, where it does not something else is there too.
Blocks mix each bin with others in time and, by distance, on other channels; halfway the segment is
pooled, and what it tells as a whole goes back to every bin. One segment is computed at a time, so
its result never depends on its company.

`forward` is the network, once: NumPy runs it in unmixing, PyTorch in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.embedding.architecture import (
    CENTRE_SHARE,
    LOCATION_PERIOD_UM,
    LOG_AMPLITUDE_CENTRE,
    TOKEN_LENGTH_UM,
)
from embersort.embedding.kernels import NORM_FLOOR, Float32
from embersort.embedding.segment_architecture import BLOCK_TAPS, FIRST_TAPS, SegmentConfig

Array = Any
"""An array of NumPy's or a tensor of PyTorch's: what both understand alike is used of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedSegment:
    """What the network says of one segment.

    Attributes
    ----------
    bins : ndarray, shape (n_channels, SEGMENT_SAMPLES, n_dims), float32
        Unit norm; a bin of background points along the last dimension.
    whole : ndarray, shape (n_dims,), float32
        The neuron whose segment it is, in the same space; unit norm.
    """

    bins: Float32
    whole: Float32


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentNetwork:
    """A trained segment network.

    Attributes
    ----------
    config : SegmentConfig
    weights : dict of str to ndarray, float32
        As `segment_shapes` lists them.
    sha256 : str
        Hash of the file they came from; empty where they came from none.
    """

    config: SegmentConfig
    weights: dict[str, Float32]
    sha256: str = ""

    def embed(
        self,
        own: Float32,
        neighbours: Float32,
        positions_um: NDArray[np.floating],
    ) -> EmbeddedSegment:
        """Embed the bins of one segment.

        Parameters
        ----------
        own : ndarray, shape (n_channels, SEGMENT_SAMPLES), float32
            Filtered traces in units of noise, peak channel first.
        neighbours : ndarray, shape (n_neighbours, n_channels, SEGMENT_SAMPLES), float32
            The nearest segments on the same channels; may be none.
        positions_um : ndarray, shape (n_channels, 2)

        Notes
        -----
        About ``10 n_channels · SEGMENT_SAMPLES · n_blocks · n_hidden²`` floating-point operations:
        20 million on 12 channels.
        """
        mean, spread = mean_and_spread(neighbours, own.shape)
        positions = np.asarray(positions_um, np.float32)
        n_neighbours = np.float32(len(neighbours))
        bins, whole = forward(
            self.weights, self.config, (own, mean, spread), n_neighbours, positions, None, np
        )
        return EmbeddedSegment(
            bins=bins.astype(np.float32, copy=False), whole=whole.astype(np.float32, copy=False)
        )


def mean_and_spread(neighbours: Float32, shape: tuple[int, ...]) -> tuple[Float32, Float32]:
    """Return mean and standard deviation over segments; zeros where there is none."""
    if len(neighbours) == 0:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    return neighbours.mean(axis=0), neighbours.std(axis=0)


def forward(
    weights: Mapping[str, Array],
    config: SegmentConfig,
    traces: tuple[Array, Array, Array],
    n_neighbours: Array,
    positions_um: Array,
    mask: Array | None,
    xp: Any,
) -> tuple[Array, Array]:
    """Embed the bins of segments.

    Parameters
    ----------
    weights : mapping of str to array, float32
        As `segment_shapes` lists them.
    config : SegmentConfig
    traces : tuple of array, each of shape (..., n_channels, SEGMENT_SAMPLES), float32
        The segment, and mean and standard deviation of its neighbours; in units of noise.
    n_neighbours : array, shape (...), float32
        Where 0, mean and standard deviation are 0.
    positions_um : array, shape (..., n_channels, 2), float32
        Peak channel first.
    mask : array, shape (..., n_channels), bool, optional
        Which channels there are; the others pad a batch.
    xp : module
        ``numpy`` or ``torch``: whose arrays these are.

    Returns
    -------
    tuple of array
        Embeddings of the bins, shape (..., n_channels, SEGMENT_SAMPLES, n_dims), and of the
        segment as a whole, shape (..., n_dims); unit norm.
    """
    own, mean, spread = traces
    energy = xp.sum(xp.square(own), axis=-1)
    energy = energy if mask is None else energy * mask
    planes = xp.arcsinh(xp.stack([own, mean, spread, own - mean], axis=-1))
    place = _place(energy, n_neighbours, positions_um, xp) @ weights["place_weight"]
    hidden = _taps(_alive(planes, mask), FIRST_TAPS, 1, xp) @ weights["first_weight"]
    hidden = hidden + place[..., None, :] + weights["time_bias"]
    hidden = _alive(hidden.clip(min=0), mask)
    near = _near(positions_um, weights["log_length"], mask, xp)
    event = energy
    for block in range(config.n_blocks):
        if block == config.event_after:
            event = _event(weights, hidden, energy, mask, xp)
            hidden = hidden + (event @ weights["event_to_bins"])[..., None, None, :]
        hidden = _alive(_block(weights, hidden, near, block, xp), mask)
    summary = event @ weights["event_out"]
    out = hidden @ weights["out_weight"] + weights["out_bias"]
    whole = xp.concat([summary, xp.zeros_like(summary[..., :1])], axis=-1)
    return _join(out, summary, xp), _unit_norm(whole, xp)


def _block(weights: Mapping[str, Array], hidden: Array, near: Array, block: int, xp: Any) -> Array:
    """Mix each bin with others in time and, head by head, on other channels."""
    shape, n_heads = hidden.shape, near.shape[-3]
    parts = hidden.reshape(*shape[:-1], n_heads, shape[-1] // n_heads)
    by_head = xp.moveaxis(parts, -2, -4)
    seen = near @ by_head.reshape(*by_head.shape[:-2], -1)
    seen = xp.moveaxis(seen.reshape(by_head.shape), -4, -2).reshape(shape)
    change = _taps(hidden, BLOCK_TAPS, 2**block, xp) @ weights[f"block_{block}_time"]
    change = change + seen @ weights[f"block_{block}_space"] + weights[f"block_{block}_bias"]
    return hidden + change.clip(min=0) @ weights[f"block_{block}_out"]


def _event(
    weights: Mapping[str, Array], hidden: Array, energy: Array, mask: Array | None, xp: Any
) -> Array:
    """Return what the whole segment tells, shape (..., n_event)."""
    n_channels, n_samples, n_hidden = hidden.shape[-3:]
    bins = hidden.reshape(*hidden.shape[:-3], n_channels * n_samples, n_hidden)
    logits = bins @ weights["pool"]
    n_heads, n_there = logits.shape[-1], xp.ones_like(energy)
    if mask is not None:
        # A large negative number, not -inf: no channels at all must not give NaN.
        there = xp.broadcast_to(mask[..., None], hidden.shape[:-1]).reshape(*bins.shape[:-1], 1)
        logits, n_there = xp.where(there, logits, -1e9), n_there * mask
    share = xp.exp(logits - xp.amax(logits, axis=-2, keepdims=True))
    share = share / xp.sum(share, axis=-2, keepdims=True)
    share = share if mask is None else share * there
    parts = bins.reshape(*bins.shape[:-1], n_heads, n_hidden // n_heads)
    pooled = xp.einsum("...bh,...bhw->...hw", share, parts)
    pooled = pooled.reshape(*pooled.shape[:-2], n_hidden)
    log_norm = 0.5 * xp.log1p(xp.sum(energy, axis=-1)) - LOG_AMPLITUDE_CENTRE
    log_size = xp.log(xp.sum(n_there, axis=-1).clip(min=1))
    seen = xp.concat([pooled, log_norm[..., None], log_size[..., None]], axis=-1)
    return (seen @ weights["event_weight"] + weights["event_bias"]).clip(min=0)


def _place(energy: Array, n_neighbours: Array, positions_um: Array, xp: Any) -> Array:
    """Return what each channel tells of itself, shape (..., n_channels, N_PLACE)."""
    weight = (energy - CENTRE_SHARE * xp.amax(energy, axis=-1, keepdims=True)).clip(min=0)
    relative = positions_um - positions_um[..., :1, :]
    centre = xp.sum(weight[..., None] * relative, axis=-2, keepdims=True)
    centre = centre / (xp.sum(weight, axis=-1)[..., None, None] + 1e-6)
    offset = (relative - centre) / TOKEN_LENGTH_UM
    angle = positions_um * (2 * np.pi / LOCATION_PERIOD_UM)
    size = xp.log1p(n_neighbours)[..., None, None]
    return xp.concat(
        [
            offset,
            xp.sqrt(xp.sum(xp.square(offset), axis=-1, keepdims=True) + 1e-12),
            xp.cos(angle),
            xp.sin(angle),
            0.5 * xp.log1p(energy)[..., None] - LOG_AMPLITUDE_CENTRE,
            xp.ones_like(offset[..., :1]) * size,
        ],
        axis=-1,
    )


def _near(positions_um: Array, log_length: Array, mask: Array | None, xp: Any) -> Array:
    """Return how much each channel sees of each other, shape (..., n_heads, n, n)."""
    offset = positions_um[..., :, None, :] - positions_um[..., None, :, :]
    square = xp.sum(xp.square(offset), axis=-1)[..., None, :, :]
    weight = xp.exp(-0.5 * square / xp.exp(2 * log_length)[:, None, None])
    weight = weight if mask is None else weight * mask[..., None, None, :]
    return weight / xp.sum(weight, axis=-1, keepdims=True).clip(min=1e-6)


def _taps(values: Array, n_taps: int, step: int, xp: Any) -> Array:
    """Return each sample beside those around it, (..., n_samples, n_taps * n); zero beyond."""
    n_samples, half = values.shape[-2], n_taps // 2 * step
    margin = xp.zeros_like(values[..., :half, :])
    padded = xp.concat([margin, values, margin], axis=-2)
    taps = [padded[..., k * step : k * step + n_samples, :] for k in range(n_taps)]
    return xp.concat(taps, axis=-1)


def _alive(values: Array, mask: Array | None) -> Array:
    """Return values of shape (..., n_channels, n_samples, n) with 0 where there is no channel."""
    return values if mask is None else values * mask[..., None, None]


def _join(out: Array, summary: Array, xp: Any) -> Array:
    """Join what a bin says of itself with what its segment says, as far as it belongs there."""
    gate = out[..., -2:-1]
    belongs = gate.clip(min=0) + xp.log1p(xp.exp(-abs(gate)))
    unit = out[..., :-2] + belongs * summary[..., None, None, :]
    return _unit_norm(xp.concat([unit, out[..., -1:]], axis=-1), xp)


def _unit_norm(values: Array, xp: Any) -> Array:
    square = xp.sum(xp.square(values), axis=-1, keepdims=True) + NORM_FLOOR
    return values / xp.sqrt(square)
