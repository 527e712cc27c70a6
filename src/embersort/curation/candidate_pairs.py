"""Whether two parts lie at one place and have one shape, as those of a neuron that moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.templates.similarity import peak_cosine_matrix
from embersort.types import FloatArray, IntArray

PLACE_UM = 8.0
"""Subclusters of one neuron lie this near to each other, the motion of the tissue taken off. Chosen
on the development recordings, 2026-11-22."""

MAX_PLACE_UM = 20.0
"""Or this near, if one gains what the other loses as the tissue moves. Chosen on the development
recordings, 2026-11-23."""

MIN_PEAK_COSINE = 0.9
"""Subclusters at one place have at least this much of their main channel's shape in common. Chosen
on the development recordings, 2026-11-22."""

MAX_HEIGHT_RATIO = 2.0
"""A moving neuron's height on its largest channel varies at most by this factor. Chosen on the
development recordings, 2026-11-22."""

MIN_MOVED_COSINE = 0.75
"""The same of those within `MAX_PLACE_UM`, as to shape. Chosen on the development recordings,
2026-11-23."""

MAX_MOVED_RATIO = 3.0
"""The same of those within `MAX_PLACE_UM`, as to height. Chosen on the development recordings,
2026-11-23."""

MAX_LAG = 6
"""Samples by which peak waveforms are moved against each other: troughs are not always aligned."""

TINY = np.finfo(np.float64).tiny

Displacement = Callable[[IntArray, FloatArray], NDArray[np.float64]]
"""From samples and depths in µm to how far the tissue is moved there and then, in µm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where spikes lie, and what their parts look like on their largest channels.

    Attributes
    ----------
    um : ndarray, shape (n_spikes, 2), float64, or None
        Place of each spike that has a part, the motion of the tissue taken off; None where motion
        cannot be known.
    peak_waveforms : ndarray, shape (n_parts, n_window)
        Of each part, in microvolt.
    displacement_um : callable, or None
        See `Displacement`; None where ``um`` is.
    """

    um: NDArray[np.float64] | None
    peak_waveforms: NDArray[np.float32]
    displacement_um: Displacement | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidatePairs:
    """What place and shape say of every pair of parts.

    Attributes
    ----------
    alike : ndarray, shape (n_parts, n_parts), bool
        They have one shape at about the same height.
    may_be_near : ndarray, shape (n_parts, n_parts), bool
        They may lie at one place, as far as that can be told.
    near : list of (int, int)
        Pairs that are alike and do lie at one place, the nearest first.
    about : list of (int, int)
        Pairs that are alike and lie nearer than a neuron's place can seem to change as it moves,
        the nearest first.
    """

    alike: NDArray[np.bool_]
    may_be_near: NDArray[np.bool_]
    near: list[tuple[int, int]]
    about: list[tuple[int, int]]


def find_candidate_pairs(places: Places, members: list[IntArray]) -> CandidatePairs:
    """Compare all parts by place and shape.

    Parameters
    ----------
    places : Places
    members : list of ndarray, int64
        Spikes of each part.
    """
    waves = places.peak_waveforms
    alike = one_shape(waves, MIN_PEAK_COSINE, MAX_HEIGHT_RATIO)
    if places.um is None:
        return CandidatePairs(alike=alike, may_be_near=np.ones_like(alike), near=[], about=[])
    middle = np.full((len(members), 2), np.nan)
    spread = np.full((len(members), 2), np.nan)
    for part, rows in enumerate(members):
        if len(rows):
            middle[part] = np.median(places.um[rows], axis=0)
            spread[part] = np.median(np.abs(places.um[rows] - middle[part]), axis=0)
    apart = np.abs(middle[:, None] - middle[None, :])
    uncertainty = spread[:, None] + spread[None, :]
    distance = np.linalg.norm(apart, axis=2)
    alike_when_moved = one_shape(waves, MIN_MOVED_COSINE, MAX_MOVED_RATIO)
    return CandidatePairs(
        alike=alike,
        # Parts without spikes have no place: nothing is said of them.
        may_be_near=~(apart > PLACE_UM + uncertainty).any(axis=2),
        near=_nearest_first(distance, alike & (distance <= PLACE_UM)),
        about=_nearest_first(distance, alike_when_moved & (distance <= MAX_PLACE_UM)),
    )


def _nearest_first(
    distance: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    first, second = np.nonzero(np.triu(chosen, k=1))
    order = np.argsort(distance[first, second], kind="stable")
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def one_shape(
    peak_waveforms: NDArray[np.float32], min_cosine: float, max_ratio: float
) -> NDArray[np.bool_]:
    """Say which parts have one shape on their largest channels, at about the same height.

    A neuron that moves changes channels rather than its waveform.
    """
    waves = np.asarray(peak_waveforms, np.float64)
    n_parts = len(waves)
    height = np.ptp(waves, axis=1) if waves.size else np.zeros(n_parts)
    cosine = peak_cosine_matrix(waves, MAX_LAG)
    higher = np.maximum(height[:, None], height[None, :])
    lower = np.minimum(height[:, None], height[None, :])
    return (cosine >= min_cosine) & (higher <= max_ratio * lower)
