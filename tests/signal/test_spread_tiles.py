"""Some tiles of many, evenly spread."""

from embersort.signal.tiles import spread, tile_grid


def test_first_and_last_are_among_them():
    tiles = tile_grid(10_000, 1000.0)
    assert [tile.index for tile in spread(tiles, 4)] == [0, 3, 6, 9]


def test_few_are_all_taken():
    tiles = tile_grid(2500, 1000.0)
    assert spread(tiles, 20) == tiles


def test_of_none_there_are_none():
    assert spread([], 4) == []
