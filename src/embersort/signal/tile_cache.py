"""White tiles kept from one pass over the recording to the next."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.config import RunConfig
from embersort.machine import memory_mb
from embersort.types import Events

KEEP_PER_CHANNEL = 3 / 700
"""As many times `RunConfig.keep_mb` for each channel, where that is more: 3 MB of 700. Twice as
much saves a thirtieth of the time of 384 channels."""

MEMORY_SHARE = 0.25
"""Tiles that are kept take no more of the machine's memory than this."""

WhiteTile = tuple[NDArray[np.float32], Events]
"""White traces of a tile with its margins, and the events in it."""


def bytes_to_keep(config: RunConfig, n_channels: int) -> int:
    """Return how much of its white tiles a sort keeps; no result depends on it."""
    wanted = config.keep_mb * max(1.0, KEEP_PER_CHANNEL * n_channels)
    there = memory_mb()
    return round(1e6 * (wanted if there is None else min(wanted, MEMORY_SHARE * there)))


class KeptTiles:
    """Keeps tiles while they fit; the rest is computed anew in each pass, to the same bits.

    Parameters
    ----------
    most_bytes : int
        Traces kept together are no larger, nor with what `share_with` leaves to others.
    """

    def __init__(self, most_bytes: int) -> None:
        self._bytes_left = most_bytes
        self._bytes_of_others = 0
        self._tiles: dict[int, WhiteTile] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel empty, and keep nothing elsewhere: each pass may meet its tiles on any worker."""
        return KeptTiles, (0,)

    def get(self, tile_index: int) -> WhiteTile | None:
        """Return a tile, if it is kept. It is everybody's: not to be changed."""
        return self._tiles.get(tile_index)

    def keep(self, tile_index: int, made: WhiteTile) -> None:
        """Keep a tile, if there is room."""
        size = made[0].nbytes
        with self._lock:
            if size <= self._bytes_left and tile_index not in self._tiles:
                self._bytes_left -= size
                self._tiles[tile_index] = made

    def share_with(self, n_bytes: int) -> None:
        """Leave so many of the bytes to others, and drop the latest tiles if that takes it."""
        with self._lock:
            self._bytes_left += self._bytes_of_others - n_bytes
            self._bytes_of_others = n_bytes
            while self._bytes_left < 0 and self._tiles:
                white, _ = self._tiles.pop(max(self._tiles))
                self._bytes_left += white.nbytes

    def drop(self) -> None:
        """Drop all tiles; none is wanted again."""
        with self._lock:
            self._bytes_left = 0
            self._tiles.clear()
