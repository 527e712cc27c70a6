"""Which parts are one neuron: copies of one template, or templates of a moving or bursting cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.core_spread import separation
from embersort.clustering.gaps import N_DIMS, N_SLOW, slow_cosines
from embersort.clustering.neighbourhoods import FeatureView
from embersort.clustering.time_merge import meeting
from embersort.curation.candidate_pairs import (
    MAX_HEIGHT_RATIO,
    CandidatePairs,
    Places,
    find_candidate_pairs,
)
from embersort.curation.drift_merge import merge_drift_splits
from embersort.curation.links import MIN_PASSING, Link, follow_in_bursts, link, recover_after_larger
from embersort.curation.pair_tests import (
    CENSORED_MS,
    SpikeTrains,
    fire_independently,
    keep_cross_refractory,
    projection_dip,
)
from embersort.curation.union import RowsOfUnit, unite_pairs
from embersort.templates.similarity import (
    SMALLEST_ENERGY,
    cosine,
    cosines_at_lags,
    similarity_matrix,
)
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

MIN_SIMILARITY = 0.7
"""Over-split units of one template are at least this much alike. Chosen on the development
recordings, 2026-11-22."""

MIN_LINK_SIMILARITY = 0.5
"""Templates of one moving or bursting neuron are at least this much alike. Chosen on the
development recordings, 2026-11-22."""

MAX_DIP = 1.0
"""Units whose joint projection in the last view dips this much are two. Chosen on the development
recordings, 2026-11-22."""

DEEP_DIP = 5.0
"""So are those that dip this much in the components, unless they keep each other's refractory
period. Chosen on the development recordings, 2026-11-23."""

MIN_BURST_COSINE = 0.85
"""Spikes of a burst have at least this much of their shape in common. Chosen on the development
recordings, 2026-11-22."""

MIN_RECOVERING_COSINE = 0.75
"""This much is enough where the sets keep each other's refractory period. Chosen on the development
recordings, 2026-11-23."""

MIN_DOUBLE_TROUGH_COSINE = 0.8
"""Units of one neuron that was found at two troughs are at least this much alike at a lag. Chosen
on the development recordings, 2026-11-22."""

SURE_DOUBLE_TROUGH_COSINE = 0.88
"""If this much alike at a lag, but not as they are, they need no other proof. Chosen on the
development recordings, 2026-11-23."""

MIN_DOUBLE_TROUGH_MS = 0.1
"""Two troughs are at least this far apart. Chosen on the development recordings, 2026-11-23."""

DOUBLE_TROUGH_CENSORED_MS = 0.6
"""And at most this; nearer pairs of spikes may be one found at both. Chosen on the development
recordings, 2026-11-22."""

MOST_FEW = 0.1
"""Among more than ten times as many, spikes make no dip that could be told from chance."""

MIN_SEPARATION = 4.5
"""Standard deviations from many spikes at which a few are no copies: half-way, noise takes one
in eighty across. Spikes are cleaned here, so that collisions do not widen what is seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Merges:
    """What belongs together.

    Attributes
    ----------
    tracked_unit : ndarray, shape (n_parts,), int64
        For each part, the leader of those that are copies of it or the same neuron at other times:
        one template follows them.
    unit : ndarray, shape (n_parts,), int64
        For each part, the leading part of its unit, the later spikes of bursts included.
    late_samples : ndarray, shape (n_parts,), int64
        By how much each part's spikes come later than its unit's: where a neuron with two troughs
        was found at the other one.
    """

    tracked_unit: NDArray[np.int64]
    unit: NDArray[np.int64]
    late_samples: NDArray[np.int64]


def merge_units(
    spikes: SpikeTrains,
    templates: FloatArray,
    views: Sequence[FeatureView],
    places: Places,
    *,
    tracked_only: bool = False,
) -> Merges:
    """Join parts that are one neuron.

    Parameters
    ----------
    spikes : SpikeTrains
    templates : ndarray, shape (n_parts, n_window, n_channels)
        White templates.
    views : sequence of callable
        Each gives features of any set of spikes of neighbouring parts, in comparable columns:
        components first, then the embedding where there is one.
    places : Places
        Where the spikes lie and what the parts look like.
    tracked_only : bool
        Whether nothing beyond `Merges.tracked_unit` is wanted; a unit is then its tracked unit.

    Returns
    -------
    Merges
        Copies are told by a joint projection without a gap, while both are active and at rest;
        other parts of one unit by what `link`, `follow_in_bursts` and `are_drift_split` ask, of
        pairs with similar templates and of pairs at one place.
        Pairs are looked at by falling similarity.
    """
    members = [np.flatnonzero(spikes.unit_index == part) for part in range(len(templates))]
    candidates = find_candidate_pairs(places, members)
    same = np.arange(len(templates))
    apart = []
    gap = _gap_test(spikes, views)

    for a, b, similarity in _alike(templates, MIN_LINK_SIMILARITY):
        a, b = same[a], same[b]
        if a == b or not len(members[a]) or not len(members[b]):
            continue
        if similarity >= MIN_SIMILARITY:
            if fire_independently(spikes, members[a], members[b]):
                continue
            if not gap(members[a], members[b]):
                _unite(members, same, a, b)
                continue
        apart.append((a, b))
    left = _still_apart([*apart, *candidates.near], same)

    linked = cache(lambda a, b: link(spikes, members[a], members[b], views[0]))
    max_lag = ms_to_samples(DOUBLE_TROUGH_CENSORED_MS, spikes.sampling_rate_hz)
    at_lag = _AtLag(templates=templates, max_lag=max_lag)
    tests = _Tests(spikes, templates, members, linked, gap, candidates, at_lag)
    # What was seen to belong together comes before parts that only take turns.
    passing = _linked(same, left, Link.PASSES, tests)
    seen = merge_drift_splits(spikes, passing, [*apart, *candidates.about], places)
    tracked_unit = _linked(seen, left, Link.JUMPS, tests)
    if tracked_only:
        return Merges(
            tracked_unit=tracked_unit, unit=tracked_unit, late_samples=np.zeros_like(tracked_unit)
        )
    unit = _linked(_linked(seen, left, Link.BURSTS, tests), left, Link.JUMPS, tests)
    final = _linked(unit, at_lag.pairs(), Link.DOUBLE_TROUGH, tests)
    return Merges(
        tracked_unit=tracked_unit, unit=final, late_samples=at_lag.late_samples(unit, final)
    )


def _unite(members: list[IntArray], same: IntArray, a: int, b: int) -> None:
    """Give the larger of two parts, in place, the spikes of the smaller."""
    keep, drop = (a, b) if len(members[a]) >= len(members[b]) else (b, a)
    members[keep] = np.sort(np.concatenate([members[a], members[b]]))
    members[drop] = members[drop][:0]
    same[same == drop] = keep


def _still_apart(pairs: list[tuple[int, int]], same: IntArray) -> list[tuple[int, int]]:
    """Return the pairs whose parts, or what those were joined to since, are not one, each once."""
    return list(dict.fromkeys((same[a], same[b]) for a, b in pairs if same[a] != same[b]))


def _gap_test(
    spikes: SpikeTrains, views: Sequence[FeatureView]
) -> Callable[[IntArray, IntArray], bool]:
    """Return a test of whether a gap holds two sets of spikes apart."""
    components, look = views[0], views[-1]
    when = spikes.sample_index / spikes.sample_index.max(initial=1)
    slow = slow_cosines(when, N_SLOW)

    def gap(a: IntArray, b: IntArray) -> bool:
        # What the networks hold apart are no copies, even where components see one cloud; and
        # components see gaps in what overlaps and jitter leave of one neuron.
        if projection_dip(look, a, b, N_DIMS, slow) >= MAX_DIP:
            return True
        near_a, near_b = meeting(when, a, b)
        # Of parts that hardly ever meet, what they look like at rest must do.
        if min(len(near_a), len(near_b)) < MIN_PASSING:
            return False
        if projection_dip(look, near_a, near_b, N_DIMS) >= MAX_DIP:
            return True
        if _few_lie_apart(components, near_a, near_b):
            return True
        # The networks are blind to some gaps; jitter makes some that are as deep.
        deep = projection_dip(components, near_a, near_b, N_DIMS) >= DEEP_DIP
        return deep and not keep_cross_refractory(spikes, a, b, CENSORED_MS)

    return gap


def _few_lie_apart(view: FeatureView, a: IntArray, b: IntArray) -> bool:
    """Say whether a few spikes lie far from many, where a dip could not be seen for their number.

    Nor would the direction in which they do be among those of largest variance.
    """
    few, many = (a, b) if len(a) < len(b) else (b, a)
    if len(few) > MOST_FEW * len(many):
        return False
    points = np.asarray(view(np.concatenate([few, many])), np.float64)
    return separation(points[: len(few)], points[len(few) :]) >= MIN_SEPARATION


class _Tests(NamedTuple):
    """What the tests of a pair need, and the tests."""

    spikes: SpikeTrains
    templates: FloatArray
    members: list[IntArray]
    linked: Callable[[int, int], Link]
    gap: Callable[[IntArray, IntArray], bool]
    candidates: CandidatePairs
    at_lag: _AtLag

    def hold(self, a: int, b: int, how: Link) -> bool:
        """Say whether two parts are linked in this way."""
        if how is Link.BURSTS:
            return _bursts(self.spikes, self.templates, self.members, a, b)
        if how is Link.DOUBLE_TROUGH:
            return self._are_double_trough(a, b)
        if not self.candidates.alike[a, b] or (
            how is Link.JUMPS and not self.candidates.may_be_near[a, b]
        ):
            return False
        return self.linked(a, b) is how

    def _are_double_trough(self, a: int, b: int) -> bool:
        """Say whether two parts alike at a lag are found at two troughs of one neuron.

        Two neurons of one waveform would both be found at the deeper of its troughs, so that a
        shape that returns only later is proof. The embedding knows where within an event its
        trough is, and looks alike at either.
        """
        spikes_a, spikes_b = self.members[a], self.members[b]
        if min(len(spikes_a), len(spikes_b)) < MIN_PASSING:
            return False
        shortest = ms_to_samples(MIN_DOUBLE_TROUGH_MS, self.spikes.sampling_rate_hz)
        alike, late = self.at_lag.between(a, b)
        if (
            alike >= SURE_DOUBLE_TROUGH_COSINE
            and abs(late) >= shortest
            and cosine(self.templates[a], self.templates[b]) < MIN_SIMILARITY
        ):
            return True
        apart = keep_cross_refractory(self.spikes, spikes_a, spikes_b, DOUBLE_TROUGH_CENSORED_MS)
        return apart or not self.gap(spikes_a, spikes_b)


def _linked(
    same: IntArray, pairs: list[tuple[int, int]], how: Link, tests: _Tests
) -> NDArray[np.int64]:
    """Return the leading part of each part's unit, after linking the pairs that hold together."""

    def are_one(a: int, b: int, rows_of_unit: RowsOfUnit) -> bool:
        return tests.hold(a, b, how) and not fire_independently(
            tests.spikes, rows_of_unit(a), rows_of_unit(b)
        )

    return unite_pairs(tests.spikes, same, pairs, are_one)


def _bursts(
    spikes: SpikeTrains,
    templates: FloatArray,
    members: list[IntArray],
    a: int,
    b: int,
) -> bool:
    """Say whether the smaller of two parts holds the later spikes of the other's bursts."""
    alike = cosine(templates[a], templates[b])
    if alike < MIN_RECOVERING_COSINE:
        return False
    if np.square(templates[a]).sum() < np.square(templates[b]).sum():
        a, b = b, a
    large, small = members[a], members[b]
    if alike >= MIN_BURST_COSINE and follow_in_bursts(spikes, large, small):
        return True
    return recover_after_larger(spikes, large, small)


@dataclass(frozen=True, kw_only=True, slots=True)
class _AtLag:
    """How alike templates are at other lags.

    A cell with two troughs of like depth is found at either; its units are a few samples apart.
    """

    templates: FloatArray
    max_lag: int

    def between(self, a: int, b: int) -> tuple[float, int]:
        """Return the largest cosine of two templates at a lag, and how much later a has it.

        At lags up to ``max_lag``, but not as they are; (0, 0) where they are alike at none.
        """
        reach = min(self.max_lag, self.templates.shape[1] - 1)
        alike = cosines_at_lags(self.templates[a], self.templates[b], reach)
        # A spike found at a later trough has the whole of its waveform earlier in its window.
        late = np.array([lag for by in range(1, reach + 1) for lag in (by, -by)], np.int64)
        best = late[alike[late + reach].argmax()] if len(late) else 0
        found = float(alike[best + reach])
        return (found, int(best)) if best and found > 0 else (0.0, 0)

    def late_samples(self, parts: IntArray, others: IntArray) -> NDArray[np.int64]:
        """Return how much later each part has what it shares with another; with itself 0."""
        late = np.zeros(len(parts), np.int64)
        for i in np.flatnonzero(parts != others):
            late[i] = self.between(parts[i], others[i])[1]
        return late

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs that may be one cell, the most alike first."""
        # No lag brings together what lies on other channels.
        by_channel = np.sqrt(np.square(self.templates, dtype=float).sum(axis=1))
        energy = np.maximum(np.square(by_channel).sum(axis=1), SMALLEST_ENERGY)
        most = by_channel @ by_channel.T / np.sqrt(np.outer(energy, energy))
        ratio = np.maximum(energy[:, None] / energy[None, :], energy[None, :] / energy[:, None])
        may_be = (most >= MIN_DOUBLE_TROUGH_COSINE) & (ratio <= MAX_HEIGHT_RATIO)
        pairs = np.argwhere(np.triu(may_be, k=1)).tolist()
        alike = [(self.between(a, b)[0], a, b) for a, b in pairs]
        alike = [found for found in alike if found[0] >= MIN_DOUBLE_TROUGH_COSINE]
        return [(a, b) for _, a, b in sorted(alike, key=lambda found: -found[0])]


def _alike(templates: FloatArray, least: float) -> list[tuple[int, int, float]]:
    """Return pairs of units, and their similarity, by falling similarity of their templates."""
    similarity = np.triu(similarity_matrix(templates), k=1)
    first, second = np.nonzero(similarity > least)
    value = similarity[first, second]
    order = np.argsort(-value, kind="stable")
    columns = (first[order].tolist(), second[order].tolist(), value[order].tolist())
    return list(zip(*columns, strict=True))
