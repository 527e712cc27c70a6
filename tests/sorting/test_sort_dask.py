"""A sort on two processes of Dask: the same bits as on threads; what cannot be done is said."""

import builtins

import numpy as np
import pytest
from test_sort_invariance import digest, held, run, scene

from embersort.config import FeatureConfig, RunConfig
from embersort.errors import BadInput, MissingDependency
from embersort.recording import ReopenedRecording
from embersort.signal.tiles import Tile
from embersort.simulate import simulate
from embersort.sorting import sort
from embersort.sorting.dask_tiles import dask_tiles

distributed = pytest.importorskip("distributed")

CONFIG = run(chunk_s=3, n_workers=2)


@pytest.fixture(scope="module")
def mapper():
    with dask_tiles("local", CONFIG.run) as mapper:
        yield mapper


@pytest.fixture(scope="module")
def recording():
    return simulate(scene()).recording


@pytest.fixture(scope="module")
def reopened(recording, tmp_path_factory):
    path = tmp_path_factory.mktemp("dask") / "traces.npy"
    np.save(path, recording.read(0, recording.n_samples))
    options = {
        "sampling_rate_hz": recording.sampling_rate_hz,
        "positions_um": recording.geometry.positions_um,
        "channels_first": False,
    }
    return ReopenedRecording(str(path), options)


@pytest.mark.parametrize("method", ["pca", "encoder"])
def test_dask_gives_the_same_bits(mapper, reopened, method):
    config = CONFIG.model_copy(update={"feature": FeatureConfig(method=method)})
    steps = []
    there = sort(reopened, config, mapper=mapper, progress=lambda *step: steps.append(step))
    assert there.sorting.n_units
    assert digest(there) == digest(sort(reopened, config))
    assert ("detecting", 12, 12) in steps


def test_results_come_in_tile_order(mapper):
    tiles = [Tile(index=i, start=i, stop=i + 1) for i in range(20)]
    found = mapper(lambda tile: tile.index, tiles, RunConfig(chunk_s=3))
    assert list(found) == list(range(20))


def test_a_fault_of_a_worker_comes_back(mapper):
    def fail(tile):
        raise BadInput("this tile is bad")

    with pytest.raises(BadInput, match="this tile is bad"):
        list(mapper(fail, [Tile(index=0, start=0, stop=1)], RunConfig()))


def test_an_array_in_memory_is_refused(mapper, recording):
    with pytest.raises(BadInput, match="cannot be sent to Dask workers"):
        sort(held(recording), CONFIG, mapper=mapper)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("embersort.dask_cluster.CONNECT_TIMEOUT_S", 0.5)
    with pytest.raises(BadInput, match=r"tcp://127\.0\.0\.1:9 cannot be reached"):
        dask_tiles("tcp://127.0.0.1:9", RunConfig()).__enter__()


def test_without_dask_it_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "distributed":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingDependency, match=r"embersort\[dask\]"):
        dask_tiles("local", RunConfig()).__enter__()
