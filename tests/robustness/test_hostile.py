"""Nothing that is opened runs code."""

from __future__ import annotations

import json
import pickle
import re
from contextlib import nullcontext

import hostile
import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.recording import load_sorting, open_recording
from embersort.recording.literals import read_literals
from embersort.recording.trust import no_pickles


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    place = tmp_path_factory.mktemp("healthy")
    hostile.saved_recording(place / "recording")
    hostile.saved_zarr(place / "recording.zarr", place / "recording")
    hostile.saved_sorting(place / "sorting")
    hostile.saved_sorting(place / "sorting.zarr", "zarr")
    return place


@pytest.fixture
def copies(healthy, tmp_path):
    import shutil

    shutil.copytree(healthy, tmp_path / "files")
    return tmp_path / "files"


RECORDINGS = {
    "a pickled property": ("recording", hostile.with_pickled_property),
    "a pickle beside the traces": ("recording", hostile.with_cached_pickle),
    "a class in si_folder.json": ("recording", hostile.with_class),
    "a class in binary.json": ("recording", hostile.with_class_in_binary_json),
    "pickled names of channels in Zarr": (
        "recording.zarr",
        lambda folder, mark: hostile.with_pickled_chunks(folder, mark, "channel_ids"),
    ),
    "pickled traces in Zarr": (
        "recording.zarr",
        lambda folder, mark: hostile.with_pickled_chunks(folder, mark, "traces_seg0"),
    ),
    "pickles behind a link": (
        "recording.zarr",
        lambda folder, mark: hostile.with_hidden_metadata(folder, mark, "channel_ids"),
    ),
    "N5 in place of Zarr": ("recording.zarr", hostile.as_n5),
}


@pytest.mark.parametrize("kind", RECORDINGS)
@pytest.mark.parametrize("format", ["auto", "zarr", "binaryfolder"])
def test_a_recording_runs_no_code(copies, tmp_path, kind, format):
    name, spoil = RECORDINGS[kind]
    mark = tmp_path / "it-ran"
    place = spoil(copies / name, mark)
    # A pickle that SpikeInterface would have loaded lies unread beside healthy traces.
    unread = kind == "a pickle beside the traces"
    with nullcontext() if unread else pytest.raises(BadInput, match=re.escape(str(place.parent))):
        open_recording(place, format=format).read(0, 100)
    assert not mark.exists()


SORTINGS = {
    "a pickled property": ("sorting", hostile.with_pickled_property),
    "a class in si_folder.json": ("sorting", hostile.with_class),
    "pickled names of units in Zarr": (
        "sorting.zarr",
        lambda folder, mark: hostile.with_pickled_chunks(folder, mark, "unit_ids"),
    ),
    "pickled spikes in Zarr": (
        "sorting.zarr",
        lambda folder, mark: hostile.with_pickled_chunks(folder, mark, "spikes/sample_index"),
    ),
}


@pytest.mark.parametrize("kind", SORTINGS)
def test_a_sorting_runs_no_code(copies, tmp_path, kind):
    name, spoil = SORTINGS[kind]
    mark = tmp_path / "it-ran"
    place = spoil(copies / name, mark)
    # Properties are not read at all, so a hostile one does not matter.
    unread = kind == "a pickled property"
    with nullcontext() if unread else pytest.raises(BadInput, match=re.escape(str(place))):
        load_sorting(place)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["a class in si_folder.json"])
def test_trust_loads_what_would_be_refused(copies, tmp_path, kind):
    name, spoil = SORTINGS[kind]
    mark = tmp_path / "it-ran"
    with pytest.raises(BadInput, match="cannot be read"):
        load_sorting(spoil(copies / name, mark), trust=True)


def test_a_pickled_property_is_read_of_those_who_are_trusted(copies, tmp_path):
    np.save(copies / "recording/properties/colour.npy", np.array(["a", None, 1, {}], object))
    with pytest.raises(BadInput, match="--trust"):
        open_recording(copies / "recording")
    assert open_recording(copies / "recording", trust=True).geometry.n_channels == 4


def test_traces_outside_the_folder_are_refused(copies):
    file = copies / "recording/binary.json"
    values = json.loads(file.read_text())
    for name in ("/etc/passwd", "../elsewhere.raw"):
        values["kwargs"]["file_paths"] = [name]
        file.write_text(json.dumps(values))
        with pytest.raises(BadInput, match="leads out of its folder"):
            open_recording(copies / "recording")


def test_a_probe_file_runs_no_code(tmp_path):
    mark, traces = tmp_path / "it-ran", np.zeros((1000, 4), np.float32)
    probe = hostile.probe_file(tmp_path / "x.prb", mark)
    with pytest.raises(BadInput, match="holds more than values") as refused:
        open_recording(traces, sampling_rate_hz=30_000, probe=probe)
    assert str(probe) in str(refused.value)
    assert not mark.exists()
    open_recording(traces, sampling_rate_hz=30_000, probe=probe, trust=True)
    assert mark.exists()


VALUES = """
total_nb_channels = 4
radius = 1e2
channel_groups = {
    1: {
        'channels': list(range(4)),
        'graph': [],
        'geometry': {0: [0, 0], 1: [0, 20], 2: [0, 40.5], 3: [-10, 60]},
    }
}
"""


def test_a_healthy_probe_file_is_read_as_probeinterface_reads_it(tmp_path):
    from probeinterface import read_prb

    from embersort.recording.probes import wiring_for

    (tmp_path / "x.prb").write_text(VALUES)
    ours, theirs = (wiring_for(p, 4) for p in (tmp_path / "x.prb", read_prb(tmp_path / "x.prb")))
    np.testing.assert_array_equal(ours.geometry.positions_um, theirs.geometry.positions_um)
    np.testing.assert_array_equal(ours.channel_index, theirs.channel_index)


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os')",
        "x = __import__('os')",
        "x = [y for y in (1,)]",
        "x = (lambda: 1)()",
        "x = 9 ** 9 ** 9",
        "x = 'a' * 10 ** 10",
        "x = f'{1}'",
        "x.y = 1",
        "import os",
        "raise SystemExit(5)",
        "x: int = 1",
        "x = range(0, 10 ** 12)",
        "x = range(10000000000)",
        "x = {**{}}",
        "x = 1" + "0" * 6000,
        "x = " + "[" * 5000 + "]" * 5000,
        "x = unknown",
        "while True: pass",
    ],
)
def test_what_is_more_than_values_is_refused(tmp_path, line):
    file = tmp_path / "x.py"
    file.write_text(line)
    with pytest.raises(BadInput, match=r"x\.py"):
        read_literals(file)


def test_a_phy_folder_runs_no_code(tmp_path):
    mark = tmp_path / "it-ran"
    with pytest.raises(BadInput, match=r"params\.py holds more than values"):
        load_sorting(hostile.phy_folder(tmp_path / "phy", mark))
    assert not mark.exists()


def test_a_phy_folder_is_read_as_spikeinterface_reads_it(tmp_path):
    pytest.importorskip("pandas")
    from spikeinterface.extractors import read_phy

    from embersort.recording import sorting_from_spikeinterface

    params = "dat_path = 'x.dat'\ndtype = 'int16'\noffset = 0\nsample_rate = 30000.\nhp = False\n"
    folder = hostile.phy_folder(tmp_path / "phy", tmp_path, params)
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n2\tmua\n5\tnoise\n")
    ours, theirs = load_sorting(folder), sorting_from_spikeinterface(read_phy(folder))
    np.testing.assert_array_equal(ours.unit_ids, theirs.unit_ids)
    np.testing.assert_array_equal(ours.sample_index, theirs.sample_index)
    np.testing.assert_array_equal(ours.unit_index, theirs.unit_index)


def test_the_second_wall_stops_a_pickle_on_this_thread_only(tmp_path):
    mark = tmp_path / "it-ran"
    made = pickle.dumps(hostile.Payload(mark))
    with pytest.raises(BadInput, match="holds a pickle"), no_pickles(tmp_path / "x"):
        pickle.loads(made)
    assert not mark.exists()
    pickle.loads(made)
    assert mark.exists()


def test_a_result_does_not_get_to_say_that_it_is_trusted():
    from embersort.output.source import opened_with

    said = {"probe": "x.prb", "trust": True, "gain_uv": "2", "n_channels": 4, "other": 1}
    assert opened_with({"opened_with": said}) == {"probe": "x.prb", "n_channels": 4}
    assert opened_with({"opened_with": [1]}) == {}


@pytest.mark.parametrize("format", ["sinapsresearchplatform", "shybrid"])
def test_formats_whose_readers_run_text_are_refused(tmp_path, format):
    (tmp_path / "x.bin").write_bytes(b"")
    with pytest.raises(BadInput, match="--trust"):
        open_recording(tmp_path / "x.bin", format=format)
