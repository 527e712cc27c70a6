"""Tiles kept from one pass to the next."""

import pickle

import numpy as np
import pytest

from embersort.config import RunConfig
from embersort.signal import tile_cache
from embersort.signal.tile_cache import KeptTiles, bytes_to_keep
from embersort.types import Events

NO_EVENTS = Events(
    sample_index=np.zeros(0, np.int64),
    channel_index=np.zeros(0, np.int64),
    amplitude=np.zeros(0, np.float32),
)


def tile(n_samples):
    return np.ones((n_samples, 1), np.float32), NO_EVENTS


def test_tiles_are_kept_while_they_fit():
    kept = KeptTiles(most_bytes=4 * 30)
    first, small = tile(20), tile(10)
    kept.keep(0, first)
    kept.keep(1, tile(11))
    kept.keep(2, small)
    assert kept.get(0) is first
    assert kept.get(1) is None
    assert kept.get(2) is small


def test_a_tile_counts_once():
    kept = KeptTiles(most_bytes=4 * 30)
    first, last = tile(20), tile(10)
    kept.keep(0, first)
    kept.keep(0, tile(20))
    kept.keep(1, last)
    assert kept.get(0) is first
    assert kept.get(1) is last


def test_they_travel_empty():
    kept = KeptTiles(most_bytes=1000)
    kept.keep(0, tile(1))
    there = pickle.loads(pickle.dumps(kept))
    there.keep(1, tile(1))
    assert there.get(0) is None
    assert there.get(1) is None


def test_the_latest_make_room_first():
    kept = KeptTiles(most_bytes=4 * 30)
    for index in (0, 1, 2):
        kept.keep(index, tile(10))
    kept.share_with(4 * 5)
    assert [kept.get(index) is None for index in (0, 1, 2)] == [False, False, True]
    kept.share_with(4 * 11)
    assert [kept.get(index) is None for index in (0, 1, 2)] == [False, True, True]
    kept.keep(3, tile(10))
    assert kept.get(3) is None
    # 11 of 30 are others', 10 the first tile's.
    kept.keep(4, tile(9))
    assert kept.get(4) is not None


def test_dropped_tiles_are_gone_for_good():
    kept = KeptTiles(most_bytes=4 * 30)
    kept.keep(0, tile(10))
    kept.drop()
    kept.keep(1, tile(10))
    assert kept.get(0) is None
    assert kept.get(1) is None


@pytest.mark.parametrize(
    ("n_channels", "memory_mb", "expected_mb"),
    [(32, 16_000, 700), (384, 16_000, 1152), (384, 4_000, 1000), (384, None, 1152)],
)
def test_more_is_kept_of_many_channels_but_not_more_than_there_is_room(
    monkeypatch, n_channels, memory_mb, expected_mb
):
    monkeypatch.setattr(tile_cache, "memory_mb", lambda: memory_mb)
    assert bytes_to_keep(RunConfig(), n_channels) == expected_mb * 1_000_000
