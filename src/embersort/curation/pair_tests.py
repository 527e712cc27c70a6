"""What can be asked of two sets of spikes: is there a gap, do they keep out of each other's way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embersort.clustering.gaps import dip_between, principal_coordinates, without_common_trend
from embersort.clustering.neighbourhoods import FeatureView
from embersort.curation.cross_refractory import Coincidence, coincidence
from embersort.spike_pairs import REFRACTORY_MS
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

CENSORED_MS = 0.3
"""Nearer pairs may be one spike found twice. Chosen on the development recordings, 2026-11-22."""

HIDING_MS = 1.2
"""Nearer spikes of two neurons may hide each other, so that neither is found. Chosen on the
development recordings, 2026-11-23."""

MIN_EXPECTED = 5.0
"""With fewer coincidences expected by chance, their share has no say. Chosen on the development
recordings, 2026-11-22."""

MAX_COINCIDENCE = 0.5
"""Units with more than this share of the coincidences expected by chance stay apart. Chosen on the
development recordings, 2026-11-22."""

MIN_COINCIDENCES = 3
"""So do units with at least this many, where one neuron would hardly show so many. Chosen on the
development recordings, 2026-11-23."""

COINCIDENCE_CHANCE = 0.01
"""Chance at which one neuron would hardly show so many. Chosen on the development recordings,
2026-11-23."""

FOREIGN_SHARE = 0.2
"""Foreign spikes among a neuron's own give it this share of the coincidences of independent
neurons. Chosen on the development recordings, 2026-11-23."""

EXCLUSION_CHANCE = 1e-3
"""Chance that independent neurons keep out of each other's way as one neuron does. Chosen on the
development recordings, 2026-11-22."""

MAX_EXCLUSION_SHARE = 0.1
"""Two sets of one neuron coincide at most in this share of what chance would give. Chosen on the
development recordings, 2026-11-23."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpikeTrains:
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


def fire_independently(spikes: SpikeTrains, a: IntArray, b: IntArray) -> bool:
    """Say whether two sets fire within a refractory period as often as independent neurons do.

    Where too few such pairs are to be expected, their share says nothing; but so many may be seen
    that one neuron's spikes, with foreign ones among them, would hardly ever show them. Spikes of
    different neurons that are so near as to hide each other are missing from both sets, so that
    independent ones, too, seem to keep apart: lags beyond that are also counted alone.
    """
    return any(
        _like_strangers(_refractory_pairs(spikes, a, b, shortest_ms))
        for shortest_ms in (CENSORED_MS, HIDING_MS)
    )


def violate_cross_refractory(spikes: SpikeTrains, a: IntArray, b: IntArray) -> bool:
    """Say whether two sets fire within a refractory period more than foreign spikes would have it.

    Unlike `fire_independently` this calls no sets independent only since they may be.
    """
    return any(
        _proven(_refractory_pairs(spikes, a, b, shortest_ms))
        for shortest_ms in (CENSORED_MS, HIDING_MS)
    )


def _like_strangers(pairs: Coincidence) -> bool:
    enough = pairs.n_expected >= MIN_EXPECTED
    if enough and pairs.n_seen > MAX_COINCIDENCE * pairs.n_expected:
        return True
    return _proven(pairs)


def _proven(pairs: Coincidence) -> bool:
    foreign = FOREIGN_SHARE * pairs.n_expected
    return (
        pairs.n_seen >= MIN_COINCIDENCES
        and _poisson_head(pairs.n_seen, foreign) < COINCIDENCE_CHANCE
    )


def keep_cross_refractory(
    spikes: SpikeTrains, a: IntArray, b: IntArray, censored_ms: float
) -> bool:
    """Say whether two sets keep each other's refractory period, as one neuron's spikes do.

    So few pairs must be seen that independent neurons would have them less often than
    `EXCLUSION_CHANCE`; where few are to be expected, nothing is proven: False.
    """
    pairs = _refractory_pairs(spikes, a, b, censored_ms)
    few = pairs.n_seen <= MAX_EXCLUSION_SHARE * pairs.n_expected
    return few and _poisson_tail(pairs.n_seen, pairs.n_expected) < EXCLUSION_CHANCE


def _poisson_head(least: int, mean: float) -> float:
    """Return the chance of at least so many events where ``mean`` are expected; 1 below that."""
    if least <= mean:
        return 1.0
    term = math.exp(least * math.log(mean) - mean - math.lgamma(least + 1)) if mean > 0 else 0.0
    total, n = 0.0, least
    # Beyond the mean each term is smaller than the last.
    while term > total * np.finfo(float).eps:
        total += term
        n += 1
        term *= mean / n
    return total


def _poisson_tail(most: int, mean: float) -> float:
    """Return the chance of at most so many events where ``mean`` are expected."""
    term = total = math.exp(-mean)
    for n in range(1, most + 1):
        term *= mean / n
        total += term
    return total


def _refractory_pairs(
    spikes: SpikeTrains, a: IntArray, b: IntArray, censored_ms: float
) -> Coincidence:
    """Count the pairs of two sets that are nearer than a refractory period, not censored."""
    fs = spikes.sampling_rate_hz
    return coincidence(
        spikes.sample_index[a],
        spikes.sample_index[b],
        ms_to_samples(censored_ms, fs),
        ms_to_samples(REFRACTORY_MS, fs),
    )


def projection_dip(
    frame: FeatureView, a: IntArray, b: IntArray, n_dims: int, slow: FloatArray | None = None
) -> float:
    """Return the dip of two sets of spikes on the line that separates them best.

    Parameters
    ----------
    frame : callable
        Gives features of any set of spikes of neighbouring parts, in comparable columns.
    a, b : ndarray, int64
        Indices of the spikes of each set.
    n_dims : int
        Principal dimensions in which the line is sought.
    slow : ndarray, shape (n_spikes, n_slow), optional
        Slow functions of the time of all spikes. What follows them in both sets alike is taken
        out first: two neurons that drift side by side would hide the gap between them.

    Notes
    -----
    The line is Fisher's (1936) in the principal dimensions of both together; its covariance is
    shrunk towards a multiple of the identity as far as few spikes require. Spikes that have no
    column in common, on channels too far apart, cannot be compared: their dip is infinite.
    """
    both = np.concatenate([a, b])
    points = principal_coordinates(frame(both), n_dims)
    if points.shape[1] == 0:
        return np.inf
    if slow is not None:
        points = without_common_trend(points, slow[both], len(a))
    return dip_between(points, len(a))
