"""Which units are one neuron: alike in shape, without a gap between them, never firing together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

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


class Link(Enum):
    """What speaks for two parts being one neuron."""

    NONE = 0
    PASSES = 1
    """They take turns, and there is no gap while both are active."""
    JUMPS = 2
    """They take turns, and are hardly ever active together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Merges:
    """What belongs together.

    Attributes
    ----------
    same : ndarray, shape (n_parts,), int64
        For each part, the one that it is a copy of: they share one template.
    unit : ndarray, shape (n_parts,), int64
        For each part, the leading part of its unit: several templates may be one unit's, at other
        times or within bursts.
    """

    same: NDArray[np.int64]
    unit: NDArray[np.int64]


def merge_units(
    spikes: Labelled, templates: FloatArray, frame: UnitFrame, config: MergeConfig
) -> Merges:
    """Join parts that are one neuron.

    Parameters
    ----------
    spikes : Labelled
    templates : ndarray, shape (n_parts, n_window, n_channels)
        White templates.
    frame : callable
        Gives features of any set of spikes of neighbouring parts, in comparable columns.
    config : MergeConfig

    Returns
    -------
    Merges
        Copies are told by a joint projection without a gap; other parts of one unit by what
        `link` asks. Pairs are looked at by falling similarity.
    """
    n_parts = len(templates)
    members = [np.flatnonzero(spikes.unit_index == part) for part in range(n_parts)]
    same, unit = np.arange(n_parts), np.arange(n_parts)
    apart = []
    for a, b, similarity in _alike(templates, config.min_link_similarity):
        if not len(members[a]) or not len(members[b]):
            continue
        if similarity < config.min_similarity:
            apart.append((a, b))
            continue
        a, b = same[a], same[b]
        if a == b or coincide(spikes, members[a], members[b], config):
            continue
        if projection_dip(frame, members[a], members[b], config.n_dims) < config.dip_threshold:
            keep, drop = (a, b) if len(members[a]) >= len(members[b]) else (b, a)
            members[keep] = np.sort(np.concatenate([members[a], members[b]]))
            members[drop] = members[drop][:0]
            same[same == drop] = keep
        else:
            apart.append((a, b))
    unit = same.copy()
    # Parts that were seen to pass into one another come before parts that only take turns.
    for how in (Link.PASSES, Link.JUMPS):
        for a, b in apart:
            if same[a] != a or same[b] != b or unit[a] == unit[b]:
                continue
            whole_a = np.flatnonzero(np.isin(spikes.unit_index, np.flatnonzero(unit == unit[a])))
            whole_b = np.flatnonzero(np.isin(spikes.unit_index, np.flatnonzero(unit == unit[b])))
            if link(spikes, members[a], members[b], frame, config) != how:
                continue
            if coincide(spikes, whole_a, whole_b, config):
                continue
            keep, drop = unit[a], unit[b]
            if len(whole_b) > len(whole_a):
                keep, drop = drop, keep
            unit[unit == drop] = keep
    return Merges(same=same, unit=unit)


def coincide(spikes: Labelled, a: IntArray, b: IntArray, config: MergeConfig) -> bool:
    """Say whether two sets fire within a refractory period as often as strangers do.

    Where too few such pairs are to be expected, the correlogram abstains: False.
    """
    fs = spikes.sampling_rate_hz
    pairs = coincidence(
        spikes.sample_index[a],
        spikes.sample_index[b],
        ms_to_samples(config.censored_ms, fs),
        ms_to_samples(config.refractory_ms, fs),
    )
    enough = pairs.n_expected >= config.min_expected
    return enough and pairs.n_seen > config.max_coincidence * pairs.n_expected


def link(
    spikes: Labelled, a: IntArray, b: IntArray, frame: UnitFrame, config: MergeConfig
) -> Link:
    """Say how two distinct sets may be one neuron at different times.

    A gap between two sets counts only where both are active. A neuron that moves leaves one and
    enters the other: they take turns, and while it passes over there is no gap. If it jumps, there
    is no such while, but they still take turns.
    """
    length = config.block_s * spikes.sampling_rate_hz
    block_a = (spikes.sample_index[a] / length).astype(np.int64)
    block_b = (spikes.sample_index[b] / length).astype(np.int64)
    both = np.intersect1d(block_a, block_b)
    n_blocks = int(spikes.sample_index[-1] / length) + 1
    passing_a, passing_b = a[np.isin(block_a, both)], b[np.isin(block_b, both)]
    share = min(len(passing_a) / len(a), len(passing_b) / len(b))
    if share > config.max_shared:
        return Link.NONE
    expected = _blocks_shared_by_chance(len(a), len(b), n_blocks)
    if expected < config.min_expected or len(both) > config.max_turn * expected:
        return Link.NONE
    if min(len(passing_a), len(passing_b)) < config.min_passing:
        return Link.JUMPS
    dip = projection_dip(frame, passing_a, passing_b, config.n_dims)
    return Link.PASSES if dip < config.dip_threshold else Link.NONE


def _blocks_shared_by_chance(n_a: int, n_b: int, n_blocks: int) -> float:
    """Return the expected number of blocks in which two steady Poisson trains both fire."""
    return n_blocks * (1 - np.exp(-n_a / n_blocks)) * (1 - np.exp(-n_b / n_blocks))


def _alike(templates: FloatArray, least: float) -> list[tuple[int, int, float]]:
    """Return pairs of units, and their similarity, by falling similarity of their templates.

    Similarity is 2 a·b / (|a|² + |b|²): 1 for equal templates, less for another shape or height.
    """
    flat = np.asarray(templates, np.float64).reshape(len(templates), -1)
    product = flat @ flat.T
    energy = np.diag(product)
    total = np.maximum(energy[:, None] + energy[None, :], np.finfo(float).tiny)
    similarity = np.triu(2 * product / total, k=1)
    first, second = np.nonzero(similarity > least)
    value = similarity[first, second]
    order = np.argsort(-value, kind="stable")
    columns = (first[order].tolist(), second[order].tolist(), value[order].tolist())
    return list(zip(*columns, strict=True))


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
