"""The segment network in PyTorch, to be trained; `embersort.embedding` holds its NumPy twin."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from embersort.embedding.architecture import (
    CENTRE_SHARE,
    LOCATION_PERIOD_UM,
    LOG_AMPLITUDE_CENTRE,
    TOKEN_LENGTH_UM,
)
from embersort.embedding.segment_architecture import (
    BLOCK_TAPS,
    FIRST_TAPS,
    LENGTHS_UM,
    SegmentConfig,
    segment_shapes,
)
from embersort.embedding.segment_network import SegmentNetwork as Trained
from embersort.embedding.torch_encoder import attention_pool, initial_value, unit_norm

RESIDUAL_GAIN = 0.3
"""Blocks start as small changes of what goes in."""


class SegmentNetwork(nn.Module):
    """The segment network with random weights, drawn from ``seed``."""

    def __init__(self, config: SegmentConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        for name, shape in segment_shapes(config).items():
            value = initial_value(name, shape, generator)
            if name.startswith("block") and name.endswith("out"):
                value = value * RESIDUAL_GAIN
            self.register_parameter(name, nn.Parameter(value))
        with torch.no_grad():
            self.log_length.copy_(torch.tensor(LENGTHS_UM).log())
            self.time_bias.zero_()

    def forward(
        self,
        own: Tensor,
        mean: Tensor,
        spread: Tensor,
        n_neighbours: Tensor,
        positions_um: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Embed the bins of segments.

        Parameters
        ----------
        own, mean, spread : Tensor, shape (..., n_channels, SEGMENT_SAMPLES), float32
            The segment, and mean and standard deviation of its neighbours; in units of noise.
        n_neighbours : Tensor, shape (...)
            Where 0, ``mean`` and ``spread`` are 0.
        positions_um : Tensor, shape (..., n_channels, 2), float32
            Peak channel first.
        mask : Tensor, shape (..., n_channels), bool

        Returns
        -------
        tuple of Tensor
            Embeddings of the bins, shape (..., n_channels, SEGMENT_SAMPLES, n_dims), and of the
            segment as a whole, shape (..., n_dims); unit norm.
        """
        alive = mask[..., None, None]
        planes = torch.stack([own.asinh(), mean.asinh(), spread.asinh(), (own - mean).asinh()], -1)
        energy = own.square().sum(-1) * mask
        place = _place(energy, n_neighbours, positions_um)
        hidden = _taps(planes * alive, FIRST_TAPS, 1) @ self.first_weight
        hidden = hidden + (place @ self.place_weight).unsqueeze(-2) + self.time_bias
        hidden = torch.relu(hidden) * alive
        near = self._near(positions_um, mask)
        event = None
        for block in range(self.config.n_blocks):
            if block == self.config.event_after:
                event = self._event(hidden, energy, mask)
                hidden = hidden + (event @ self.event_to_bins)[..., None, None, :]
            hidden = self._block(hidden, near, block) * alive
        summary = event @ self.event_out
        embedding = self._bins(hidden @ self.out_weight + self.out_bias, summary)
        whole = torch.cat([summary, torch.zeros_like(summary[..., :1])], -1)
        return embedding, unit_norm(whole)

    def trained(self) -> Trained:
        """Return the parameters as arrays, for unmixing."""
        weights = {
            name: value.detach().cpu().numpy().astype(np.float32)
            for name, value in self.named_parameters()
        }
        return Trained(config=self.config, weights=weights)

    def _near(self, positions_um: Tensor, mask: Tensor) -> Tensor:
        """Return how much each channel sees of each other, shape (..., n_heads, n, n)."""
        offset = positions_um.unsqueeze(-2) - positions_um.unsqueeze(-3)
        square = offset.square().sum(-1).unsqueeze(-3)
        weight = (-0.5 * square / (2 * self.log_length).exp()[:, None, None]).exp()
        weight = weight * mask[..., None, None, :]
        return weight / weight.sum(-1, keepdim=True).clamp_min(1e-6)

    def _block(self, hidden: Tensor, near: Tensor, block: int) -> Tensor:
        parts = hidden.unflatten(-1, (near.shape[-3], -1))
        seen = torch.einsum("...hcd,...dthw->...cthw", near, parts).flatten(-2)
        change = (
            _taps(hidden, BLOCK_TAPS, 2**block) @ self.get_parameter(f"block_{block}_time")
            + seen @ self.get_parameter(f"block_{block}_space")
            + self.get_parameter(f"block_{block}_bias")
        )
        return hidden + torch.relu(change) @ self.get_parameter(f"block_{block}_out")

    def _event(self, hidden: Tensor, energy: Tensor, mask: Tensor) -> Tensor:
        """Return what the whole segment tells, shape (..., n_event)."""
        bins = hidden.flatten(-3, -2)
        there = mask.unsqueeze(-1).expand(hidden.shape[:-1]).flatten(-2)
        pooled = attention_pool(bins, self.pool, there)
        log_norm = 0.5 * (1 + energy.sum(-1)).log()
        extras = torch.stack(
            [log_norm - LOG_AMPLITUDE_CENTRE, mask.sum(-1).clamp_min(1).float().log()], -1
        )
        return torch.relu(torch.cat([pooled, extras], -1) @ self.event_weight + self.event_bias)

    def _bins(self, out: Tensor, summary: Tensor) -> Tensor:
        """Join what a bin says of itself with what its segment says, as far as it belongs there."""
        shape, gate, background = out.split([out.shape[-1] - 2, 1, 1], -1)
        belongs = nn.functional.softplus(gate)
        unit = shape + belongs * summary[..., None, None, :]
        return unit_norm(torch.cat([unit, background], -1))


def _place(energy: Tensor, n_neighbours: Tensor, positions_um: Tensor) -> Tensor:
    """Return what each channel tells of itself, shape (..., n_channels, N_PLACE)."""
    weight = torch.relu(energy - CENTRE_SHARE * energy.amax(-1, keepdim=True))
    origin = positions_um[..., :1, :]
    centre = (weight.unsqueeze(-1) * (positions_um - origin)).sum(-2, keepdim=True)
    centre = centre / (weight.sum(-1)[..., None, None] + 1e-6)
    offset = (positions_um - origin - centre) / TOKEN_LENGTH_UM
    angle = positions_um * (2 * math.pi / LOCATION_PERIOD_UM)
    size = n_neighbours[..., None, None].float().log1p().expand_as(offset[..., :1])
    return torch.cat(
        [
            offset,
            (offset.square().sum(-1, keepdim=True) + 1e-12).sqrt(),
            angle.cos(),
            angle.sin(),
            0.5 * energy.log1p().unsqueeze(-1) - LOG_AMPLITUDE_CENTRE,
            size,
        ],
        -1,
    )


def _taps(values: Tensor, n_taps: int, step: int) -> Tensor:
    """Return each sample beside those around it, (..., n_samples, n_taps * n); zero beyond."""
    n_samples, half = values.shape[-2], n_taps // 2 * step
    padded = nn.functional.pad(values, (0, 0, half, half))
    return torch.cat([padded[..., k * step : k * step + n_samples, :] for k in range(n_taps)], -1)
