"""Several segments or files as one recording, or each by itself."""

import json

import numpy as np
import pytest
from spikeinterface.core import NumpyRecording

from embersort.errors import BadInput
from embersort.recording import account_of, native_spikeinterface, open_recording

RATE_HZ = 30_000.0


@pytest.fixture
def files(tmp_path):
    """Three files of a counter that runs on."""
    values = np.arange(3000 * 4, dtype=np.int16).reshape(3000, 4)
    paths = [tmp_path / f"{name}.npy" for name in "abc"]
    for path, part in zip(paths, np.split(values, [1000, 1600]), strict=True):
        np.save(path, part)
    return paths, values


def opened(source, **options):
    return open_recording(source, sampling_rate_hz=RATE_HZ, probe="tetrode", gain_uv=1, **options)


def test_files_follow_each_other(files):
    paths, values = files
    recording = opened(paths)
    assert recording.n_samples == 3000
    for start, stop in ((0, 3000), (990, 1010), (999, 1601), (1600, 1700), (5, 5)):
        np.testing.assert_array_equal(recording.read(start, stop), values[start:stop])
    np.testing.assert_array_equal(
        native_spikeinterface(recording).get_traces(start_frame=900, end_frame=1700),
        values[900:1700],
    )


def test_the_result_says_where_parts_begin(files):
    paths, _ = files
    account = account_of(opened(paths, start_s=0.02, duration_s=0.04))
    assert [part["start_sample"] for part in account["segments"]] == [0, 400, 1000]
    assert [part["name"] for part in account["segments"]] == [str(path) for path in paths]
    assert account["gaps"] == [
        {"sample": 400, "duration_s": None},
        {"sample": 1000, "duration_s": None},
    ]


def test_segments_are_joined_and_gaps_known():
    values = np.arange(800, dtype=np.int16).reshape(200, 4)
    two = NumpyRecording([values[:50], values[50:]], RATE_HZ, t_starts=[0.0, 2.0])
    recording = open_recording(two, probe="tetrode")
    np.testing.assert_array_equal(recording.read(0, 200), values)
    gap = account_of(recording)["gaps"]
    assert gap == [{"sample": 50, "duration_s": pytest.approx(2 - 50 / RATE_HZ, abs=1e-5)}]


def test_parts_of_different_devices_are_not_joined(files, tmp_path):
    paths, _ = files
    np.save(tmp_path / "d.npy", np.zeros((900, 8)))
    with pytest.raises(BadInput, match=r"a\.npy has 4 channels, .*d\.npy 8; .*--each"):
        opened([paths[0], tmp_path / "d.npy"])


def test_one_command_joins_or_takes_each(files, tmp_path, command, fake_sort):
    paths, _ = files
    how = ["--sampling-rate", RATE_HZ, "--probe", "tetrode", "--gain", 1, "--no-report"]
    assert command("sort", *paths, "-o", tmp_path / "one", *how).code == 0
    run = json.loads((tmp_path / "one" / "run.json").read_text())["recording"]
    assert run["n_samples"] == 3000
    assert [gap["sample"] for gap in run["gaps"]] == [1000, 1600]
    assert run["unit"] == "µV"
    assert command("sort", *paths, "-o", tmp_path / "each", "--each", *how).code == 0
    lengths = [call[0].n_samples for call in fake_sort.calls]
    assert lengths == [3000, 1000, 600, 1400]
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == ["0-a", "1-b", "2-c"]
