"""Stored recordings hold what was given, named by its hash."""

import json

import numpy as np
import pytest
from tiny_home import RATE_HZ, tiny_truth

from embersort.benchmark.exchange import (
    open_stored,
    read_output,
    read_sorting,
    store_recording,
    verify_stored,
    write_sorting,
)
from embersort.errors import BadInput
from embersort.recording import ArrayRecording
from embersort.types import Geometry


def recording(traces, pitch=50.0):
    positions = np.column_stack([np.zeros(traces.shape[1]), pitch * np.arange(traces.shape[1])])
    return ArrayRecording(
        traces=traces, sampling_rate_hz=RATE_HZ, geometry=Geometry(positions_um=positions)
    )


@pytest.fixture
def traces():
    return np.random.default_rng(0).normal(0, 20, (20_000, 3)).astype(np.float32)


def test_traces_probe_and_truth_come_back(tmp_path, traces):
    truth = tiny_truth()
    stored = store_recording(recording(traces), truth, tmp_path, drift_um=7.0)
    np.testing.assert_allclose(stored.traces() * stored.uv_per_count, traces, atol=0.05001)
    np.testing.assert_array_equal(stored.geometry.positions_um[:, 1], [0, 50, 100])
    np.testing.assert_array_equal(stored.truth().sample_index, truth.sample_index)
    np.testing.assert_array_equal(stored.truth().unit_ids, [4, 5, 9])
    assert open_stored(stored.folder) == stored
    assert json.loads((stored.folder / "probe.json").read_text())["probes"]
    assert list(tmp_path.iterdir()) == [stored.folder]


def test_the_name_depends_on_content_alone(tmp_path, traces):
    truth = tiny_truth()
    first = store_recording(recording(traces), truth, tmp_path / "one")
    again = store_recording(recording(traces.copy()), truth, tmp_path / "two")
    assert first.content == again.content
    changed = traces.copy()
    changed[0, 0] += 1
    contents = {
        first.content,
        store_recording(recording(changed), truth, tmp_path / "one").content,
        store_recording(recording(traces, 40.0), truth, tmp_path / "one").content,
        store_recording(recording(traces), None, tmp_path / "one").content,
        store_recording(recording(traces), tiny_truth(seed=1), tmp_path / "one").content,
    }
    assert len(contents) == 5


def test_an_altered_recording_is_noticed(tmp_path, traces):
    stored = store_recording(recording(traces), tiny_truth(), tmp_path)
    assert verify_stored(stored)
    path = stored.folder / "traces.raw"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(bytes(content))
    assert not verify_stored(stored)


def test_traces_that_do_not_fit_or_are_not_finite_are_refused(tmp_path, traces):
    traces[5, 1] = 1e5
    with pytest.raises(BadInput, match="traces reach 100000 µV"):
        store_recording(recording(traces), None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_truth_beyond_the_end_is_refused(tmp_path):
    write_sorting(tiny_truth(), tmp_path / "truth.npz")
    with pytest.raises(BadInput, match=r"truth\.npz: spike times span .* outside the recording"):
        read_sorting(tmp_path / "truth.npz", RATE_HZ, 1000)


def test_spikes_in_any_order_are_put_in_order(tmp_path):
    np.savez(tmp_path / "s.npz", sample_index=[9, 3], unit_index=[0, 1], unit_ids=[5, 6])
    found = read_sorting(tmp_path / "s.npz", RATE_HZ, 10)
    assert found.sample_index.tolist() == [3, 9]
    assert found.unit_index.tolist() == [1, 0]


@pytest.mark.parametrize(
    "arrays",
    [
        {"sample_index": [1], "unit_index": [0]},
        {"sample_index": [1, 2], "unit_index": [0], "unit_ids": [1]},
        {"sample_index": [1], "unit_index": [5], "unit_ids": [1]},
        {"sample_index": ["a"], "unit_index": [0], "unit_ids": [1]},
    ],
)
def test_garbage_is_named(tmp_path, arrays):
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(BadInput, match=r"s\.npz"):
        read_sorting(tmp_path / "s.npz", RATE_HZ, 10)


def test_phy_output(tmp_path):
    np.save(tmp_path / "spike_times.npy", np.array([[3], [1]]))
    np.save(tmp_path / "spike_clusters.npy", np.array([7, 2]))
    found = read_output(tmp_path, RATE_HZ, 10)
    assert (found.sample_index.tolist(), found.unit_index.tolist()) == ([1, 3], [0, 1])
    (tmp_path / "spike_times.npy").write_bytes(b"nothing")
    with pytest.raises(BadInput, match=r"spike_times\.npy cannot be read"):
        read_output(tmp_path, RATE_HZ, 10)
