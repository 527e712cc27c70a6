"""The bin-embedding network in PyTorch, for training; `network.py` runs it without.

A U-Net over time and frequency. Convolutions share what they learn between pitches; at each
level a small dense layer along frequency lets every bin see all harmonics of its frame.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from embersort.speech.network import NetworkConfig


class DenseBlock(nn.Module):
    """Two 3 × 3 convolutions, then a dense layer along frequency beside a shortcut."""

    def __init__(self, n_in: int, n_out: int, n_frequencies: int, n_hidden: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_out)
        self.squeeze = nn.Linear(n_frequencies, n_hidden)
        self.spread = nn.Linear(n_hidden, n_frequencies)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, n_in, time, frequency) to (batch, n_out, time, frequency)."""
        x = torch.relu(self.first_norm(self.first(x)))
        x = torch.relu(self.second_norm(self.second(x)))
        return x + self.spread(torch.relu(self.squeeze(x)))


class BinEmbedder(nn.Module):
    """Log spectrogram to one unit-norm vector per bin.

    Parameters
    ----------
    config : NetworkConfig
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.channels
        n_patch = config.patch**2
        self.register_buffer("feature_mean", torch.zeros(config.n_frequencies))
        self.register_buffer("feature_scale", torch.ones(()))
        self.down = nn.ModuleList(
            DenseBlock(
                n_patch if level == 0 else widths[level],
                widths[level],
                *config.block_frequencies(level),
            )
            for level in range(len(widths))
        )
        self.shrink = nn.ModuleList(
            nn.Conv2d(widths[level], widths[level + 1], 2, stride=2)
            for level in range(len(widths) - 1)
        )
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(widths[level + 1], widths[level], 2, stride=2)
            for level in range(len(widths) - 1)
        )
        self.up = nn.ModuleList(
            DenseBlock(2 * widths[level], widths[level], *config.block_frequencies(level))
            for level in range(len(widths) - 1)
        )
        self.head = nn.Conv2d(widths[0], n_patch * config.n_dims, 1)
        # How sharply a mask follows the distance to a speaker's centre; learned by the mask loss.
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(5.0)))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (batch, time, frequency) to embeddings (batch, time, frequency, n_dims)."""
        return nn.functional.normalize(self.vectors(features).float(), dim=-1)

    def vectors(self, features: Tensor) -> Tensor:
        """Return the embeddings before they are brought to unit norm."""
        n_frames = features.shape[1]
        x = ((features - self.feature_mean) / self.feature_scale).unsqueeze(1)
        x = nn.functional.pad(x, (0, 0, 0, -n_frames % self.config.time_multiple))
        x = nn.functional.pixel_unshuffle(x, self.config.patch)
        skipped = []
        for level, block in enumerate(self.down):
            x = block(x)
            if level < len(self.shrink):
                skipped.append(x)
                x = self.shrink[level](x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([self.grow[level](x), skipped[level]], dim=1))
        x = nn.functional.pixel_shuffle(self.head(x), self.config.patch)
        return x[:, :, :n_frames].permute(0, 2, 3, 1)


def export_weights(model: BinEmbedder) -> dict[str, np.ndarray]:
    """Return the weights in the layout of `network.py`, batch normalisation folded in."""
    weights: dict[str, Tensor] = {
        "feature_mean": model.feature_mean,
        "feature_scale": model.feature_scale,
        "sharpness": model.log_sharpness.exp(),
        "head.weight": model.head.weight[:, :, 0, 0].T,
        "head.bias": model.head.bias,
    }
    for side in ("down", "up"):
        for level, block in enumerate(getattr(model, side)):
            name = f"{side}.{level}"
            for part in ("first", "second"):
                weight, bias = _folded(getattr(block, part), getattr(block, f"{part}_norm"))
                # (out, in, time, frequency) -> (time, frequency · in, out)
                rows = weight.permute(2, 3, 1, 0).flatten(1, 2)
                weights[f"{name}.{part}.weight"] = rows
                weights[f"{name}.{part}.bias"] = bias
            for part in ("squeeze", "spread"):
                layer = getattr(block, part)
                weights[f"{name}.{part}.weight"] = layer.weight
                weights[f"{name}.{part}.bias"] = layer.bias
    for level, (shrink, grow) in enumerate(zip(model.shrink, model.grow, strict=True)):
        weights[f"shrink.{level}.weight"] = shrink.weight.permute(2, 3, 1, 0).flatten(0, 2)
        weights[f"shrink.{level}.bias"] = shrink.bias
        weights[f"grow.{level}.weight"] = grow.weight.permute(0, 2, 3, 1).flatten(1)
        weights[f"grow.{level}.bias"] = grow.bias
    return {
        name: np.array(value.detach().numpy(), np.float32, order="C")
        for name, value in weights.items()
    }


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution followed by its normalisation."""
    gain = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = convolution.weight * gain[:, None, None, None]
    return weight, norm.bias - norm.running_mean * gain
