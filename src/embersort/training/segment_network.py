"""The segment network's parameters in PyTorch, to be trained by the one `forward` there is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from embersort.embedding.segment_architecture import (
    LENGTHS_UM,
    SegmentConfig,
    segment_shapes,
)
from embersort.embedding.segment_network import SegmentNetwork as Trained
from embersort.embedding.segment_network import forward
from embersort.embedding.torch_encoder import initial_value

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
        weights = dict(self.named_parameters())
        traces = (own, mean, spread)
        sizes = n_neighbours.to(own.dtype)
        return forward(weights, self.config, traces, sizes, positions_um, mask, torch)

    def trained(self) -> Trained:
        """Return the parameters as arrays, for unmixing."""
        weights = {
            name: value.detach().cpu().numpy().astype(np.float32)
            for name, value in self.named_parameters()
        }
        return Trained(config=self.config, weights=weights)
