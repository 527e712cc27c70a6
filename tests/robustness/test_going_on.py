"""A long sort that was cut off goes on from its last finished stage, with the same bits."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import hostile
import numpy as np
import pytest
from numpy.typing import NDArray

from embersort import sort
from embersort.config import SortConfig
from embersort.output import stages as stages_module
from embersort.output.stages import StageStore, stages_beside
from embersort.recording import open_recording

CONFIG = SortConfig.parse({"run": {"n_workers": 1}})


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    place: NDArray[np.float64] | None
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    inner: Inner
    none: Inner | None
    row: NDArray[np.float32]
    rate: float


def made() -> Outer:
    rng = np.random.default_rng(0)
    return Outer(
        inner=Inner(place=rng.normal(size=(3, 2)).T, size=3),
        none=None,
        row=rng.normal(size=4).astype(np.float32),
        rate=0.1,
    )


def test_a_stage_comes_back_as_it_went(tmp_path):
    store, stage = StageStore(tmp_path / "s", "k", keep_from_s=0), made()
    handed_on = store.keep("one", stage)
    found = StageStore(tmp_path / "s", "k").find("one", Outer)
    for other in (handed_on, found):
        assert other.none is None
        assert (other.inner.size, other.rate) == (3, 0.1)
        for ours, theirs in ((stage.inner.place, other.inner.place), (stage.row, other.row)):
            assert ours.dtype == theirs.dtype
            # The same layout on both ways, since linear algebra may add in another order.
            assert theirs.flags.c_contiguous
            np.testing.assert_array_equal(ours, theirs)


def test_stages_of_another_key_and_damaged_ones_are_not_taken(tmp_path):
    StageStore(tmp_path / "s", "k", keep_from_s=0).keep("one", made())
    (tmp_path / "s" / "two.npz").write_bytes((tmp_path / "s" / "one.npz").read_bytes()[:-30])
    store = StageStore(tmp_path / "s", "k")
    assert store.find("two", Outer) is None
    assert store.find("one", Inner) is None
    assert store.find("one", Outer) is not None
    StageStore(tmp_path / "s", "other")
    assert not (tmp_path / "s").exists()


def test_what_is_short_or_too_large_is_not_kept(tmp_path, monkeypatch):
    StageStore(tmp_path / "s", "k").keep("one", made())
    assert not (tmp_path / "s").exists()
    monkeypatch.setattr(stages_module, "MOST_BYTES", 10)
    StageStore(tmp_path / "s", "k", keep_from_s=0).keep("one", made())
    assert list((tmp_path / "s").glob("*.npz")) == []


def test_a_disk_that_is_full_does_not_end_the_sort(tmp_path):
    (tmp_path / "file").write_text("")
    store = StageStore(tmp_path / "file" / "s", "k", keep_from_s=0)
    assert store.keep("one", made()).rate == 0.1


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = hostile.saved_recording(tmp_path_factory.mktemp("going-on") / "r")
    traces = np.fromfile(folder / "traces_cached_seg0.raw", np.float32).reshape(-1, 4)
    for number, sample in enumerate(range(200, len(traces) - 200, 127)):
        shape = np.roll([200, 120, 60, 20], number % 3)
        traces[sample : sample + 12] -= np.hanning(12)[:, None] * shape
    traces.tofile(folder / "traces_cached_seg0.raw")
    return open_recording(folder)


class CutOff(Exception):
    pass


@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_a_sort_that_was_cut_off_goes_on_with_the_same_bits(
    recording, tmp_path, monkeypatch, caplog, n_stages
):
    whole = sort(recording, CONFIG)
    keep, kept = StageStore.keep, []

    def keep_and_end(self, name, stage, **options):
        handed_on = keep(self, name, stage, **options)
        kept.append(name)
        if len(kept) == n_stages:
            raise CutOff
        return handed_on

    with monkeypatch.context() as patched:
        patched.setattr(StageStore, "keep", keep_and_end)
        with pytest.raises(CutOff):
            sort(recording, CONFIG, stages=StageStore(tmp_path / "s", "k", keep_from_s=0))
    with caplog.at_level(logging.WARNING):
        again = sort(recording, CONFIG, stages=StageStore(tmp_path / "s", "k"))
    assert f"going on from the stage '{kept[-1]}'" in caplog.text
    for name in ("sample_index", "unit_index", "unit_ids"):
        np.testing.assert_array_equal(getattr(again.sorting, name), getattr(whole.sorting, name))
    assert whole.sorting.n_units > 0
    for name in ("spike_amplitude", "spike_probability", "spike_position_um", "embedding"):
        assert getattr(again, name).tobytes() == getattr(whole, name).tobytes()
    assert again.templates.waveforms_uv.tobytes() == whole.templates.waveforms_uv.tobytes()


def test_the_place_is_beside_the_result_and_gone_at_the_end(tmp_path):
    store = stages_beside(tmp_path / "out", {"a": 1})
    assert store.folder == tmp_path / ".out.stages"
    (tmp_path / ".out.stages").mkdir()
    store.remove()
    assert not (tmp_path / ".out.stages").exists()
