"""The context network in PyTorch, to be trained and for GPUs; `context` is its twin."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from embersort.embedding.architecture import (
    LOG_AMPLITUDE_CENTRE,
    ContextConfig,
    context_shapes,
)
from embersort.embedding.context import (
    DISTANCE_LIMIT,
    DISTANCE_SCALE_UM,
    LOG_TIME_SCALE,
    SHORTEST_S,
    TIME_SCALE_S,
)
from embersort.embedding.torch_encoder import attention_pool, initial_value, unit_norm

START_GATE_LOGIT = -1.0
"""The gate starts about a quarter open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventTable:
    """The events of a batch of sets, as the context network sees them.

    Attributes
    ----------
    embedding : Tensor, shape (n_sets, n_events, n_dims)
    time_s : Tensor, shape (n_sets, n_events), float64
    position_um : Tensor, shape (n_sets, n_events, 2)
    log_amplitude : Tensor, shape (n_sets, n_events)
    """

    embedding: Tensor
    time_s: Tensor
    position_um: Tensor
    log_amplitude: Tensor


class ContextNetwork(nn.Module):
    """The context network with random weights, drawn from ``seed``."""

    def __init__(self, config: ContextConfig, n_dims: int, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.n_dims = n_dims
        generator = torch.Generator().manual_seed(seed)
        for name, shape in context_shapes(config, n_dims).items():
            self.register_parameter(name, nn.Parameter(initial_value(name, shape, generator)))
        with torch.no_grad():
            self.out_weight.mul_(0.1)
            self.out_bias[-1] = START_GATE_LOGIT

    def forward(
        self, events: EventTable, neighbours: Tensor, timed: Tensor, first: int = 0
    ) -> Tensor:
        """Return embeddings changed in the light of their neighbours.

        Parameters
        ----------
        events : EventTable
        neighbours : Tensor, shape (n_sets, n_rows, n_neighbours), int64
            Of the events from ``first`` on; -1 where there are no more.
        timed : Tensor, shape (n_sets,), bool
            False where times are withheld in training, lest refractory periods be all that counts.
        first : int
            The first event that is changed.

        Returns
        -------
        Tensor, shape (n_sets, n_rows, n_dims)
        """
        rows = slice(first, first + neighbours.shape[1])
        mask = neighbours >= 0
        index = neighbours.clamp_min(0)
        amplitude = (events.log_amplitude - LOG_AMPLITUDE_CENTRE).unsqueeze(-1)
        inputs = torch.cat([events.embedding, amplitude], -1)
        own = inputs[:, rows] @ self.own_weight + self.pair_bias
        other = _pick(inputs @ self.other_weight, index)
        relations = _relations(events, amplitude, index, timed, rows)
        pairs = torch.relu(own.unsqueeze(-2) + other + relations @ self.relation_weight)
        pooled = attention_pool(pairs, self.pool, mask)
        update = torch.relu(
            torch.cat([pooled, inputs[:, rows]], -1) @ self.update_weight + self.update_bias
        )
        out = update @ self.out_weight + self.out_bias
        gate = torch.sigmoid(out[..., -1:]) * mask.any(-1, keepdim=True)
        return unit_norm(events.embedding[:, rows] + gate * out[..., :-1])


def nearest_in_set(events: EventTable, config: ContextConfig) -> Tensor:
    """Return each event's neighbours within the set, as `neighbours.nearest_events` finds them.

    Returns
    -------
    Tensor, shape (n_sets, n_events, n_neighbours), int64
        -1 where there is none; fewer columns where a set has fewer events.
    """
    with torch.no_grad():
        similarity = events.embedding @ events.embedding.transpose(-1, -2)
        after_s = events.time_s.unsqueeze(-2) - events.time_s.unsqueeze(-1)
        n_events = similarity.shape[-1]
        itself = torch.eye(n_events, dtype=torch.bool, device=similarity.device)
        similarity = similarity.masked_fill((after_s.abs() > config.window_s) | itself, -torch.inf)
        found = [_most_similar(similarity, min(config.n_neighbours - config.n_bins, n_events))]
        part = ((after_s / config.window_s + 1) * config.n_bins / 2).floor()
        part = part.clamp_max(config.n_bins - 1)
        for index in range(config.n_bins):
            found.append(_most_similar(similarity.masked_fill(part != index, -torch.inf), 1))
        return torch.cat(found, -1)


def _most_similar(similarity: Tensor, n: int) -> Tensor:
    value, index = similarity.topk(n, dim=-1)
    return index.masked_fill(value == -torch.inf, -1)


def _relations(
    events: EventTable, amplitude: Tensor, index: Tensor, timed: Tensor, rows: slice
) -> Tensor:
    """Return how each neighbour relates to its event, (n_sets, n_rows, n_neighbours, 7)."""
    own = events.embedding[:, rows].unsqueeze(-2)
    similarity = (_pick(events.embedding, index) * own).sum(-1)
    time_s = events.time_s.unsqueeze(-1)
    delta_s = _pick(time_s, index).squeeze(-1) - time_s[:, rows]
    given = timed[:, None, None].to(similarity.dtype).expand_as(similarity)
    offset = _pick(events.position_um, index) - events.position_um[:, rows].unsqueeze(-2)
    distance = (offset.square().sum(-1) + 1e-12).sqrt() / DISTANCE_SCALE_UM
    return torch.stack(
        [
            similarity,
            (delta_s / TIME_SCALE_S).to(similarity.dtype) * given,
            ((delta_s.abs() / SHORTEST_S).log1p() / LOG_TIME_SCALE).to(similarity.dtype) * given,
            delta_s.sign().to(similarity.dtype) * given,
            distance.clamp_max(DISTANCE_LIMIT),
            (_pick(amplitude, index) - amplitude[:, rows].unsqueeze(-2)).squeeze(-1),
            given,
        ],
        -1,
    )


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """Return ``values[set, index]``: (n_sets, n_events, n) to (n_sets, n_events, n_near, n)."""
    sets = torch.arange(len(values), device=values.device)[:, None, None]
    return values[sets, index]
