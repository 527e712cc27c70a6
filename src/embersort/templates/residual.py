"""First templates made true: what the components leave out of large spikes, and far channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.front import Front
from embersort.signal.snippets import Window, cut_snippets
from embersort.signal.tiles import Tile, spread
from embersort.templates.sparse import SparseTemplates
from embersort.templates.spikes import UnitSpikes, evenly
from embersort.templates.tracking import MEDIAN_VARIANCE
from embersort.types import IntArray

MIN_ENERGY = 400.0
"""Energy from which on a template leaves enough behind to be taken for another unit."""

N_TILES = 20
"""Tiles, spread over the recording, from which snippets are taken."""

N_SNIPPETS = 50
"""Snippets of a unit, at most."""

BEYOND_EDGE = 1.5
"""Noise that is not white in time has singular values beyond the edge that white noise has."""

MIN_SNIPPETS = 15
"""With fewer, a median is too rough to add to what the components say."""

N_PARTS, LEAST_SHARE = 4, 0.5
"""In each quarter of the recording a steady unit has at least half of its even share of spikes."""

REACH_UM = 400.0
"""Channels this near to the main channel are looked at."""

MAX_CHANNELS = 48
"""At most this many of them, the nearest."""


def template_residuals(
    templates: SparseTemplates, spikes: UnitSpikes, front: Front
) -> SparseTemplates:
    """Return what components and local channels leave out of first templates.

    Parameters
    ----------
    templates : SparseTemplates
        White, from components on local channels.
    spikes : UnitSpikes
    front : Front

    Returns
    -------
    SparseTemplates
        What remains of a large spike once its template is taken out looks like a small one. Of
        strong units the median of some snippets is taken; the part of it that the template lacks
        and that is beyond noise is to be added. Zero for the others.

    Notes
    -----
    O(N_TILES) tiles are filtered, whatever the recording's length.
    """
    strong = np.flatnonzero(templates.energy() >= MIN_ENERGY)
    strong = strong[fires_throughout(spikes, strong, front.recording.n_samples)]
    if not len(strong):
        return templates.with_waves({})
    tiles = spread(front.tiles(), N_TILES)
    rows, mains = _rows_to_cut(spikes, strong, tiles)
    samples, channels = spikes.sample_index[rows], spikes.channel_index[rows]
    near = front.recording.geometry.neighbours(REACH_UM, MAX_CHANNELS)
    wide = Window(n_before=front.window.n_before, n_after=front.window.n_after, neighbours=near)

    def process_tile(tile: Tile) -> NDArray[np.float32]:
        here = (samples >= tile.start) & (samples < tile.stop)
        if not here.any():
            return np.zeros((0, wide.n_window, near.shape[1]), np.float32)
        at = samples[here] - (tile.start - front.extra)
        return cut_snippets(front.white_tile(tile), at, channels[here], wide)

    # Rows and tiles are both in order of time.
    snippets = np.concatenate(list(front.mapper(process_tile, tiles, front.run)))
    residuals = {}
    for unit in strong.tolist():
        own = snippets[spikes.unit_index[rows] == unit]
        if len(own) < MIN_SNIPPETS:
            continue
        local = near[mains[unit]]
        local = local[local >= 0]
        seen = np.median(own, axis=0)[:, : len(local)] - templates.one(unit)[:, local]
        residuals[unit] = local, _beyond_noise(seen, MEDIAN_VARIANCE / len(own))
    return templates.with_waves(residuals)


def fires_throughout(spikes: UnitSpikes, units: IntArray, n_samples: int) -> NDArray[np.bool_]:
    """Say which units fire in every part of the recording: the others may be a moving neuron's.

    Parameters
    ----------
    spikes : UnitSpikes
    units : ndarray, shape (n_wanted,), int64
    n_samples : int
        Length of the recording.

    Returns
    -------
    ndarray, shape (n_wanted,), bool
    """
    part = spikes.sample_index * N_PARTS // n_samples
    counts = [np.bincount(part[spikes.unit_index == unit], minlength=N_PARTS) for unit in units]
    shares = np.array(counts, float).reshape(len(units), N_PARTS)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    fires_throughout: NDArray[np.bool_] = np.all(shares >= LEAST_SHARE / N_PARTS, axis=1)
    return fires_throughout


def _beyond_noise(waves: NDArray[np.float32], variance: float) -> NDArray[np.float32]:
    """Return the separable parts of waves that are larger than any that noise would have."""
    u, s, vt = np.linalg.svd(waves, full_matrices=False)
    edge = np.sqrt(variance) * sum(np.sqrt(waves.shape))
    s[s <= BEYOND_EDGE * edge] = 0
    return (u * s) @ vt


def _rows_to_cut(
    spikes: UnitSpikes, units: IntArray, tiles: list[Tile]
) -> tuple[NDArray[np.int64], dict[int, int]]:
    """Return spikes of each unit on its main channel within some tiles, and the main channels."""
    inside = spikes.inside(tiles)
    mains, rows = {}, []
    for unit in units:
        members = np.flatnonzero(spikes.unit_index == unit)
        mains[int(unit)] = main = int(np.bincount(spikes.channel_index[members]).argmax())
        own = members[inside[members] & (spikes.channel_index[members] == main)]
        rows.append(evenly(own, N_SNIPPETS))
    return np.sort(np.concatenate(rows)), mains
