import threading

import numpy as np
import pytest

from embersort.config import RunConfig
from embersort.recording import ArrayRecording
from embersort.signal.tiles import Tile, map_tiles, n_workers, read_with_margin, tile_grid
from embersort.types import Geometry


def recording(values):
    return ArrayRecording(
        traces=np.array(values, "f4")[:, None],
        sampling_rate_hz=1000.0,
        geometry=Geometry(positions_um=np.zeros((1, 2))),
    )


def read(values, start, stop, margin):
    tile = Tile(index=0, start=start, stop=stop)
    return read_with_margin(recording(values), tile, margin)[:, 0].tolist()


def test_tiles_cover_the_recording_once():
    tiles = tile_grid(2500, 1000.0)
    assert [(t.index, t.start, t.stop) for t in tiles] == [
        (0, 0, 1000),
        (1, 1000, 2000),
        (2, 2000, 2500),
    ]
    assert tile_grid(0, 1000.0) == []


def test_inside_a_recording_the_margin_is_what_was_recorded():
    assert read([1, 2, 4, 7, 11, 16], 2, 4, 2) == [1, 2, 4, 7, 11, 16]


def test_beyond_the_ends_the_recording_is_reflected_about_its_last_point():
    assert read([1, 2, 4, 7], 0, 4, 2) == [-2, 0, 1, 2, 4, 7, 10, 12]


def test_what_is_too_short_to_be_reflected_continues_with_its_last_value():
    assert read([5], 0, 1, 2) == [5, 5, 5, 5, 5]
    assert read([1, 2], 0, 2, 3) == [0, 0, 0, 1, 2, 3, 3, 3]


@pytest.mark.parametrize(("chunk_s", "workers"), [(1, 1), (3, 2), (100, 3)])
def test_results_come_in_order_of_the_tiles(chunk_s, workers):
    tiles = tile_grid(20_000, 1000.0)
    steps = []
    config = RunConfig(chunk_s=chunk_s, n_workers=workers)
    assert list(map_tiles(lambda tile: tile.index, tiles, config, steps.append)) == list(range(20))
    assert sum(steps) == 20


def test_no_more_chunks_are_under_way_than_said():
    lock, state = threading.Lock(), {"begun": 0, "taken": 0, "most": 0}

    def work(tile):
        with lock:
            state["begun"] += 1
            state["most"] = max(state["most"], state["begun"] - state["taken"])
        return tile

    for _ in map_tiles(work, tile_grid(50_000, 1000.0), RunConfig(chunk_s=1, n_workers=2)):
        with lock:
            state["taken"] += 1
    assert state["begun"] == 50
    assert state["most"] <= 5


def test_an_error_in_a_tile_reaches_the_caller():
    def fail(tile):
        raise ValueError(f"tile {tile.index}")

    with pytest.raises(ValueError, match="tile 0"):
        list(map_tiles(fail, tile_grid(3000, 1000.0), RunConfig(n_workers=2)))


def test_workers_as_configured_or_one_per_core():
    assert n_workers(RunConfig(n_workers=3)) == 3
    assert n_workers(RunConfig()) >= 1
