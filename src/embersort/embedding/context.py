"""The context network: each event seen together with those like it within half a minute.

Drift moves a unit slowly and bursts shrink its spikes within milliseconds; an event's neighbours in
embedding, near in time, show both. Attention over them yields a gated change of the embedding, so
that without neighbours it stays as it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.embedding.architecture import LOG_AMPLITUDE_CENTRE, N_RELATIONS
from embersort.embedding.kernels import (
    FAST,
    Float32,
    add_product,
    attention_pool,
    normalise,
    rectify,
)
from embersort.embedding.neighbours import run_blocks
from embersort.types import IntArray

TIME_SCALE_S = 30.0
"""Time differences are given in this unit."""
SHORTEST_S = 1e-3
"""Log time differences start here: a refractory period or less is all one."""
LOG_TIME_SCALE = 4.0
"""Brings log time differences (0 to 10) to about unit size."""
DISTANCE_SCALE_UM = 50.0
"""Distances between estimated positions are given in this unit, and cut off at four of them."""
DISTANCE_LIMIT = 4.0


class _Layers(NamedTuple):
    """The network's parameters as its kernel takes them; names as in `context_shapes`."""

    own_weight: Float32
    other_weight: Float32
    relation_weight: Float32
    pair_bias: Float32
    pool: Float32
    update_weight: Float32
    update_bias: Float32
    out_weight: Float32
    out_bias: Float32


class _Columns(NamedTuple):
    """What is known of every event; ``other`` is what others see of its inputs."""

    inputs: Float32
    other: Float32
    neighbours: NDArray[np.int64]
    time_s: NDArray[np.float64]
    position: Float32
    amplitude: Float32


def apply_context(
    parameters: dict[str, Float32],
    embedding: Float32,
    neighbours: IntArray,
    *,
    time_s: NDArray[np.floating],
    position_um: Float32,
    log_amplitude: Float32,
    n_threads: int = 1,
) -> Float32:
    """Return embeddings changed in the light of their neighbours.

    Parameters
    ----------
    parameters : dict of str to ndarray
        As `context_shapes` lists them.
    embedding : ndarray, shape (n_events, n_dims), float32
        Unit-norm rows.
    neighbours : ndarray, shape (n_events, n_neighbours), int64
        Events near each event, -1 where there is none.
    time_s : ndarray, shape (n_events,), float64
    position_um : ndarray, shape (n_events, 2), float32
    log_amplitude : ndarray, shape (n_events,), float32
    n_threads : int
        Does not change the result.

    Returns
    -------
    ndarray, shape (n_events, n_dims), float32
        Unit norm; a row without neighbours is unchanged.

    Notes
    -----
    O(n_events · n_neighbours); about 30 kFLOP an event. An event depends on its own and its
    neighbours' rows alone.
    """
    layers = _Layers(**parameters)
    amplitude = np.asarray(log_amplitude, np.float32) - np.float32(LOG_AMPLITUDE_CENTRE)
    events = _Columns(
        inputs=np.concatenate([embedding, amplitude[:, None]], axis=1, dtype=np.float32),
        other=np.zeros((len(embedding), len(layers.pair_bias)), np.float32),
        neighbours=np.ascontiguousarray(neighbours, dtype=np.int64),
        time_s=np.ascontiguousarray(time_s, dtype=np.float64),
        position=np.ascontiguousarray(position_um, dtype=np.float32),
        amplitude=amplitude,
    )
    updated = np.array(embedding, np.float32, order="C")

    def project(start: int, stop: int) -> None:
        add_product(events.inputs[start:stop], layers.other_weight, events.other[start:stop])

    def attend(start: int, stop: int) -> None:
        own = np.tile(layers.pair_bias, (stop - start, 1))
        add_product(events.inputs[start:stop], layers.own_weight, own)
        _attend(events, own, layers, start, updated)

    run_blocks(project, len(updated), n_threads)
    run_blocks(attend, len(updated), n_threads)
    return updated


@njit(nogil=True, cache=True, fastmath=FAST)
def _attend(events: _Columns, own: Float32, layers: _Layers, start: int, updated: Float32) -> None:
    n_neighbours, n_hidden = events.neighbours.shape[1], own.shape[1]
    n_dims = updated.shape[1]
    relations = np.empty((n_neighbours, N_RELATIONS), np.float32)
    pairs = np.empty((n_neighbours, n_hidden), np.float32)
    logits = np.empty((n_neighbours, layers.pool.shape[1]), np.float32)
    update_in = np.empty((1, layers.update_weight.shape[0]), np.float32)
    update = np.empty((1, len(layers.update_bias)), np.float32)
    out = np.empty((1, len(layers.out_bias)), np.float32)
    for i in range(start, start + len(own)):
        n = 0
        for j in events.neighbours[i]:
            if j < 0:
                continue
            _relate(events, i, j, n_dims, relations[n])
            pairs[n] = own[i - start] + events.other[j]
            n += 1
        if n == 0:
            continue
        add_product(relations[:n], layers.relation_weight, pairs[:n])
        rectify(pairs[:n])
        attention_pool(pairs[:n], layers.pool, logits, update_in[0, :n_hidden])
        update_in[0, n_hidden:] = events.inputs[i]
        update[0] = layers.update_bias
        add_product(update_in, layers.update_weight, update)
        rectify(update)
        out[0] = layers.out_bias
        add_product(update, layers.out_weight, out)
        gate = np.float32(1) / (np.float32(1) + np.exp(-out[0, n_dims]))
        for d in range(n_dims):
            updated[i, d] += gate * out[0, d]
        normalise(updated[i])


@njit(nogil=True, cache=True, fastmath=FAST)
def _relate(events: _Columns, i: int, j: int, n_dims: int, relation: Float32) -> None:
    """Fill in how event ``j`` relates to event ``i``."""
    similarity = np.float32(0)
    for d in range(n_dims):
        similarity += events.inputs[i, d] * events.inputs[j, d]
    delta_s = events.time_s[j] - events.time_s[i]
    dx = events.position[j, 0] - events.position[i, 0]
    dy = events.position[j, 1] - events.position[i, 1]
    distance = np.sqrt(dx * dx + dy * dy) / np.float32(DISTANCE_SCALE_UM)
    relation[0] = similarity
    relation[1] = delta_s / TIME_SCALE_S
    relation[2] = np.log1p(abs(delta_s) / SHORTEST_S) / LOG_TIME_SCALE
    relation[3] = np.sign(delta_s)
    relation[4] = min(distance, np.float32(DISTANCE_LIMIT))
    relation[5] = events.amplitude[j] - events.amplitude[i]
    relation[6] = np.float32(1)
