"""A result folder appears whole or not at all, and reads back as it was."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spikeinterface

from embersort.errors import BadInput
from embersort.output import (
    RUN_FILE,
    check_new_folder,
    new_folder,
    read_result,
    sorting_hash,
    write_result,
)
from embersort.recording import load_sorting


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_result_reads_back_as_it_was(tmp_path, result):
    write_result(result, tmp_path / "out")
    again = read_result(tmp_path / "out")
    for name in ("sample_index", "unit_index", "unit_ids"):
        np.testing.assert_array_equal(getattr(again.sorting, name), getattr(result.sorting, name))
    assert again.sorting.n_samples == 30_000
    for name in ("spike_amplitude", "spike_probability", "spike_position_um", "embedding"):
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))
    np.testing.assert_array_equal(again.templates.waveforms_uv, result.templates.waveforms_uv)
    np.testing.assert_array_equal(again.geometry.positions_um, result.geometry.positions_um)
    assert again.templates.n_before == 20
    assert list(again.unit_table) == list(result.unit_table)
    for name, column in result.unit_table.items():
        np.testing.assert_array_equal(again.unit_table[name], column)
        assert again.unit_table[name].dtype.kind == column.dtype.kind
    assert again.timings_s == {"detect": 0.5}
    assert again.provenance["n"] == 3


def test_no_units_at_all(tmp_path, result):
    from embersort.types import Sorting, SortResult, Templates

    nothing = SortResult(
        sorting=Sorting(
            sample_index=[], unit_index=[], unit_ids=[], sampling_rate_hz=30_000, n_samples=10
        ),
        templates=Templates(waveforms_uv=np.zeros((0, 60, 4)), n_before=20),
        geometry=result.geometry,
        spike_amplitude=[],
        spike_probability=[],
        spike_position_um=np.zeros((0, 2)),
        embedding=np.zeros((0, 3)),
        unit_table={"rate_hz": np.zeros(0)},
    )
    write_result(nothing, tmp_path / "out")
    assert read_result(tmp_path / "out").sorting.n_units == 0
    assert len(spikeinterface.load(tmp_path / "out" / "sorting").unit_ids) == 0


def test_spikeinterface_reads_the_sorting_with_its_properties(tmp_path, result):
    write_result(result, tmp_path / "out")
    sorting = spikeinterface.load(tmp_path / "out" / "sorting")
    assert list(sorting.unit_ids) == [1, 2, 7]
    np.testing.assert_array_equal(sorting.get_unit_spike_train(unit_id=1), [10, 30, 50])
    np.testing.assert_array_equal(sorting.get_property("rate_hz"), [3, 2, 0])


def test_unit_table_is_plain_csv(tmp_path, result):
    write_result(result, tmp_path / "out")
    assert (tmp_path / "out" / "units.csv").read_text().splitlines() == [
        "unit_id,rate_hz,n_spikes,snr,kept,label",
        "1,3.0,3,0.30000000000000004,True,good",
        '2,2.0,2,nan,False,"mua, or not"',
        "7,0.0,0,1e-30,True,",
    ]


def test_run_json_says_what_was_found(tmp_path, result):
    write_result(result, tmp_path / "out")
    run = json.loads((tmp_path / "out" / RUN_FILE).read_text())
    assert run["n_spikes"] == 5
    assert run["sorting_sha256"] == sorting_hash(result.sorting)
    assert run["timings_s"] == {"detect": 0.5}


def test_an_existing_folder_is_refused(tmp_path, result):
    write_result(result, tmp_path / "out")
    with pytest.raises(BadInput, match="exists; give --overwrite"):
        write_result(result, tmp_path / "out")


def test_overwriting_replaces_the_whole_folder(tmp_path, result):
    write_result(result, tmp_path / "out")
    (tmp_path / "out" / "report.html").write_text("written later, and can be again")
    write_result(result, tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "report.html").exists()
    assert names(tmp_path) == ["out"]


def test_what_is_no_result_is_never_overwritten(tmp_path, result):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").write_text("...")
    with pytest.raises(BadInput, match="holds other things"):
        write_result(result, tmp_path / "thesis", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is not a folder"):
        write_result(result, tmp_path / "file", overwrite=True)
    assert (tmp_path / "thesis" / "chapter1").read_text() == "..."


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_whatever_ends_the_writing_leaves_the_earlier_result(tmp_path, result, end):
    write_result(result, tmp_path / "out")

    def write_half():
        with new_folder(tmp_path / "out", overwrite=True, marker=RUN_FILE) as new:
            (new / "half").write_text("")
            raise end

    with pytest.raises(end):
        write_half()
    assert names(tmp_path) == ["out"]
    assert read_result(tmp_path / "out").sorting.n_spikes == 5


def test_a_failed_rename_puts_the_earlier_result_back(tmp_path, result, monkeypatch):
    write_result(result, tmp_path / "out")
    rename = Path.rename

    def fail(self, target):
        if ".writing-" in self.name:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    monkeypatch.setattr("embersort.output.staging._exchange", lambda *_: False)
    with pytest.raises(BadInput, match="Input/output error"):
        write_result(result, tmp_path / "out", overwrite=True)
    assert names(tmp_path) == ["out"]
    assert read_result(tmp_path / "out").sorting.n_spikes == 5


_WRITE_IN_LITTLE_SPACE = """
import sys, resource, pytest
sys.path.insert(0, {tests!r})
from conftest import make_result
from embersort.output import write_result
from embersort.errors import BadInput
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    write_result(make_result(), {out!r})
except BadInput as error:
    print(error)
"""


def test_a_file_that_cannot_be_written_whole(tmp_path):
    script = _WRITE_IN_LITTLE_SPACE.format(
        tests=str(Path(__file__).parent), out=str(tmp_path / "out")
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "out cannot be written: " in done.stdout, done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError("500 requested and 0 written")]
)
def test_a_full_disk_is_called_that(tmp_path, error):
    with (
        pytest.raises(BadInput, match="the disk is full; free some space"),
        new_folder(tmp_path / "out", marker=RUN_FILE),
    ):
        raise error
    assert names(tmp_path) == []


def test_a_full_disk_is_seen_before_the_work(tmp_path, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(BadInput, match="the disk is full"):
        check_new_folder(tmp_path / "a" / "b", marker=RUN_FILE)


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is not a folder that you may write to"):
        check_new_folder(tmp_path / "file" / "out", marker=RUN_FILE)


@pytest.mark.parametrize("lost", ["run.json", "spikes.npz", "templates.npz", "units.csv"])
def test_a_damaged_result_is_refused(tmp_path, result, lost):
    write_result(result, tmp_path / "out")
    (tmp_path / "out" / lost).unlink()
    with pytest.raises(BadInput):
        read_result(tmp_path / "out")


def test_hash_is_that_of_times_units_and_names(result):
    import hashlib

    words = [10, 20, 30, 40, 50, 0, 1, 0, 1, 0, 1, 2, 7]
    plain = b"".join(word.to_bytes(8, "little") for word in words)
    assert sorting_hash(result.sorting) == hashlib.sha256(plain).hexdigest()


def test_sorting_loads_from_every_place(tmp_path, result):
    from spikeinterface.core import NpzSortingExtractor

    write_result(result, tmp_path / "out")
    si_sorting = spikeinterface.load(tmp_path / "out" / "sorting")
    NpzSortingExtractor.write_sorting(si_sorting, tmp_path / "si.npz")
    si_sorting.save(folder=tmp_path / "s.zarr", format="zarr", progress_bar=False)
    places = ("out", "out/sorting", "out/spikes.npz", "si.npz", "s.zarr")
    for place in places:
        sorting = load_sorting(tmp_path / place)
        np.testing.assert_array_equal(sorting.sample_index, [10, 20, 30, 40, 50])
        np.testing.assert_array_equal(sorting.unit_ids[sorting.unit_index], [1, 2, 1, 2, 1])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone", "does not exist"),
        ("empty", "holds no sorting"),
        ("broken.npz", "is it truncated"),
        ("other.npz", "cannot be read as a SpikeInterface .npz"),
    ],
)
def test_what_is_no_sorting(tmp_path, name, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    np.savez(tmp_path / "other.npz", a=1)
    with pytest.raises(BadInput, match=sentence):
        load_sorting(tmp_path / name)


def test_units_named_by_text_are_numbered():
    from spikeinterface.core import NumpySorting

    from embersort.recording import sorting_from_spikeinterface

    named = NumpySorting.from_unit_dict([{"b": np.array([5]), "a": np.array([3, 9])}], 30_000)
    sorting = sorting_from_spikeinterface(named, 100)
    np.testing.assert_array_equal(sorting.unit_ids, [0, 1])
    np.testing.assert_array_equal(sorting.sample_index, [3, 5, 9])
    np.testing.assert_array_equal(sorting.unit_index, [1, 0, 1])
