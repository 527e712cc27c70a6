"""The fixed grid of tiles, and how they are worked through in parallel and in order.

Every tile is computed alone from the same samples, so that neither the size of a chunk nor the
number of workers can change a bit of the result.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from embersort.config import RunConfig
from embersort.spread import spread_places
from embersort.types import Recording
from embersort.units import s_to_samples

Result = TypeVar("Result")

TILE_S = 1.0
"""Length of a tile: long against its margins, short enough to stay in the cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A stretch of recording that is computed as one.

    Attributes
    ----------
    index : int
        Place in the grid.
    start, stop : int
        The samples that the tile is responsible for.
    """

    index: int
    start: int
    stop: int


def tile_grid(n_samples: int, sampling_rate_hz: float) -> list[Tile]:
    """Cut a recording into tiles of `TILE_S`; the last may be shorter."""
    length = max(1, s_to_samples(TILE_S, sampling_rate_hz))
    return [
        Tile(index=i, start=start, stop=min(start + length, n_samples))
        for i, start in enumerate(range(0, n_samples, length))
    ]


def spread(tiles: list[Tile], most: int) -> list[Tile]:
    """Return at most so many of the tiles, evenly spread."""
    return [tiles[i] for i in spread_places(len(tiles), most)]


def read_with_margin(recording: Recording, tile: Tile, margin: int) -> NDArray[np.float32]:
    """Read a tile with its margins.

    Returns
    -------
    ndarray, shape (tile.stop - tile.start + 2 * margin, n_channels), float32
        Beyond either end of the recording the traces are continued by their point reflection about
        the end, as `scipy.signal.sosfiltfilt` pads (``padtype="odd"``); what is too short to be
        reflected continues with its last value.
    """
    n_samples = recording.n_samples
    start, stop = max(tile.start - margin, 0), min(tile.stop + margin, n_samples)
    inner = recording.read(start, stop)
    n_front = start - (tile.start - margin)
    n_back = tile.stop + margin - stop
    if not n_front and not n_back:
        return inner
    return np.concatenate(
        [
            _reflect(inner, n_front)[::-1],
            inner,
            _reflect(inner[::-1], n_back),
        ]
    )


def _reflect(traces: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Return the continuation before the first sample, going away from it."""
    if n_samples == 0:
        return traces[:0]
    inside = traces[1 : n_samples + 1]
    reflected = 2 * traces[:1] - inside
    missing = n_samples - len(reflected)
    if missing:
        last = reflected[-1:] if len(reflected) else traces[:1]
        reflected = np.concatenate([reflected, np.repeat(last, missing, axis=0)])
    return reflected


class TileMapper(Protocol):
    """Applies a function to tiles, wherever that is; `map_tiles` does it on threads."""

    def __call__(
        self,
        function: Callable[[Tile], Result],
        tiles: list[Tile],
        config: RunConfig,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Result]:
        """Yield the results in tile order, whichever is ready first."""
        ...


def n_workers(config: RunConfig) -> int:
    """Return the number of threads: as configured, or one per core that we may use."""
    if config.n_workers:
        return config.n_workers
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cut_into_chunks(tiles: list[Tile], config: RunConfig) -> list[list[Tile]]:
    """Return the tiles in runs of ``chunk_s``, each one worker's at a time."""
    per_chunk = max(1, round(config.chunk_s / TILE_S))
    return [tiles[i : i + per_chunk] for i in range(0, len(tiles), per_chunk)]


def map_tiles(
    function: Callable[[Tile], Result],
    tiles: list[Tile],
    config: RunConfig,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Result]:
    """Apply a function to every tile on a pool of threads; yield results in tile order.

    Parameters
    ----------
    function : callable
        Must depend on nothing but its tile. Kernels release the GIL.
    tiles : list of Tile
    config : RunConfig
        ``chunk_s`` is how much one thread takes at a time, ``n_workers`` the number of threads.
    progress : callable, optional
        Called with the number of tiles done since the last call.

    Notes
    -----
    At most ``2 * n_workers`` chunks are held, so memory does not grow with the recording. Linear
    algebra libraries are kept to one thread meanwhile: ours are the only ones.
    """
    chunks = cut_into_chunks(tiles, config)
    workers = n_workers(config)

    def run(chunk: list[Tile]) -> list[Result]:
        return [function(tile) for tile in chunk]

    with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
        waiting: deque = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(run, chunk))
                if len(waiting) >= 2 * workers:
                    yield from _finish(waiting, progress)
            while waiting:
                yield from _finish(waiting, progress)
        finally:
            for future in waiting:
                future.cancel()


def _finish(waiting: deque, progress: Callable[[int], None] | None) -> list[Result]:
    results = waiting.popleft().result()
    if progress is not None:
        progress(len(results))
    return results
