"""Which units are one neuron: alike in shape, without a gap between them, never firing together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.correlogram import coincidence
from embersort.clustering.isocut import isocut
from embersort.clustering.neighbourhoods import principal
from embersort.config import MergeConfig
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

UnitFrame = Callable[[IntArray], FloatArray]
"""From indices of spikes to their features in comparable columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """Spikes with a unit each, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
    sampling_rate_hz : float
    """

    sample_index: IntArray
    unit_index: IntArray
    sampling_rate_hz: float


def merge_units(
    spikes: Labelled, templates: FloatArray, frame: UnitFrame, config: MergeConfig
) -> NDArray[np.int64]:
    """Join units that are one neuron.

    Parameters
    ----------
    spikes : Labelled
    templates : ndarray, shape (n_units, n_window, n_channels)
        White templates.
    frame : callable
        Gives features of any set of spikes of neighbouring units, in comparable columns.
    config : MergeConfig

    Returns
    -------
    ndarray, shape (n_units,), int64
        For each unit, the unit that it is part of: the largest of those joined.
    """
    n_units = len(templates)
    leader = np.arange(n_units)
    members = [np.flatnonzero(spikes.unit_index == unit) for unit in range(n_units)]
    for a, b in _alike(templates, config.min_similarity):
        a, b = leader[a], leader[b]
        if a == b or not len(members[a]) or not len(members[b]):
            continue
        if _one_neuron(spikes, members[a], members[b], frame, config):
            keep, drop = (a, b) if len(members[a]) >= len(members[b]) else (b, a)
            members[keep] = np.sort(np.concatenate([members[a], members[b]]))
            members[drop] = members[drop][:0]
            leader[leader == drop] = keep
    return leader


def _alike(templates: FloatArray, least: float) -> list[tuple[int, int]]:
    """Return pairs of units by falling similarity of their templates.

    Similarity is 2 a·b / (|a|² + |b|²): 1 for equal templates, less for another shape or height.
    """
    flat = np.asarray(templates, np.float64).reshape(len(templates), -1)
    product = flat @ flat.T
    energy = np.diag(product)
    total = np.maximum(energy[:, None] + energy[None, :], np.finfo(float).tiny)
    similarity = np.triu(2 * product / total, k=1)
    first, second = np.nonzero(similarity > least)
    order = np.argsort(-similarity[first, second], kind="stable")
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def _one_neuron(
    spikes: Labelled, a: IntArray, b: IntArray, frame: UnitFrame, config: MergeConfig
) -> bool:
    fs = spikes.sampling_rate_hz
    pairs = coincidence(
        spikes.sample_index[a],
        spikes.sample_index[b],
        ms_to_samples(config.censored_ms, fs),
        ms_to_samples(config.refractory_ms, fs),
    )
    enough = pairs.n_expected >= config.min_expected
    if enough and pairs.n_seen > config.max_coincidence * pairs.n_expected:
        return False
    return projection_dip(frame, a, b, config.n_dims) < config.dip_threshold


def projection_dip(frame: UnitFrame, a: IntArray, b: IntArray, n_dims: int) -> float:
    """Return the dip of two sets of spikes on the line that separates them best.

    The line is Fisher's (1936) in the principal dimensions of both together; its covariance is
    shrunk towards a multiple of the identity as far as few spikes require.
    """
    both = np.concatenate([a, b])
    points = principal(frame(both), n_dims)
    in_a, in_b = points[: len(a)], points[len(a) :]
    spread = np.concatenate([in_a - in_a.mean(axis=0), in_b - in_b.mean(axis=0)])
    pooled = spread.T @ spread / len(both)
    width = pooled.shape[0]
    shrink = width / len(both) * np.trace(pooled) / width + np.finfo(float).tiny
    direction = np.linalg.solve(pooled + shrink * np.eye(width), in_b.mean(0) - in_a.mean(0))
    return isocut(points @ direction)[0]
