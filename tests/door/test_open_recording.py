"""Every input of the door gives the same samples, at the same places."""

import json
import logging

import numpy as np
import probeinterface
import pytest
from spikeinterface.core import NumpyRecording

from embersort.errors import BadInput, MissingDependency
from embersort.recording import (
    ArrayRecording,
    Excerpt,
    from_spikeinterface,
    open_recording,
    to_spikeinterface,
)
from embersort.types import Geometry, Recording

RATE_HZ = 30_000.0
COLUMN = Geometry(positions_um=[[0, 0], [0, 20], [0, 40]])


@pytest.fixture
def counts():
    """Sample t of channel c holds 10 t + c."""
    return (10 * np.arange(3000)[:, None] + np.arange(3)).astype(np.int16)


@pytest.fixture
def probe_file(tmp_path):
    probe = probeinterface.Probe(ndim=2, si_units="um")
    probe.set_contacts(positions=COLUMN.positions_um, shape_params={"radius": 5})
    path = tmp_path / "probe.json"
    probeinterface.write_probeinterface(path, probe)
    return path


def wired_probe(wires):
    probe = probeinterface.Probe(ndim=2, si_units="um")
    places = [[0, 20 * i] for i in range(len(wires))]
    probe.set_contacts(positions=places, shape_params={"radius": 5})
    probe.set_device_channel_indices(wires)
    return probe


def test_array_is_read_as_microvolt_time_by_channel(counts):
    recording = open_recording(counts, sampling_rate_hz=RATE_HZ, probe=COLUMN)
    assert isinstance(recording, Recording)
    assert (recording.n_samples, recording.sampling_rate_hz) == (3000, RATE_HZ)
    traces = recording.read(5, 7)
    assert traces.dtype == np.float32
    np.testing.assert_array_equal(traces, [[50, 51, 52], [60, 61, 62]])


def test_gain_turns_counts_into_microvolt(counts):
    recording = open_recording(counts, sampling_rate_hz=RATE_HZ, probe=COLUMN, gain_uv=0.5)
    np.testing.assert_array_equal(recording.read(5, 6), [[25, 25.5, 26]])
    with pytest.raises(BadInput, match="1 if it is not known"):
        open_recording(counts, sampling_rate_hz=RATE_HZ, probe=COLUMN, gain_uv=0)


def test_reading_never_gives_out_the_array_itself():
    values = np.zeros((100, 1), np.float32)
    open_recording(values, sampling_rate_hz=RATE_HZ).read(0, 100)[:] = 7
    assert not values.any()


@pytest.mark.parametrize("channels_first", [None, True])
def test_channels_first_npy_is_turned(tmp_path, counts, probe_file, channels_first):
    np.save(tmp_path / "r.npy", counts.T)
    recording = open_recording(
        tmp_path / "r.npy",
        sampling_rate_hz=RATE_HZ,
        probe=probe_file,
        channels_first=channels_first,
    )
    np.testing.assert_array_equal(recording.read(5, 7), [[50, 51, 52], [60, 61, 62]])
    np.testing.assert_array_equal(recording.geometry.positions_um, COLUMN.positions_um)


def test_npy_is_mapped_not_loaded(tmp_path, counts):
    np.save(tmp_path / "r.npy", counts)
    recording = open_recording(tmp_path / "r.npy", sampling_rate_hz=RATE_HZ, probe=COLUMN)
    assert not isinstance(recording.traces, np.ndarray)


def test_flat_binary(tmp_path, counts):
    counts.tofile(tmp_path / "r.dat")
    recording = open_recording(
        tmp_path / "r.dat", sampling_rate_hz=RATE_HZ, probe="linear:20", dtype="int16", n_channels=3
    )
    np.testing.assert_array_equal(recording.read(2998, 3000), counts[2998:])
    np.testing.assert_array_equal(recording.geometry.positions_um, COLUMN.positions_um)


@pytest.mark.parametrize("format", ["binary", "zarr"])
def test_spikeinterface_folder_is_scaled_to_microvolt(tmp_path, counts, format):
    si_recording = NumpyRecording([counts], RATE_HZ)
    si_recording.set_channel_gains([0.5, 1.0, 2.0])
    si_recording.set_channel_offsets([0.0, 10.0, 0.0])
    si_recording.set_probe(wired_probe([0, 1, 2]))
    folder = tmp_path / ("r.zarr" if format == "zarr" else "r")
    si_recording.save(folder=folder, format=format, progress_bar=False)
    recording = open_recording(folder)
    np.testing.assert_array_equal(recording.read(5, 7), [[25, 61, 104], [30, 71, 124]])
    np.testing.assert_array_equal(recording.geometry.positions_um, COLUMN.positions_um)


def test_a_slice_has_the_same_bits_in_any_larger_slice(counts):
    si_recording = NumpyRecording([counts], RATE_HZ)
    si_recording.set_channel_gains(0.195)
    si_recording.set_channel_offsets(-6389.7)
    recording = from_spikeinterface(si_recording, probe=COLUMN)
    np.testing.assert_array_equal(recording.read(0, 3000)[500:600], recording.read(500, 600))


def test_there_and_back_through_spikeinterface(counts):
    recording = open_recording(counts, sampling_rate_hz=RATE_HZ, probe=COLUMN)
    again = from_spikeinterface(to_spikeinterface(recording))
    np.testing.assert_array_equal(again.read(100, 200), recording.read(100, 200))
    np.testing.assert_array_equal(again.geometry.positions_um, COLUMN.positions_um)


def test_shanks_survive_spikeinterface():
    two = Geometry(positions_um=[[0, 0], [0, 20], [300, 0], [300, 20]], shank_index=[0, 1, 0, 1])
    recording = ArrayRecording(traces=np.zeros((10, 4)), sampling_rate_hz=RATE_HZ, geometry=two)
    again = from_spikeinterface(to_spikeinterface(recording)).geometry
    np.testing.assert_array_equal(again.positions_um, two.positions_um)
    np.testing.assert_array_equal(again.shank_index, two.shank_index)


def test_wiring_of_the_probe_orders_the_channels(counts):
    recording = open_recording(counts, sampling_rate_hz=RATE_HZ, probe=wired_probe([2, 0, 1]))
    np.testing.assert_array_equal(recording.geometry.positions_um, [[0, 20], [0, 40], [0, 0]])
    np.testing.assert_array_equal(recording.read(0, 1), [[0, 1, 2]])


def test_channels_that_the_probe_leaves_out_are_not_read(counts, caplog):
    recording = open_recording(counts, sampling_rate_hz=RATE_HZ, probe=wired_probe([2, -1, 0]))
    np.testing.assert_array_equal(recording.read(1, 2), [[10, 12]])
    np.testing.assert_array_equal(recording.geometry.positions_um, [[0, 40], [0, 0]])
    assert "2 of 3 channels" in caplog.text


def test_one_channel_needs_no_probe():
    recording = open_recording(np.arange(50.0), sampling_rate_hz=RATE_HZ)
    assert recording.geometry.n_channels == 1
    np.testing.assert_array_equal(recording.read(3, 5), [[3], [4]])


def test_tetrodes_are_shanks_of_their_own():
    geometry = open_recording(
        np.zeros((800, 8)), sampling_rate_hz=RATE_HZ, probe="tetrode"
    ).geometry
    np.testing.assert_array_equal(geometry.shank_index, [0, 0, 0, 0, 1, 1, 1, 1])
    assert np.isinf(geometry.distances_um()[3, 4])
    assert geometry.distances_um()[:4, :4].max() < 40


def test_time_range(counts):
    recording = open_recording(
        counts, sampling_rate_hz=RATE_HZ, probe=COLUMN, start_s=0.01, duration_s=0.02
    )
    assert isinstance(recording, Excerpt)
    assert recording.n_samples == 600
    np.testing.assert_array_equal(recording.read(1, 2), counts[301:302])


def test_a_range_that_ends_too_late_is_cut_with_a_warning(counts, caplog):
    recording = open_recording(
        counts, sampling_rate_hz=RATE_HZ, probe=COLUMN, start_s=0.09, duration_s=5
    )
    assert recording.n_samples == 300
    assert "ends after 0.100 s" in caplog.text


def test_nan_and_infinity_become_zero_with_one_warning(caplog):
    traces = np.ones((1000, 2), np.float32)
    traces[10, 0], traces[11, 1], traces[900, 0] = np.nan, np.inf, -np.inf
    recording = open_recording(traces, sampling_rate_hz=RATE_HZ, probe="linear:20")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(recording.read(9, 12), [[1, 1], [0, 1], [1, 0]])
        assert recording.read(900, 901)[0, 0] == 0
    assert len(caplog.records) == 1
    assert "2 of the values in samples 9 to 12" in caplog.text


def test_one_of_several_segments(counts):
    two = NumpyRecording([counts, counts[:100]], RATE_HZ)
    assert open_recording(two, probe=COLUMN, segment=1).n_samples == 100
    with pytest.raises(BadInput, match="no segment 2"):
        open_recording(two, probe=COLUMN, segment=2)


@pytest.mark.parametrize(
    ("array", "options", "sentence"),
    [
        (np.zeros((1000, 3)), {}, "sampling rate is not in the data"),
        (np.zeros((1000, 3)), {"sampling_rate_hz": 30}, "30 Hz cannot hold spikes"),
        (np.zeros((1000, 3)), {"sampling_rate_hz": RATE_HZ}, "3 channels need positions"),
        (
            np.zeros((1000, 0)),
            {"sampling_rate_hz": RATE_HZ, "channels_first": False},
            "no channels",
        ),
        (np.zeros((0, 3)), {"sampling_rate_hz": RATE_HZ, "probe": COLUMN}, "holds no samples"),
        (np.zeros((3, 3)), {"sampling_rate_hz": RATE_HZ, "probe": COLUMN}, "does not tell"),
        (np.zeros((50, 60)), {"sampling_rate_hz": RATE_HZ, "probe": "linear:5"}, "does not tell"),
        (np.zeros((900, 4)), {"sampling_rate_hz": RATE_HZ, "probe": COLUMN}, "has 3 channels, the"),
        (np.zeros((900, 3)), {"sampling_rate_hz": RATE_HZ, "probe": "tetrode"}, "needs 4 channels"),
        (np.zeros((900, 3)), {"sampling_rate_hz": RATE_HZ, "probe": "linear:x"}, "is not a probe"),
        (np.zeros((900, 3)), {"sampling_rate_hz": RATE_HZ, "probe": "no.json"}, "does not exist"),
        (np.zeros((2, 2, 2)), {"sampling_rate_hz": RATE_HZ}, "3 axes"),
        (np.full(500, "x"), {"sampling_rate_hz": RATE_HZ}, "expected integers or real"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "start_s": 1}, "ends after 0.017 s"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "start_s": -1}, "at least 0"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "duration_s": 0}, "more than 0"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "start_s": np.nan}, "at least 0"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "start_s": np.inf}, "at least 0"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "duration_s": np.nan}, "more than 0"),
        (np.zeros(500), {"sampling_rate_hz": RATE_HZ, "duration_s": np.inf}, "more than 0"),
        (np.zeros((0, 4)), {"sampling_rate_hz": RATE_HZ}, r"shape \(0, 4\), holds no samples"),
        (
            np.zeros((900, 3)),
            {"sampling_rate_hz": RATE_HZ, "probe": COLUMN, "positions_um": [[0, 0]]},
            "not both",
        ),
        (17, {}, "a int is not a recording"),
    ],
)
def test_bad_arrays_get_one_sentence(array, options, sentence):
    with pytest.raises(BadInput, match=sentence) as caught:
        open_recording(array, **options)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.npy does not exist"):
        open_recording(tmp_path / "gone.npy")


def test_truncated_npy(tmp_path, counts):
    np.save(tmp_path / "r.npy", counts)
    whole = (tmp_path / "r.npy").read_bytes()
    (tmp_path / "r.npy").write_bytes(whole[:-100])
    with pytest.raises(BadInput, match="is it truncated"):
        open_recording(tmp_path / "r.npy", sampling_rate_hz=RATE_HZ, probe=COLUMN)
    (tmp_path / "r.npy").write_bytes(b"")
    with pytest.raises(BadInput, match="is it truncated"):
        open_recording(tmp_path / "r.npy", sampling_rate_hz=RATE_HZ, probe=COLUMN)


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "r.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(BadInput, match="cannot be read as a NumPy array"):
        open_recording(tmp_path / "r.npy", sampling_rate_hz=RATE_HZ)


def test_truncated_binary_is_refused_unless_its_end_is_named(tmp_path, counts):
    (tmp_path / "r.dat").write_bytes(counts.tobytes()[:-1])
    options = {
        "sampling_rate_hz": RATE_HZ,
        "probe": COLUMN,
        "dtype": "int16",
        "n_channels": 3,
    }
    with pytest.raises(BadInput, match="17999 bytes, which is not a whole number of samples"):
        open_recording(tmp_path / "r.dat", **options)
    assert open_recording(tmp_path / "r.dat", **options, duration_s=10).n_samples == 2999


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "give --dtype and --channels"),
        ({"dtype": "int17", "n_channels": 3}, "'int17' is not a sample type"),
        ({"dtype": "S0", "n_channels": 3}, "'S0' is not a sample type"),
        ({"dtype": "int16,int8", "n_channels": 3}, "'int16,int8' is not a sample type"),
        ({"dtype": "int16", "n_channels": 0}, "expected at least 1"),
        ({"format": "spikeglxx"}, "unknown format 'spikeglxx'; did you mean 'spikeglx'"),
    ],
)
def test_binary_that_is_not_described(tmp_path, counts, options, sentence):
    counts.tofile(tmp_path / "r.dat")
    with pytest.raises(BadInput, match=sentence):
        open_recording(tmp_path / "r.dat", sampling_rate_hz=RATE_HZ, probe=COLUMN, **options)


def test_file_of_unknown_kind(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadInput, match="not known by its name; give --format"):
        open_recording(tmp_path / "notes.txt")
    with pytest.raises(BadInput, match="no format that is known by sight"):
        open_recording(tmp_path)


@pytest.mark.parametrize("text", ["", "not json", '{"a": 1}'])
def test_probe_file_that_is_none(tmp_path, counts, text):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(BadInput, match="is not a probe file"):
        open_recording(counts, sampling_rate_hz=RATE_HZ, probe=tmp_path / "p.json")


def test_spikeinterface_folder_that_is_damaged(tmp_path, counts):
    NumpyRecording([counts], RATE_HZ).save(folder=tmp_path / "r", progress_bar=False)
    (tmp_path / "r" / "binary.json").write_text("{")
    with pytest.raises(BadInput, match=r"binary\.json cannot be read as JSON"):
        open_recording(tmp_path / "r", probe=COLUMN)


def test_recording_without_probe_asks_for_one(tmp_path, counts):
    NumpyRecording([counts], RATE_HZ).save(folder=tmp_path / "r", progress_bar=False)
    with pytest.raises(BadInput, match="3 channels but no probe; give --probe"):
        open_recording(tmp_path / "r")
    assert open_recording(tmp_path / "r", probe=COLUMN).n_samples == 3000


def test_folder_of_a_simulation(tmp_path, counts):
    NumpyRecording([counts], RATE_HZ).save(folder=tmp_path / "s" / "recording", progress_bar=False)
    assert open_recording(tmp_path / "s", probe=COLUMN).n_samples == 3000


def test_a_sorting_is_not_a_recording(tmp_path):
    from spikeinterface.core import NumpySorting

    sorting = NumpySorting.from_samples_and_labels([np.array([1])], [np.array([0])], RATE_HZ)
    sorting.save(folder=tmp_path / "s")
    with pytest.raises(BadInput, match="expected a recording"):
        open_recording(tmp_path / "s")


@pytest.fixture
def open_ephys_folder(tmp_path, counts):
    """Two streams as Open Ephys writes them, 0.195 µV a count."""
    recording = tmp_path / "oe" / "Record Node 101" / "experiment1" / "recording1"
    described = []
    for number, name in ((100, "probe_a"), (101, "probe_b")):
        folder = f"Source-{number}.{name}/"
        place = recording / "continuous" / folder
        place.mkdir(parents=True)
        counts.tofile(place / "continuous.dat")
        np.save(place / "sample_numbers.npy", np.arange(len(counts)))
        np.save(place / "timestamps.npy", np.arange(len(counts)) / RATE_HZ)
        channel = {"bit_volts": 0.195, "units": "uV", "description": "", "identifier": ""}
        described.append(
            {
                "folder_name": folder,
                "sample_rate": RATE_HZ,
                "source_processor_name": "Source",
                "source_processor_id": number,
                "stream_name": name,
                "recorded_processor": "Record Node",
                "recorded_processor_id": 101,
                "num_channels": 3,
                "channels": [{**channel, "channel_name": f"CH{i}"} for i in (1, 2, 3)],
            }
        )
    structure = {"GUI version": "0.6.0", "continuous": described, "events": [], "spikes": []}
    (recording / "structure.oebin").write_text(json.dumps(structure))
    return tmp_path / "oe"


@pytest.mark.parametrize("format", ["auto", "openephys"])
def test_open_ephys_stream_by_a_telling_part_of_its_name(open_ephys_folder, format):
    recording = open_recording(open_ephys_folder, probe=COLUMN, stream="probe_b", format=format)
    np.testing.assert_allclose(recording.read(5, 6), [[9.75, 9.945, 10.14]], rtol=1e-6)


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (None, r"several streams .*probe_a' \(3 channels, 30 kHz\), .*choose with --stream"),
        ("probe_c", "no one stream 'probe_c'; there are .*probe_a"),
        ("probe", "no one stream 'probe'"),
    ],
)
def test_streams_must_be_chosen(open_ephys_folder, stream, sentence):
    with pytest.raises(BadInput, match=sentence):
        open_recording(open_ephys_folder, probe=COLUMN, stream=stream)


def test_nwb_file_with_positions_and_gain(tmp_path, counts):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "r.nwb", "w") as file:
        file.attrs["neurodata_type"] = "NWBFile"
        table = file.create_group("general/extracellular_ephys/electrodes")
        table.attrs["neurodata_type"] = "DynamicTable"
        table.attrs["colnames"] = ["rel_x", "rel_y", "group_name"]
        table["id"] = np.arange(3)
        table["group_name"] = [b"shank"] * 3
        table["rel_x"], table["rel_y"] = COLUMN.positions_um.T
        series = file.create_group("acquisition/ElectricalSeries")
        series.attrs["neurodata_type"] = "ElectricalSeries"
        series.create_dataset("data", data=counts).attrs.update(conversion=5e-7, offset=0.0)
        series.create_dataset("starting_time", data=0.0).attrs["rate"] = RATE_HZ
        series.create_dataset("electrodes", data=np.arange(3)).attrs["table"] = table.ref
    recording = open_recording(tmp_path / "r.nwb")
    assert recording.sampling_rate_hz == RATE_HZ
    np.testing.assert_allclose(recording.read(5, 6), [[25, 25.5, 26]])
    np.testing.assert_array_equal(recording.geometry.positions_um, COLUMN.positions_um)


def test_many_threads_read_the_same(tmp_path, counts):
    from concurrent.futures import ThreadPoolExecutor

    counts.tofile(tmp_path / "r.dat")
    source = NumpyRecording([counts], RATE_HZ)
    source.set_probe(wired_probe([0, 1, 2]))
    source.save(folder=tmp_path / "r", progress_bar=False)
    recording = open_recording(tmp_path / "r")
    starts = list(range(0, 2900, 10))
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda start: recording.read(start, start + 100), starts))
    for start, part in zip(starts, parts, strict=True):
        np.testing.assert_array_equal(part, counts[start : start + 100])


def test_mda_folder(tmp_path, counts):
    from spikeinterface.extractors.mdaextractors import MdaRecordingExtractor

    source = NumpyRecording([counts], RATE_HZ)
    source.set_probe(wired_probe([0, 1, 2]))
    MdaRecordingExtractor.write_recording(source, tmp_path / "mda")
    recording = open_recording(tmp_path / "mda")
    np.testing.assert_array_equal(recording.read(5, 7), counts[5:7])
    np.testing.assert_array_equal(recording.geometry.positions_um, COLUMN.positions_um)


def test_foreign_format_that_the_file_is_not_in(tmp_path):
    (tmp_path / "r.rhd").write_bytes(b"\0" * 64)
    with pytest.raises(BadInput, match="cannot be read as intan"):
        open_recording(tmp_path / "r.rhd", probe="tetrode")


def test_format_whose_reader_is_not_installed(tmp_path, monkeypatch):
    def reader(file_path):
        import package_that_nobody_has  # noqa: F401

    monkeypatch.setitem(
        __import__("spikeinterface.extractors", fromlist=["x"]).recording_extractor_full_dict,
        "whitematter",
        reader,
    )
    (tmp_path / "r").write_text("")
    with pytest.raises(MissingDependency, match="needs package_that_nobody_has; install it"):
        open_recording(tmp_path / "r", format="whitematter")


def test_probe_of_several_shanks_in_a_file(tmp_path):
    probe = wired_probe([0, 1, 2, 3])
    probe.set_shank_ids(["a", "b", "a", "b"])
    probeinterface.write_probeinterface(tmp_path / "p.json", probe)
    assert json.loads((tmp_path / "p.json").read_text())["probes"]
    geometry = open_recording(
        np.zeros((100, 4)), sampling_rate_hz=RATE_HZ, probe=tmp_path / "p.json"
    ).geometry
    np.testing.assert_array_equal(geometry.shank_index, [0, 1, 0, 1])
