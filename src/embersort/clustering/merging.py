"""Which parts are one neuron: copies of one template, or templates of a moving or bursting cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.linking import Link, follows, link
from embersort.clustering.pairs import Labelled, UnitFrame, coincide, projection_dip
from embersort.config import MergeConfig
from embersort.types import FloatArray, IntArray


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
        `link` and `follows` ask. Pairs are looked at by falling similarity.
    """
    members = [np.flatnonzero(spikes.unit_index == part) for part in range(len(templates))]
    same = np.arange(len(templates))
    apart = []
    for a, b, similarity in _alike(templates, config.min_link_similarity):
        a, b = same[a], same[b]
        if a == b or not len(members[a]) or not len(members[b]):
            continue
        if similarity >= config.min_similarity:
            if coincide(spikes, members[a], members[b], config):
                continue
            dip = projection_dip(frame, members[a], members[b], config.n_dims)
            if dip < config.dip_threshold:
                keep, drop = (a, b) if len(members[a]) >= len(members[b]) else (b, a)
                members[keep] = np.sort(np.concatenate([members[a], members[b]]))
                members[drop] = members[drop][:0]
                same[same == drop] = keep
                continue
        apart.append((a, b))
    # A part may have been joined to another since.
    left = dict.fromkeys((same[a], same[b]) for a, b in apart if same[a] != same[b])
    unit = _linked(spikes, templates, frame, config, same, list(left), members)
    return Merges(same=same, unit=unit)


def _linked(
    spikes: Labelled,
    templates: FloatArray,
    frame: UnitFrame,
    config: MergeConfig,
    same: IntArray,
    pairs: list[tuple[int, int]],
    members: list[IntArray],
) -> NDArray[np.int64]:
    """Return the leading part of each part's unit, after linking the pairs that may be."""
    unit = same.copy()
    # What was seen to belong together comes before parts that only take turns.
    for how in (Link.PASSES, Link.BURSTS, Link.JUMPS):
        for a, b in pairs:
            if unit[a] == unit[b]:
                continue
            if how is Link.BURSTS:
                may_be = _bursts(spikes, templates, members, a, b, config)
            else:
                may_be = link(spikes, members[a], members[b], frame, config) is how
            if not may_be:
                continue
            whole_a = np.flatnonzero(unit[spikes.unit_index] == unit[a])
            whole_b = np.flatnonzero(unit[spikes.unit_index] == unit[b])
            if not coincide(spikes, whole_a, whole_b, config):
                keep, drop = (a, b) if len(whole_a) >= len(whole_b) else (b, a)
                unit[unit == unit[drop]] = unit[keep]
    return unit


def _bursts(
    spikes: Labelled,
    templates: FloatArray,
    members: list[IntArray],
    a: int,
    b: int,
    config: MergeConfig,
) -> bool:
    """Say whether the smaller of two parts holds the later spikes of the other's bursts."""
    if cosine(templates[a], templates[b]) < config.min_burst_cosine:
        return False
    if np.square(templates[a]).sum() < np.square(templates[b]).sum():
        a, b = b, a
    return follows(spikes, members[a], members[b], config)


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Return the cosine between two templates: 1 for the same shape at any height."""
    norms = np.sqrt((np.square(a, dtype=float)).sum() * (np.square(b, dtype=float)).sum())
    return float((a * b).sum() / max(norms, np.finfo(float).tiny))


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
