"""The segment network: every bin of a segment becomes a point on the unit sphere.

A segment is seen together with mean and spread of its nearest neighbours within half a minute:
where it equals them the bin is the neuron's own, where it does not something else is there too.
Blocks mix each bin with others in time and, by distance, on other channels; halfway the segment is
pooled, and what it tells as a whole goes back to every bin. One segment is computed at a time, so
its result never depends on its company.
"""

from __future__ import annotations

from dataclasses import dataclass

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
        w, config = self.weights, self.config
        mean, spread = mean_and_spread(neighbours, own.shape)
        positions = np.asarray(positions_um, np.float32)
        energy = np.square(own).sum(axis=1)
        planes = np.arcsinh(np.stack([own, mean, spread, own - mean], axis=-1))
        hidden = _taps(planes, FIRST_TAPS, 1) @ w["first_weight"]
        hidden += (_place(energy, len(neighbours), positions) @ w["place_weight"])[:, None]
        hidden += w["time_bias"]
        np.maximum(hidden, 0, out=hidden)
        near = _near(positions, w["log_length"])
        event = np.zeros(0, np.float32)
        for block in range(config.n_blocks):
            if block == config.event_after:
                event = self._event(hidden, energy)
                hidden = hidden + event @ w["event_to_bins"]
            hidden = self._block(hidden, near, block)
        summary = event @ w["event_out"]
        out = (hidden @ w["out_weight"] + w["out_bias"]).astype(np.float32, copy=False)
        return EmbeddedSegment(
            bins=_join(out, summary),
            whole=_unit_norm(np.append(summary, np.float32(0))),
        )

    def _block(self, hidden: Float32, near: Float32, block: int) -> Float32:
        w, (n_channels, n_samples, n_hidden) = self.weights, hidden.shape
        n_heads = len(near)
        parts = hidden.reshape(n_channels, n_samples, n_heads, n_hidden // n_heads)
        seen = np.empty_like(parts)
        for head in range(n_heads):
            columns = np.ascontiguousarray(parts[:, :, head]).reshape(n_channels, -1)
            seen[:, :, head] = (near[head] @ columns).reshape(n_channels, n_samples, -1)
        change: Float32 = _taps(hidden, BLOCK_TAPS, 2**block) @ w[f"block_{block}_time"]
        change += seen.reshape(hidden.shape) @ w[f"block_{block}_space"]
        change += w[f"block_{block}_bias"]
        np.maximum(change, 0, out=change)
        return np.asarray(hidden + change @ w[f"block_{block}_out"], np.float32)

    def _event(self, hidden: Float32, energy: Float32) -> Float32:
        """Return what the whole segment tells, shape (n_event,)."""
        w, bins = self.weights, hidden.reshape(-1, hidden.shape[-1])
        logits = bins @ w["pool"]
        share = np.exp(logits - logits.max(axis=0))
        share /= share.sum(axis=0)
        n_heads = share.shape[1]
        parts = bins.reshape(len(bins), n_heads, -1)
        pooled = np.einsum("bh,bhw->hw", share, parts).ravel()
        log_norm = np.float32(0.5) * np.log1p(energy.sum()) - np.float32(LOG_AMPLITUDE_CENTRE)
        extras = np.array([log_norm, np.log(np.float32(len(energy)))], np.float32)
        answer = np.concatenate([pooled, extras]) @ w["event_weight"] + w["event_bias"]
        return np.asarray(np.maximum(answer, 0), np.float32)


def mean_and_spread(neighbours: Float32, shape: tuple[int, ...]) -> tuple[Float32, Float32]:
    """Return mean and standard deviation over segments; zeros where there is none."""
    if len(neighbours) == 0:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    return neighbours.mean(axis=0), neighbours.std(axis=0)


def _place(energy: Float32, n_neighbours: int, positions: Float32) -> Float32:
    """Return what each channel tells of itself, shape (n_channels, N_PLACE)."""
    weight = np.maximum(energy - np.float32(CENTRE_SHARE) * energy.max(), 0)
    relative = positions - positions[0]
    centre = weight @ relative / (weight.sum() + np.float32(1e-6))
    offset = (relative - centre) / np.float32(TOKEN_LENGTH_UM)
    angle = positions * np.float32(2 * np.pi / LOCATION_PERIOD_UM)
    return np.column_stack(
        [
            offset,
            np.sqrt(np.square(offset).sum(axis=1) + np.float32(1e-12)),
            np.cos(angle),
            np.sin(angle),
            np.float32(0.5) * np.log1p(energy) - np.float32(LOG_AMPLITUDE_CENTRE),
            np.full(len(energy), np.log1p(np.float32(n_neighbours)), np.float32),
        ]
    ).astype(np.float32)


def _near(positions: Float32, log_length: Float32) -> Float32:
    """Return how much each channel sees of each other, shape (n_heads, n_channels, n_channels)."""
    offset = positions[:, None] - positions[None]
    square = np.square(offset).sum(axis=2)
    weight = np.exp(np.float32(-0.5) * square / np.exp(2 * log_length)[:, None, None])
    return weight / np.maximum(weight.sum(axis=2, keepdims=True), np.float32(1e-6))


def _taps(values: Float32, n_taps: int, step: int) -> Float32:
    """Return each sample beside those around it, (n_channels, n_samples, n_taps * n)."""
    n_channels, n_samples, n = values.shape
    half = n_taps // 2 * step
    padded = np.zeros((n_channels, n_samples + 2 * half, n), np.float32)
    padded[:, half : half + n_samples] = values
    taps = [padded[:, k * step : k * step + n_samples] for k in range(n_taps)]
    return np.concatenate(taps, axis=2)


def _join(out: Float32, summary: Float32) -> Float32:
    """Join what a bin says of itself with what its segment says, as far as it belongs there."""
    gate = out[..., -2:-1]
    belongs = np.maximum(gate, 0) + np.log1p(np.exp(-np.abs(gate)))
    unit = out[..., :-2] + belongs * summary
    return _unit_norm(np.concatenate([unit, out[..., -1:]], axis=-1))


def _unit_norm(values: Float32) -> Float32:
    square = np.square(values).sum(axis=-1, keepdims=True) + np.float32(NORM_FLOOR)
    return (values / np.sqrt(square)).astype(np.float32)
