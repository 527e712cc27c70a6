"""The encoder in PyTorch, to be trained and for GPUs; `encoder` is its twin for sorting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from embersort.embedding.architecture import (
    CANONICAL_BEFORE_SAMPLES,
    CANONICAL_SAMPLES,
    CENTRE_SHARE,
    LOCATION_PERIOD_UM,
    LOG_AMPLITUDE_CENTRE,
    TOKEN_GAIN,
    TOKEN_LENGTH_UM,
    EncoderConfig,
    encoder_shapes,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderOutput:
    """What the network says of each event; shapes (..., ) and (..., n) of the batch.

    Attributes
    ----------
    embedding : Tensor, shape (..., n_dims)
        Unit norm.
    spike_logit, collision_logit, shift_ms : Tensor, shape (...)
    position_um : Tensor, shape (..., 2)
    log_amplitude : Tensor, shape (...)
    """

    embedding: Tensor
    spike_logit: Tensor
    collision_logit: Tensor
    shift_ms: Tensor
    position_um: Tensor
    log_amplitude: Tensor


class EncoderNetwork(nn.Module):
    """The encoder with random weights, drawn from ``seed``."""

    def __init__(self, config: EncoderConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        for name, shape in encoder_shapes(config).items():
            self.register_parameter(name, nn.Parameter(initial_value(name, shape, generator)))
        with torch.no_grad():
            self.temporal.copy_(_cosine_basis(config.n_coefficients))

    def forward(self, snippets: Tensor, positions_um: Tensor, mask: Tensor) -> EncoderOutput:
        """Encode events.

        Parameters
        ----------
        snippets : Tensor, shape (..., n_channels, CANONICAL_SAMPLES), float32
            At the canonical rate, channel before time; peak channel first.
        positions_um : Tensor, shape (..., n_channels, 2), float32
        mask : Tensor, shape (..., n_channels), bool
            True where there is a channel.
        """
        tokens, centre, log_norm = self._tokens(snippets, positions_um, mask)
        hidden = torch.relu(tokens @ self.token_weight + self.token_bias)
        pooled = attention_pool(hidden, self.pool_1, mask)
        mixed = hidden @ self.mix_weight + (pooled @ self.mix_pooled + self.mix_bias).unsqueeze(-2)
        pooled = attention_pool(torch.relu(mixed), self.pool_2, mask)
        event = torch.stack(
            [log_norm - LOG_AMPLITUDE_CENTRE, mask.sum(-1).clamp_min(1).float().log()], -1
        )
        head = torch.relu(torch.cat([pooled, event], -1) @ self.head_weight + self.head_bias)
        return self._answers(head @ self.out_weight + self.out_bias, centre, log_norm)

    def _tokens(
        self, snippets: Tensor, positions_um: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens, the event's centre (µm) and its log norm."""
        coefficients = (snippets @ self.temporal) * mask.unsqueeze(-1)
        energy = coefficients.square().sum(-1)
        total = 1.0 + energy.sum(-1)
        weight = torch.relu(energy - CENTRE_SHARE * energy.amax(-1, keepdim=True)).detach() * mask
        origin = positions_um[..., :1, :]
        centre = (weight.unsqueeze(-1) * (positions_um - origin)).sum(-2)
        centre = centre / (weight.sum(-1, keepdim=True) + 1e-6)
        offset = (positions_um - origin - centre.unsqueeze(-2)) / TOKEN_LENGTH_UM
        norm = total.sqrt().unsqueeze(-1)
        log_norm = 0.5 * total.log()
        tokens = torch.cat(
            [
                coefficients / norm.unsqueeze(-1) * TOKEN_GAIN,
                offset,
                (offset.square().sum(-1, keepdim=True) + 1e-12).sqrt(),
                ((energy + 1e-12).sqrt() / norm).unsqueeze(-1),
                (log_norm - LOG_AMPLITUDE_CENTRE)[..., None, None].expand_as(offset[..., :1]),
            ],
            -1,
        )
        return tokens, origin.squeeze(-2) + centre, log_norm

    def _answers(self, out: Tensor, centre: Tensor, log_norm: Tensor) -> EncoderOutput:
        shape, extras = out.split([self.config.n_shape, out.shape[-1] - self.config.n_shape], -1)
        position = centre + TOKEN_LENGTH_UM * extras[..., 4:6]
        gate = nn.functional.softplus(extras[..., :1])
        angle = position * (2 * math.pi / LOCATION_PERIOD_UM)
        place = torch.stack([angle.cos(), angle.sin()], -1).flatten(-2)
        return EncoderOutput(
            embedding=unit_norm(torch.cat([shape, gate * place], -1)),
            spike_logit=extras[..., 1],
            collision_logit=extras[..., 2],
            shift_ms=extras[..., 3],
            position_um=position,
            log_amplitude=log_norm,
        )


def attention_pool(tokens: Tensor, weight: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the tokens weighted by a softmax, one weight per head.

    Parameters
    ----------
    tokens : Tensor, shape (..., n_tokens, n_hidden)
    weight : Tensor, shape (n_hidden, n_heads)
    mask : Tensor, shape (..., n_tokens), bool
        Where all are masked the result is zero.

    Returns
    -------
    Tensor, shape (..., n_hidden)
    """
    n_heads = weight.shape[1]
    # A large negative number, not -inf: no tokens at all must not give NaN.
    logits = (tokens @ weight).masked_fill(~mask.unsqueeze(-1), -1e9)
    share = logits.softmax(-2) * mask.unsqueeze(-1)
    parts = tokens.unflatten(-1, (n_heads, tokens.shape[-1] // n_heads))
    return torch.einsum("...th,...thw->...hw", share, parts).flatten(-2)


def unit_norm(values: Tensor) -> Tensor:
    """Scale the last axis to unit norm."""
    return values * (values.square().sum(-1, keepdim=True) + 1e-12).rsqrt()


def initial_value(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return random weights of the size that keeps rectified layers at unit scale (He et al. 2015).

    Biases and pooling weights start at zero: pooling starts as a plain mean.
    """
    if len(shape) == 1 or name.startswith("pool"):
        return torch.zeros(shape)
    gain = 1.0 if name.startswith("out") else math.sqrt(2.0)
    return torch.randn(shape, generator=generator) * gain / math.sqrt(shape[0])


def _cosine_basis(n_coefficients: int) -> Tensor:
    """Return smooth orthonormal functions of time, finer round the trough, to start from."""
    time = (torch.arange(CANONICAL_SAMPLES) - CANONICAL_BEFORE_SAMPLES).double() / 8.0
    warped = torch.asinh(time)
    warped = (warped - warped[0]) / (warped[-1] - warped[0])
    waves = torch.stack([(math.pi * k * warped).cos() for k in range(n_coefficients)], -1)
    taper = torch.ones(CANONICAL_SAMPLES, dtype=torch.double)
    taper[:4] = torch.linspace(0.2, 0.8, 4)
    taper[-4:] = torch.linspace(0.8, 0.2, 4)
    basis, _ = torch.linalg.qr(waves * taper.unsqueeze(-1))
    return basis.float()
