"""What other tools read of an export is what the result holds."""

import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from embersort.cli.export import app
from embersort.errors import BadInput
from embersort.export.properties import classify
from embersort.output import open_source, read_result
from embersort.recording import load_sorting


def run(*words):
    outcome = CliRunner().invoke(app, [str(word) for word in words])
    if outcome.exit_code and outcome.exception is not None:
        raise outcome.exception
    return outcome


def same_trains(ours, theirs):
    assert theirs.unit_ids.tolist() == ours.unit_ids.tolist()
    for mine, other in zip(ours.trains(), theirs.trains(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_phy_folder_holds_the_units_by_our_ids(sorted_folder, tmp_path):
    pytest.importorskip("pandas")
    run(sorted_folder, "--to", "phy", "-o", tmp_path / "phy")
    result = read_result(sorted_folder)
    same_trains(result.sorting, load_sorting(tmp_path / "phy"))
    params = {}
    exec((tmp_path / "phy" / "params.py").read_text(), params)
    assert params["dat_path"] == str(sorted_folder.parent / "raw" / "traces.bin")
    assert (params["n_channels_dat"], params["dtype"], params["offset"]) == (8, "int16", 0)
    table = (tmp_path / "phy" / "cluster_accuracy.tsv").read_text().splitlines()
    first = result.unit_table["predicted_accuracy"][0]
    assert table[:2] == ["cluster_id\taccuracy", f"10\t{round(float(first), 4)}"]
    # Templates are those of the filtered recording: their trough is where ours is.
    templates = np.load(tmp_path / "phy" / "templates.npy")
    assert templates.shape[0] == 4
    assert np.load(tmp_path / "phy" / "spike_templates.npy").max() == 3


def test_copied_recording_is_what_was_recorded(sorted_folder, tmp_path):
    pytest.importorskip("pandas")
    run(sorted_folder, "--to", "phy", "-o", tmp_path / "phy", "--copy-recording")
    copied = np.fromfile(tmp_path / "phy" / "recording.dat", np.int16)
    np.testing.assert_array_equal(
        copied, np.fromfile(sorted_folder.parent / "raw" / "traces.bin", np.int16)
    )
    assert "dat_path = 'recording.dat'" in (tmp_path / "phy" / "params.py").read_text()


def test_nwb_file_is_read_back_by_pynwb(sorted_folder, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    path = tmp_path / "session.nwb"
    run(sorted_folder, "--to", "nwb", "-o", path, "--session-start", "2024-05-06T07:08:09")
    result = read_result(sorted_folder)
    with pynwb.NWBHDF5IO(path, "r", load_namespaces=True) as file:
        read = file.read()
        assert read.session_start_time.isoformat() == "2024-05-06T07:08:09+00:00"
        units = read.units
        assert units.id[:].tolist() == result.sorting.unit_ids.tolist()
        rate_hz = result.sorting.sampling_rate_hz
        for unit, train in enumerate(result.sorting.trains()):
            np.testing.assert_allclose(units["spike_times"][unit], train / rate_hz)
        np.testing.assert_allclose(
            units["predicted_accuracy"][:], result.unit_table["predicted_accuracy"]
        )
        assert set(units["classifier_label"][:]) <= {"good", "mua"}
        # In volt, as NWB wants it.
        np.testing.assert_allclose(
            units["waveform_mean"][2], result.templates.waveforms_uv[2] * 1e-6, rtol=1e-6
        )
        np.testing.assert_allclose(read.electrodes["rel_y"][:], result.geometry.positions_um[:, 1])
        if "ecephys" in read.processing:
            check_spike_sorting(read.processing["ecephys"]["spike_sorting"], result)


def check_spike_sorting(container, result):
    templates = container.spike_sorting_extensions.templates
    mask = container.sparsity_mask[:]
    assert int(templates.peak_sample_index) == result.templates.n_before
    n_first = int(templates.data_index.data[0])
    assert n_first == mask[0].sum()
    np.testing.assert_allclose(
        templates.data[:n_first], result.templates.waveforms_uv[0][:, mask[0]].T
    )


def test_analyzer_opens_with_recording_metrics_and_confidence(sorted_folder, tmp_path):
    from spikeinterface.core import load_sorting_analyzer

    run(sorted_folder, "--to", "zarr", "-o", tmp_path / "si")
    result = read_result(sorted_folder)
    analyzer = load_sorting_analyzer(tmp_path / "si" / "analyzer.zarr")
    assert analyzer.has_recording()
    assert analyzer.recording.get_num_samples() == result.sorting.n_samples
    assert {"templates", "quality_metrics"} <= set(analyzer.get_loaded_extension_names())
    np.testing.assert_allclose(
        analyzer.get_sorting_property("predicted_accuracy"),
        result.unit_table["predicted_accuracy"],
    )
    label = analyzer.get_sorting_property("classifier_label")
    assert set(label) <= {"good", "mua"}
    # In microvolt, at the channel where the result has it largest.
    templates = analyzer.get_extension("templates").get_templates()
    ours = result.templates.waveforms_uv
    np.testing.assert_array_equal(
        np.ptp(templates, axis=1).argmax(axis=1), np.ptp(ours, axis=1).argmax(axis=1)
    )
    assert np.ptp(templates[0], axis=0).max() == pytest.approx(
        np.ptp(ours[0], axis=0).max(), rel=0.3
    )


def test_result_moved_with_its_recording_still_finds_it(sorted_folder, tmp_path):
    shutil.copytree(sorted_folder.parent, tmp_path / "moved")
    place = tmp_path / "moved" / "out"
    text = (place / "run.json").read_text().replace(str(sorted_folder.parent / "raw" / "tr"), "/x")
    (place / "run.json").write_text(text)
    result = read_result(place)
    assert open_source(result, place).n_samples == result.sorting.n_samples
    (tmp_path / "moved" / "raw" / "traces.bin").unlink()
    assert open_source(result, place) is None
    with pytest.raises(BadInput, match="name it by --recording"):
        run(place, "--to", "phy", "-o", tmp_path / "phy")
    assert not (tmp_path / "phy").exists()


def test_export_never_writes_over_what_is_there(sorted_folder, tmp_path):
    (tmp_path / "a.nwb").write_text("mine")
    with pytest.raises(BadInput, match="exists"):
        run(sorted_folder, "--to", "nwb", "-o", tmp_path / "a.nwb")
    assert (tmp_path / "a.nwb").read_text() == "mine"


def test_label_is_what_is_likelier():
    accuracy, half = np.array([0.95, 0.80, 0.79, 0.3]), 0.1645
    label, probability = classify(accuracy, accuracy - half, accuracy + half)
    assert label.tolist() == ["good", "good", "mua", "mua"]
    # 1.5 standard deviations above the bound, at it, a tenth below, and far below.
    np.testing.assert_allclose(probability, [0.9332, 0.5, 0.5398, 1.0], atol=1e-3)
