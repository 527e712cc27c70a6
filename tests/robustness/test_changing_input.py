"""A file that changes while it is read gives an error that says where; the system kills nobody."""

from __future__ import annotations

import os
import pickle

import hostile
import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.recording import open_recording
from embersort.recording.plain import FileTraces

COUNTS = np.arange(4000, dtype=np.int16).reshape(1000, 4)


def npy(tmp_path, array=COUNTS):
    np.save(tmp_path / "r.npy", array)
    recording = open_recording(
        tmp_path / "r.npy", sampling_rate_hz=30_000, probe="tetrode", channels_first=False
    )
    return recording, tmp_path / "r.npy"


def binary(tmp_path):
    COUNTS.tofile(tmp_path / "r.bin")
    recording = open_recording(
        tmp_path / "r.bin", sampling_rate_hz=30_000, probe="tetrode", dtype="int16", n_channels=4
    )
    return recording, tmp_path / "r.bin"


def folder(tmp_path):
    saved = hostile.saved_recording(tmp_path / "r")
    return open_recording(saved), saved / "traces_cached_seg0.raw"


def zarr(tmp_path):
    saved = hostile.saved_zarr(tmp_path / "r.zarr", hostile.saved_recording(tmp_path / "r"))
    return open_recording(saved), saved / "traces_seg0" / "0.0"


@pytest.mark.parametrize("kind", [npy, binary, folder])
def test_a_file_that_is_cut_short(tmp_path, kind):
    recording, file = kind(tmp_path)
    recording.read(0, 10)
    os.truncate(file, 2000)
    with pytest.raises(BadInput, match=f"{file.name} was .* cut short .* samples 200 to 900"):
        recording.read(200, 900)


@pytest.mark.parametrize("kind", [npy, binary, folder, zarr])
def test_a_file_that_is_written_over_in_place(tmp_path, kind):
    recording, file = kind(tmp_path)
    if kind is zarr:
        # Of many files, a look costs more, so they are looked at once a second.
        recording._watch._looked_s = -10.0
    with file.open("r+b") as opened:
        opened.write(b"\1" * 64)
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    with pytest.raises(BadInput, match=f"{file.name} was changed .* samples 0 to 10"):
        recording.read(0, 10)


def test_a_file_that_is_replaced_keeps_being_read(tmp_path):
    recording, file = binary(tmp_path)
    (tmp_path / "other").write_bytes(b"\1" * 8000)
    (tmp_path / "other").replace(file)
    np.testing.assert_array_equal(recording.read(5, 9), COUNTS[5:9])


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "<f8", ">f4", "f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_plain_files_read_as_numpy_reads_them(tmp_path, dtype, order):
    array = np.random.default_rng(0).integers(0, 100, (300, 5)).astype(dtype)
    for name, saved, first in (("a", array, False), ("b", array.T, True)):
        np.save(tmp_path / f"{name}.npy", np.asarray(saved, order=order))
        recording = open_recording(
            tmp_path / f"{name}.npy",
            sampling_rate_hz=30_000,
            probe="linear:20",
            channels_first=first,
        )
        for start, stop in ((0, 300), (7, 8), (290, 300), (4, 4)):
            np.testing.assert_array_equal(
                recording.read(start, stop), array[start:stop].astype(np.float32)
            )


def test_traces_travel_to_another_process(tmp_path):
    COUNTS.tofile(tmp_path / "r.bin")
    traces = FileTraces(tmp_path / "r.bin", "int16", (1000, 4))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(traces))[3:5], COUNTS[3:5])


def test_a_file_that_is_shorter_than_it_says(tmp_path):
    COUNTS.tofile(tmp_path / "r.bin")
    with pytest.raises(BadInput, match="shorter than its 1001 samples"):
        FileTraces(tmp_path / "r.bin", "int16", (1001, 4))


def test_whatever_a_reader_raises_becomes_a_sentence(tmp_path, monkeypatch):
    recording, _ = zarr(tmp_path)

    def fail(*_, **__):
        raise ZeroDivisionError("of the reader")

    monkeypatch.setattr(recording.source, "get_traces", fail)
    with pytest.raises(BadInput, match=r"samples 3 to 7 .* cannot be read .of the reader"):
        recording.read(3, 7)
