"""Clusters of collisions: spikes of two neurons at one time, taken for a third's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank, make_bank
from embersort.matching.match_recording import MatchSetup
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.redundancy import NO_RATE_HZ, REDUNDANT_SHARE
from embersort.matching.single_fit import (
    AMPLITUDE_SD,
    MAX_SCALING,
    MIN_SCALING,
    FitCriteria,
    fit_criteria,
)
from embersort.signal.tiles import Tile, spread
from embersort.templates.residual import fires_throughout
from embersort.templates.sparse import SparseTemplates
from embersort.templates.spikes import UnitSpikes, evenly
from embersort.types import BoolArray, FloatArray, IntArray

MIN_RATE_RATIO = 5
"""Collisions are rarer than the spikes of either neuron by this factor or more."""

SUPPORT_SHARE = 0.01
"""A channel belongs to a cluster if it holds this share of the largest channel's energy."""

N_TILES = 200
"""Tiles, spread over the recording, from which events are taken."""

N_EVENTS, MIN_EVENTS = 10, 3
"""Events of a cluster that are looked at, at most, and the fewest that tell."""

MAX_SHIFT = 3
"""Samples by which an event may lie off its cluster's template."""


def collisions(
    templates: SparseTemplates,
    spikes: UnitSpikes,
    setup: MatchSetup,
) -> NDArray[np.bool_]:
    """Say which clusters hold spikes of other neurons that coincide.

    Parameters
    ----------
    templates : SparseTemplates
        White.
    spikes : UnitSpikes
    setup : MatchSetup

    Returns
    -------
    ndarray, shape (n_units,), bool
        In doubt is a cluster that is no larger than chance makes of pairs of larger ones beside it.
        It is one of collisions if in half of its events, or more, the clusters that are not in
        doubt leave no more of the traces than they do once its own template is taken out. Of one
        that is active in part of the recording only, two of their spikes must have done so.

    Notes
    -----
    Where neurons fire much, their collisions form clusters, hundreds of them. The template of such
    a cluster is a median over many lags or many partners and need not be a sum of two others. Each
    of its events is. A few tiles are read, whatever the recording's length.
    """
    front, config = setup.front, setup.config
    counts = np.bincount(spikes.unit_index[spikes.unit_index >= 0], minlength=len(templates))
    candidates = may_be_collisions(templates, counts, front.recording.n_samples)
    if candidates.all() or not candidates.any():
        return np.zeros(len(templates), bool)
    tiles = spread(front.tiles(), N_TILES)
    inside = spikes.inside(tiles)
    own = [
        np.flatnonzero(inside & (spikes.unit_index == unit)) for unit in np.flatnonzero(candidates)
    ]
    rows = np.sort(np.concatenate([evenly(rows, N_EVENTS) for rows in own]))
    sample, unit = spikes.sample_index[rows], spikes.unit_index[rows]
    n_before = front.window.n_before
    others = make_bank(templates[~candidates], n_before, noise=setup.noise, stride=setup.stride)

    def process_tile(tile: Tile) -> NDArray[np.int64]:
        here = (sample >= tile.start) & (sample < tile.stop)
        if not here.any():
            return np.zeros(0, np.int64)
        start = sample[here] - (tile.start - front.extra) - n_before
        own = templates[unit[here]].dense()
        return explained_by(front.white_tile(tile), start, own, others, config)

    # Rows and tiles are both in order of time.
    n_others = np.concatenate(list(front.mapper(process_tile, tiles, front.run)))
    # A part of a moving neuron may look like another part; it is for merging to tell.
    moves = ~fires_throughout(spikes, np.arange(len(templates)), front.recording.n_samples)
    by_others = n_others > moves[unit]
    n_seen = np.bincount(unit, minlength=len(templates))
    n_explained = np.bincount(unit, weights=by_others, minlength=len(templates))
    return candidates & (n_seen >= MIN_EVENTS) & (2 * n_explained >= n_seen)


def may_be_collisions(
    templates: SparseTemplates, counts: IntArray, n_samples: int
) -> NDArray[np.bool_]:
    """Say which clusters are no larger than chance makes of pairs of larger ones beside them.

    Parameters
    ----------
    templates : SparseTemplates
    counts : ndarray, shape (n_units,), int64
        Events of each cluster.
    n_samples : int
        Length of the recording.
    """
    energy = np.square(templates.waves).sum(axis=1)
    used = energy > SUPPORT_SHARE * energy.max(axis=1, keepdims=True, initial=0.0)
    support = np.zeros((len(templates), templates.n_channels), np.float32)
    unit, place = np.nonzero(used)
    support[unit, templates.channels[unit, place]] = 1
    larger = (support @ support.T > 0) & (counts[None, :] >= MIN_RATE_RATIO * counts[:, None])
    total = larger @ counts.astype(np.float64)
    n_pairs = (total**2 - larger @ np.square(counts, dtype=np.float64)) / 2
    # Of the two spikes either is the first.
    by_chance = n_pairs * templates.n_window / max(n_samples, 1)
    return (counts > 0) & (by_chance >= counts)


def explained_by(
    white: NDArray[np.float32],
    start: IntArray,
    templates: NDArray[np.float32],
    others: TemplateBank,
    config: MatchConfig,
) -> NDArray[np.int64]:
    """Return how many spikes of others explain each event as well as its own template.

    Parameters
    ----------
    white : ndarray, shape (n_samples, n_channels), float32
    start : ndarray, shape (n_events,), int64
        Where the window of each event starts; as many samples before it and after it are there.
    templates : ndarray, shape (n_events, n_window, n_channels), float32
        Of the cluster of each event.
    others : TemplateBank
    config : MatchConfig

    Returns
    -------
    ndarray, shape (n_events,), int64
        0 where the others leave more of the traces than they do once the event's own template is
        taken out first.
    """
    n_window = templates.shape[1]
    criteria = fit_criteria(config, NO_RATE_HZ, allow_attenuated=False)
    around = np.arange(-n_window, 2 * n_window)
    segments = white[start[:, None] + around]
    scaling, place = _fit_own(segments, templates)
    without_own = segments.copy()
    for i, first in enumerate(place):
        without_own[i, first : first + n_window] -= scaling[i] * templates[i]
    used = np.any(templates != 0, axis=1)
    allowed = REDUNDANT_SHARE * np.square(scaling) * _energy(templates)
    left, n_spikes = _left_by(others, segments, used, criteria)
    more = left - _left_by(others, without_own, used, criteria)[0]
    return np.where(more <= allowed, n_spikes, 0)


def _fit_own(
    segments: NDArray[np.float32], templates: NDArray[np.float32]
) -> tuple[FloatArray, IntArray]:
    """Return the scale, and the first sample, of the best fit of each segment's own template."""
    n_window = templates.shape[1]
    firsts = np.arange(n_window - MAX_SHIFT, n_window + MAX_SHIFT + 1)
    score = np.stack(
        [np.einsum("ntc,ntc->n", segments[:, t : t + n_window], templates) for t in firsts]
    )
    prior = AMPLITUDE_SD**-2
    scaling = (score.max(axis=0) + prior) / (_energy(templates) + prior)
    return np.clip(scaling, MIN_SCALING, MAX_SCALING), firsts[score.argmax(axis=0)]


def _left_by(
    bank: TemplateBank, segments: NDArray[np.float32], used: BoolArray, criteria: FitCriteria
) -> tuple[FloatArray, IntArray]:
    """Match a bank to segments.

    Returns
    -------
    left : ndarray, shape (n_segments,)
        Energy that is left in the middle third, on used channels.
    n_spikes : ndarray, shape (n_segments,), int64
        Spikes that reach into the middle third.
    """
    n_segments, length, n_channels = segments.shape
    n_window = length // 3
    # One after the other, with nothing between: no spike reaches from one into the next.
    apart = np.zeros((n_segments, length + n_window, n_channels), np.float32)
    apart[:, :length] = segments
    matches, residual = match_templates(apart.reshape(-1, n_channels), bank, criteria)
    middle = residual.reshape(apart.shape)[:, n_window : 2 * n_window]
    segment, trough = np.divmod(matches.sample_index, length + n_window)
    reaches = np.abs(trough - bank.n_before - n_window) < n_window
    return _energy(middle * used[:, None]), np.bincount(segment[reaches], minlength=n_segments)


def _energy(waves: NDArray[np.float32]) -> FloatArray:
    return np.asarray(np.square(waves, dtype=np.float64).sum(axis=(1, 2)))
