"""The nearest neighbours of each event in embedding, among events near in space and time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.embedding.kernels import FAST, Float32
from embersort.types import Geometry, IntArray

BLOCK_EVENTS = 4096
"""Events that one thread takes at a time."""
PIECE = 1024
"""Candidates whose similarities are held at one time; fits the cache."""


class _Events(NamedTuple):
    """Events in order of time, and again in order of channel, then time."""

    rows: Float32
    sample_index: NDArray[np.int64]
    channel_index: NDArray[np.int64]
    by_channel: NDArray[np.int64]
    columns: Float32
    samples: NDArray[np.int64]
    edges: NDArray[np.int64]


class _Reach(NamedTuple):
    """Channels within reach of channel ``c``: ``channels[edges[c] : edges[c + 1]]``."""

    channels: NDArray[np.int64]
    edges: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which neighbours are looked for, and where.

    Attributes
    ----------
    n_neighbours : int
        As many are returned, where there are.
    window_samples : int
        Candidates lie at most this far before or after.
    radius_um : float
        Candidates' channels lie at most this far from the event's.
    n_bins : int
        As many of the neighbours are not the nearest of all, but each the nearest of one of so
        many equal parts of the window: they reach through time where the nearest may all lie in
        one place.
    """

    n_neighbours: int
    window_samples: int
    radius_um: float
    n_bins: int = 0


def nearest_events(
    embedding: Float32,
    sample_index: IntArray,
    channel_index: IntArray,
    geometry: Geometry,
    search: Search,
    *,
    n_threads: int = 1,
) -> NDArray[np.int64]:
    """Find each event's nearest neighbours among those near in space and time.

    Parameters
    ----------
    embedding : ndarray, shape (n_events, n_dims), float32
        Unit-norm rows: the nearest has the largest dot product.
    sample_index, channel_index : ndarray, shape (n_events,), int64
        When and where; ``sample_index`` does not decrease.
    geometry : Geometry
    search : Search
    n_threads : int
        Does not change the result.

    Returns
    -------
    ndarray, shape (n_events, n_neighbours), int64
        The nearest of all, the most similar first, then those of the bins in order of time; -1
        where there is none. The event itself is never among them; another may be there twice.
        Of equally similar events those on the lower channel, then the earlier, come first.

    Notes
    -----
    Exact. O(n_events · n_candidates · n_dims) time, where n_candidates is the number of events
    within reach in space and time.
    """
    events = _by_channel(embedding, sample_index, channel_index, geometry.n_channels)
    reach = _reach(geometry, search.radius_um)
    found = np.full((len(embedding), search.n_neighbours), -1, np.int64)

    def search_block(start: int, stop: int) -> None:
        _search(events, reach, search.window_samples, search.n_bins, start, stop, found)

    run_blocks(search_block, len(embedding), n_threads)
    return found


def _by_channel(
    embedding: Float32, sample_index: IntArray, channel_index: IntArray, n_channels: int
) -> _Events:
    by_channel = np.argsort(channel_index, kind="stable")
    return _Events(
        rows=np.ascontiguousarray(embedding, dtype=np.float32),
        sample_index=np.ascontiguousarray(sample_index, dtype=np.int64),
        channel_index=np.ascontiguousarray(channel_index, dtype=np.int64),
        by_channel=by_channel,
        columns=np.ascontiguousarray(embedding[by_channel].T, dtype=np.float32),
        samples=np.ascontiguousarray(sample_index[by_channel], dtype=np.int64),
        edges=np.searchsorted(channel_index[by_channel], np.arange(n_channels + 1)),
    )


def _reach(geometry: Geometry, radius_um: float) -> _Reach:
    table = [np.flatnonzero(row) for row in geometry.distances_um() <= radius_um]
    return _Reach(
        channels=np.concatenate([*table, np.zeros(0, np.int64)]).astype(np.int64),
        edges=np.cumsum([0, *(len(row) for row in table)]).astype(np.int64),
    )


def run_blocks(function: Callable[[int, int], None], n_events: int, n_threads: int) -> None:
    """Call ``function(start, stop)`` for each block of events, on a pool of threads."""
    blocks = [(i, min(i + BLOCK_EVENTS, n_events)) for i in range(0, n_events, BLOCK_EVENTS)]
    if n_threads == 1 or len(blocks) < 2:
        for start, stop in blocks:
            function(start, stop)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        for future in [pool.submit(function, start, stop) for start, stop in blocks]:
            future.result()


@njit(nogil=True, cache=True)
def _search(
    events: _Events,
    reach: _Reach,
    window: int,
    n_bins: int,
    start: int,
    stop: int,
    found: NDArray[np.int64],
) -> None:
    n_nearest = found.shape[1] - n_bins
    similarity = np.empty(PIECE, np.float32)
    best = np.empty(n_nearest, np.float32)
    best_of_bin = np.empty(n_bins, np.float32)
    for i in range(start, stop):
        best[:] = -np.inf
        best_of_bin[:] = -np.inf
        channel, sample = events.channel_index[i], events.sample_index[i]
        for c in reach.channels[reach.edges[channel] : reach.edges[channel + 1]]:
            offset = events.edges[c]
            there = events.samples[offset : events.edges[c + 1]]
            first = offset + np.searchsorted(there, sample - window)
            last = offset + np.searchsorted(there, sample + window, side="right")
            for begin in range(first, last, PIECE):
                n = min(PIECE, last - begin)
                _compare(events, i, begin, similarity[:n])
                for j in range(n if n_nearest > 0 else 0):
                    if similarity[j] > best[n_nearest - 1]:
                        other = events.by_channel[begin + j]
                        if other != i:
                            _insert(best, found[i], similarity[j], other)
                if n_bins > 0:
                    _fill_bins(events, i, begin, similarity[:n], window, best_of_bin, found[i])


@njit(nogil=True, cache=True, fastmath=FAST)
def _compare(events: _Events, i: int, begin: int, similarity: Float32) -> None:
    """Fill in how like an event the candidates from ``begin`` on are."""
    n = len(similarity)
    similarity[:] = 0
    for d in range(events.rows.shape[1]):
        x, column = events.rows[i, d], events.columns[d, begin : begin + n]
        for j in range(n):
            similarity[j] += x * column[j]


@njit(nogil=True, cache=True)
def _fill_bins(
    events: _Events,
    i: int,
    begin: int,
    similarity: Float32,
    window: int,
    best: Float32,
    found: NDArray[np.int64],
) -> None:
    """Put candidates, which follow in time, into the bins that they are the best of."""
    n_bins, n_nearest = len(best), len(found) - len(best)
    first = events.sample_index[i] - window
    k = 0
    for j in range(len(similarity)):
        # The bin that the time falls into; the last holds its end as well.
        after = (events.samples[begin + j] - first) * n_bins
        while k < n_bins - 1 and after >= (k + 1) * 2 * window:
            k += 1
        if similarity[j] > best[k] and events.by_channel[begin + j] != i:
            best[k], found[n_nearest + k] = similarity[j], events.by_channel[begin + j]


@njit(nogil=True, cache=True)
def _insert(best: Float32, found: NDArray[np.int64], value: np.float32, event: int) -> None:
    """Put an event into the ordered list; it comes after its equals."""
    place = len(best) - 1
    while place > 0 and best[place - 1] < value:
        best[place], found[place] = best[place - 1], found[place - 1]
        place -= 1
    best[place], found[place] = value, event
