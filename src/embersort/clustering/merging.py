"""Which units are one neuron: alike in shape, without a gap between them, never firing together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.correlogram import coincidence, echo_share
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
    BURSTS = 2
    """One follows the other within milliseconds, with the same shape at another height."""
    JUMPS = 3
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
    # What was seen to belong together comes before parts that only take turns.
    for how in (Link.PASSES, Link.BURSTS, Link.JUMPS):
        for a, b in apart:
            if same[a] != a or same[b] != b or unit[a] == unit[b]:
                continue
            whole_a = np.flatnonzero(np.isin(spikes.unit_index, np.flatnonzero(unit == unit[a])))
            whole_b = np.flatnonzero(np.isin(spikes.unit_index, np.flatnonzero(unit == unit[b])))
            if how is Link.BURSTS:
                alike = cosine(templates[a], templates[b]) >= config.min_burst_cosine
                if not (
                    alike and follows(spikes, *_large_and_small(members, templates, a, b), config)
                ):
                    continue
            elif link(spikes, members[a], members[b], frame, config) != how:
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


def link(spikes: Labelled, a: IntArray, b: IntArray, frame: UnitFrame, config: MergeConfig) -> Link:
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


def echoes(spikes: Labelled, strength: FloatArray, config: MergeConfig) -> NDArray[np.bool_]:
    """Say which parts are echoes: most of their spikes follow a stronger part's at one fixed lag.

    Parameters
    ----------
    spikes : Labelled
    strength : ndarray, shape (n_parts,)
        Norm of each part's template; the stronger is the voice, of two alike the first.
    config : MergeConfig

    Returns
    -------
    ndarray, shape (n_parts,), bool
    """
    fs = spikes.sampling_rate_hz
    reach, width = (
        ms_to_samples(config.echo_ms, fs),
        max(1, ms_to_samples(config.echo_width_ms, fs)),
    )
    trains = [spikes.sample_index[spikes.unit_index == part] for part in range(len(strength))]
    order = np.argsort(-strength, kind="stable")
    echo = np.zeros(len(strength), bool)
    for place, part in enumerate(order):
        for voice in order[:place]:
            if echo[voice] or len(trains[part]) == 0:
                continue
            if echo_share(trains[voice], trains[part], reach, width) >= config.echo_share:
                echo[part] = True
                break
    return echo


def follows(spikes: Labelled, large: IntArray, small: IntArray, config: MergeConfig) -> bool:
    """Say whether the smaller spikes are the later ones of bursts.

    Most of them then have another spike of the two sets within ``burst_ms`` before them, far more
    than chance would give at the sets' rate; of the larger ones fewer do.
    """
    fs = spikes.sampling_rate_hz
    reach = ms_to_samples(config.burst_ms, fs)
    both = np.sort(np.concatenate([spikes.sample_index[large], spikes.sample_index[small]]))
    duration = spikes.sample_index[-1] + 1
    chance = 1 - np.exp(-len(both) * reach / duration)
    after = _share_after(both, spikes.sample_index[small], reach)
    before = _share_after(both, spikes.sample_index[large], reach)
    excess = (after - chance) / max(1 - chance, 1e-9)
    return excess >= config.min_burst_share and after > before


def _share_after(train: IntArray, of: IntArray, reach: int) -> float:
    """Return the share of spikes that have a spike of ``train`` at most ``reach`` before them."""
    place = np.searchsorted(train, of, side="left")
    gap = of - train[np.maximum(place - 1, 0)]
    return float(((place > 0) & (gap <= reach)).mean())


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Return the cosine between two templates: 1 for the same shape at any height."""
    norms = np.sqrt((np.square(a, dtype=float)).sum() * (np.square(b, dtype=float)).sum())
    return float((a * b).sum() / max(norms, np.finfo(float).tiny))


def _blocks_shared_by_chance(n_a: int, n_b: int, n_blocks: int) -> float:
    """Return the expected number of blocks in which two steady Poisson trains both fire."""
    return n_blocks * (1 - np.exp(-n_a / n_blocks)) * (1 - np.exp(-n_b / n_blocks))


def _large_and_small(
    members: list[IntArray], templates: FloatArray, a: int, b: int
) -> tuple[IntArray, IntArray]:
    """Return the members of the part with the larger template, then of the other."""
    if np.square(templates[a]).sum() >= np.square(templates[b]).sum():
        return members[a], members[b]
    return members[b], members[a]


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
