import dataclasses

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.recording import to_spikeinterface
from embersort.types import Geometry, Sorting
from embersort.unmixing.result import (
    PeakTraces,
    Unmixing,
    join_bins,
    load_unmixing,
    owned_bins,
    save_unmixing,
)

LABELS = np.array([[-1, 0], [1, 0], [1, -1], [-1, -1], [0, 1]], np.int16)
TRACES = np.arange(10, dtype=np.float32).reshape(5, 2) - 5


def unmixing():
    return Unmixing(
        sorting=Sorting(
            sample_index=np.array([1, 2]),
            unit_index=np.array([0, 1]),
            unit_ids=np.array([0, 1]),
            sampling_rate_hz=30_000.0,
            n_samples=5,
        ),
        bins=join_bins(
            [owned_bins(LABELS[:2], TRACES[:2], 0), owned_bins(LABELS[2:], TRACES[2:], 2)]
        ),
        unit_peak_channel=np.array([1, 0]),
        geometry=Geometry(positions_um=np.array([[0.0, 0], [0, 20]])),
    )


def test_bins_are_in_order_of_sample_then_channel():
    bins = unmixing().bins
    assert bins.sample_index.tolist() == [0, 1, 1, 2, 4, 4]
    assert bins.channel_index.tolist() == [1, 0, 1, 0, 0, 1]
    assert bins.unit_index.tolist() == [0, 1, 0, 1, 0, 1]
    assert bins.value_uv.tolist() == [-4, -3, -2, -1, 3, 4]


def test_labels_and_traces_of_any_range():
    result = unmixing()
    np.testing.assert_array_equal(result.labels(0, 5), LABELS)
    np.testing.assert_array_equal(result.labels(1, 3), LABELS[1:3])
    assert result.traces(1, 1, 5).tolist() == [[-3, 0], [-1, 0], [0, 0], [0, 4]]
    assert result.peak_traces(0, 5).tolist() == [[-4, 0], [-2, -3], [0, -1], [0, 0], [0, 0]]


def test_the_peak_traces_are_a_recording():
    recording = PeakTraces(unmixing=unmixing())
    assert (recording.n_samples, recording.sampling_rate_hz) == (5, 30_000.0)
    assert recording.geometry.positions_um.tolist() == [[0, 20], [0, 0]]
    np.testing.assert_array_equal(recording.read(1, 3), unmixing().peak_traces(1, 3))


def test_units_of_one_channel_stand_side_by_side():
    result = dataclasses.replace(unmixing(), unit_peak_channel=np.array([1, 1]))
    recording = PeakTraces(unmixing=result)
    np.testing.assert_allclose(recording.geometry.positions_um, [[0, 20], [0.1, 20]])
    assert recording.read(0, 5).tolist() == [[-4, 0], [-2, 0], [0, 0], [0, 0], [0, 4]]
    assert to_spikeinterface(recording).get_num_channels() == 2


def test_an_unmixing_comes_back_as_written(tmp_path):
    save_unmixing(unmixing(), tmp_path / "unmixed.npz")
    for path in (tmp_path, tmp_path / "unmixed.npz"):
        back = load_unmixing(path)
        np.testing.assert_array_equal(back.labels(0, 5), LABELS)
        np.testing.assert_array_equal(back.traces(0, 0, 5), unmixing().traces(0, 0, 5))
        assert back.sorting.sample_index.tolist() == [1, 2]
        assert back.unit_peak_channel.tolist() == [1, 0]


def test_what_is_no_unmixing_is_refused(tmp_path):
    (tmp_path / "unmixed.npz").write_bytes(b"no")
    with pytest.raises(BadInput, match="not the result of unmixing"):
        load_unmixing(tmp_path)
    with pytest.raises(BadInput, match="not the result of unmixing"):
        load_unmixing(tmp_path / "none")
