"""The bin-embedding network at run time, in NumPy: the twin of `torch_network.BinEmbedder`.

Arrays are (time, frequency, channel), so that a 3 × 3 convolution is three matrix products over
contiguous slices. Batch normalisation is folded into the convolutions when weights are exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from embersort.config import Config

Float32Array = NDArray[np.float32]


class NetworkConfig(Config):
    """The shape of the network."""

    n_frequencies: int = Field(128, ge=16)
    """Frequency bins, without 0 Hz, which carries no voice."""
    n_dims: int = Field(20, ge=2)
    """Dimensions of the embedding; Hershey et al. 2016 use 20 to 60."""
    patch: int = Field(2, ge=1)
    """The network works on patches of this many frames and as many frequencies."""
    channels: tuple[int, ...] = (32, 64, 128, 128)
    """Channels of each level; a level halves time and frequency of the one before."""

    @model_validator(mode="after")
    def _levels_divide_frequencies(self) -> NetworkConfig:
        if not self.channels or self.n_frequencies % self.time_multiple:
            raise ValueError(
                f"n_frequencies must be a multiple of {self.time_multiple}, "
                "for this patch and number of levels"
            )
        return self

    @property
    def time_multiple(self) -> int:
        """The network works on a multiple of this number of frames."""
        return self.patch * 2 ** (len(self.channels) - 1)

    def block_frequencies(self, level: int) -> tuple[int, int]:
        """Return the frequencies of a level, and the hidden units of its dense layer."""
        n_frequencies = self.n_frequencies // self.patch >> level
        return n_frequencies, max(8, n_frequencies // 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A trained network.

    Attributes
    ----------
    config : NetworkConfig
    weights : mapping of str to ndarray, float32
        By name, as `export_weights` in `torch_network.py` writes them.
    """

    config: NetworkConfig
    weights: Mapping[str, Float32Array]

    @property
    def sharpness(self) -> float:
        """Factor of the similarity in soft masks."""
        return float(self.weights["sharpness"])


def weight_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every weight of a network."""
    n_patch, widths = config.patch**2, config.channels
    shapes: dict[str, tuple[int, ...]] = {
        "feature_mean": (config.n_frequencies,),
        "feature_scale": (),
        "sharpness": (),
        "head.weight": (widths[0], n_patch * config.n_dims),
        "head.bias": (n_patch * config.n_dims,),
    }
    for level, width in enumerate(widths):
        shapes |= _block_shapes(f"down.{level}", width if level else n_patch, width, config, level)
    for level, (width, deeper) in enumerate(pairwise(widths)):
        shapes |= _block_shapes(f"up.{level}", 2 * width, width, config, level)
        shapes[f"shrink.{level}.weight"] = (4 * width, deeper)
        shapes[f"shrink.{level}.bias"] = (deeper,)
        shapes[f"grow.{level}.weight"] = (deeper, 4 * width)
        shapes[f"grow.{level}.bias"] = (width,)
    return shapes


def _block_shapes(
    name: str, n_in: int, n_out: int, config: NetworkConfig, level: int
) -> dict[str, tuple[int, ...]]:
    """Return name and shape of the weights of one block."""
    n_frequencies, n_hidden = config.block_frequencies(level)
    return {
        f"{name}.first.weight": (3, 3 * n_in, n_out),
        f"{name}.first.bias": (n_out,),
        f"{name}.second.weight": (3, 3 * n_out, n_out),
        f"{name}.second.bias": (n_out,),
        f"{name}.squeeze.weight": (n_hidden, n_frequencies),
        f"{name}.squeeze.bias": (n_hidden,),
        f"{name}.spread.weight": (n_frequencies, n_hidden),
        f"{name}.spread.bias": (n_frequencies,),
    }


def embed_segment(network: Network, features: Float32Array) -> Float32Array:
    """Return the embedding of every bin of one segment.

    Parameters
    ----------
    network : Network
    features : ndarray, shape (n_frames, n_frequencies), float32
        Log features without 0 Hz.

    Returns
    -------
    ndarray, shape (n_frames, n_frequencies, n_dims), float32
        Unit-norm vectors. About 35,000 multiplications a bin for the default shape.
    """
    weights, n_levels = network.weights, len(network.config.channels)
    n_frames = len(features)
    x = (features - weights["feature_mean"]) / weights["feature_scale"]
    x = np.pad(x, ((0, -n_frames % network.config.time_multiple), (0, 0)))
    x = _to_patches(x, network.config.patch)

    skipped = []
    for level in range(n_levels):
        x = _block(x, weights, f"down.{level}")
        if level < n_levels - 1:
            skipped.append(x)
            x = _shrink(x, weights[f"shrink.{level}.weight"], weights[f"shrink.{level}.bias"])
    for level in reversed(range(n_levels - 1)):
        x = _grow(x, weights[f"grow.{level}.weight"], weights[f"grow.{level}.bias"])
        x = _block(np.concatenate([x, skipped[level]], axis=2), weights, f"up.{level}")

    v = _from_patches(x @ weights["head.weight"] + weights["head.bias"], network.config.patch)
    v = v[:n_frames]
    return v / np.maximum(np.sqrt(np.einsum("tfd,tfd->tf", v, v)), _SMALLEST_NORM)[:, :, None]


_SMALLEST_NORM = np.float32(1e-12)
"""As in PyTorch's normalize."""


def _to_patches(x: Float32Array, patch: int) -> Float32Array:
    """Return (time, frequency) as patches: the bins of a patch become its channels."""
    n_frames, n_frequencies = x.shape
    squares = x.reshape(n_frames // patch, patch, n_frequencies // patch, patch)
    return squares.transpose(0, 2, 1, 3).reshape(*squares.shape[::2], patch * patch)


def _from_patches(x: Float32Array, patch: int) -> Float32Array:
    """Return the bins of patches, shape (time, frequency, n_dims)."""
    n_rows, n_columns, _ = x.shape
    squares = x.reshape(n_rows, n_columns, -1, patch, patch)
    return squares.transpose(0, 3, 1, 4, 2).reshape(n_rows * patch, n_columns * patch, -1)


def _block(x: Float32Array, weights: Mapping[str, Float32Array], name: str) -> Float32Array:
    """Two convolutions, then the dense layer along frequency beside a shortcut."""
    x = _convolve_relu(x, weights[f"{name}.first.weight"], weights[f"{name}.first.bias"])
    x = _convolve_relu(x, weights[f"{name}.second.weight"], weights[f"{name}.second.bias"])
    hidden = weights[f"{name}.squeeze.weight"] @ x
    hidden += weights[f"{name}.squeeze.bias"][:, None]
    np.maximum(hidden, 0, out=hidden)
    x += weights[f"{name}.spread.weight"] @ hidden
    x += weights[f"{name}.spread.bias"][:, None]
    return x


def _convolve_relu(x: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    """Return relu of a 3 × 3 convolution with zero margins; weight (3, 3 · n_in, n_out)."""
    n_frames, n_frequencies, n_in = x.shape
    # The three neighbours in frequency side by side; those in time are slices of this.
    wide = np.zeros((n_frames + 2, n_frequencies, 3, n_in), np.float32)
    wide[1:-1, 1:, 0] = x[:, :-1]
    wide[1:-1, :, 1] = x
    wide[1:-1, :-1, 2] = x[:, 1:]
    rows = wide.reshape(-1, 3 * n_in)
    n_rows = n_frames * n_frequencies
    out = rows[:n_rows] @ weight[0]
    for shift in (1, 2):
        out += rows[shift * n_frequencies : shift * n_frequencies + n_rows] @ weight[shift]
    out += bias
    np.maximum(out, 0, out=out)
    return out.reshape(n_frames, n_frequencies, -1)


def _shrink(x: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    """Return the 2 × 2 convolution with stride 2; weight (4 · n_in, n_out)."""
    n_frames, n_frequencies, n_in = x.shape
    fours = x.reshape(n_frames // 2, 2, n_frequencies // 2, 2, n_in).transpose(0, 2, 1, 3, 4)
    return fours.reshape(n_frames // 2, n_frequencies // 2, 4 * n_in) @ weight + bias


def _grow(x: Float32Array, weight: Float32Array, bias: Float32Array) -> Float32Array:
    """Return the transposed 2 × 2 convolution with stride 2; weight (n_in, 4 · n_out)."""
    n_frames, n_frequencies, _ = x.shape
    fours = (x @ weight).reshape(n_frames, n_frequencies, 2, 2, -1) + bias
    return fours.transpose(0, 2, 1, 3, 4).reshape(2 * n_frames, 2 * n_frequencies, -1)
