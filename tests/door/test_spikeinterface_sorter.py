"""Embersort through SpikeInterface's own ``run_sorter``."""

import subprocess
import sys
from multiprocessing import get_context

import numpy as np
import pytest
from spikeinterface.core import generate_ground_truth_recording
from spikeinterface.sorters import (
    available_sorters,
    get_default_sorter_params,
    get_sorter_params_description,
    run_sorter,
    run_sorter_jobs,
)

import embersort.spikeinterface as ours
from embersort.config import SortConfig
from embersort.errors import BadConfig


@pytest.fixture(scope="module")
def saved_recording(tmp_path_factory):
    """Ten seconds of a tetrode with three loud units, and their true spikes."""
    recording, truth = generate_ground_truth_recording(
        durations=[10.0],
        num_channels=4,
        num_units=3,
        seed=0,
        generate_unit_locations_kwargs={"margin_um": 5.0, "minimum_z": 5.0, "maximum_z": 15.0},
        noise_kwargs={"noise_levels": 3.0, "strategy": "on_the_fly"},
    )
    folder = tmp_path_factory.mktemp("recording") / "r"
    return recording.save(folder=folder, progress_bar=False), truth


def test_it_is_known_by_name():
    assert "embersort" in available_sorters()
    assert get_default_sorter_params("embersort") == SortConfig().model_dump()
    ours.register()  # twice does no harm


def test_it_sorts(saved_recording, tmp_path):
    recording, truth = saved_recording
    sorting = run_sorter("embersort", recording, folder=tmp_path / "out", delete_output_folder=True)
    # What SpikeInterface asks of every sorter: how it was run is known, and its files can go.
    assert {"recording", "params", "log"} <= set(sorting.sorting_info)
    assert not (tmp_path / "out" / "sorter_output").exists()
    assert (tmp_path / "out" / "spikeinterface_log.json").is_file()
    n_true = sum(truth.count_num_spikes_per_unit(outputs="array"))
    n_found = sum(sorting.count_num_spikes_per_unit(outputs="array"))
    assert 0.5 * n_true < n_found < 1.5 * n_true
    assert sorting.get_sampling_frequency() == recording.get_sampling_frequency()
    np.testing.assert_array_equal(sorting.get_property("n_spikes").sum(), n_found)
    assert set(sorting.get_property("main_channel_id")) <= set(recording.channel_ids)


def test_every_section_is_described():
    described = get_sorter_params_description("embersort")
    assert set(described) == set(SortConfig().model_dump())
    assert "threshold: " in described["detect"]


READ = """
import sys
import embersort.spikeinterface
from spikeinterface.sorters import read_sorter_folder
sorting = read_sorter_folder(sys.argv[1])
print(len(sorting.unit_ids), sorting.has_recording(), sorting.get_property("main_channel_id")[0])
"""


def test_jobs_in_spawned_processes_and_reading_them_in_a_fresh_one(saved_recording, tmp_path):
    recording, _ = saved_recording
    job = {
        "sorter_name": ours.EMBERSORT,
        "recording": recording,
        "folder": tmp_path / "job",
        "feature": {"method": "pca"},
    }
    kwargs = {"max_workers": 1, "mp_context": get_context("spawn")}
    run_sorter_jobs([job], engine="processpoolexecutor", engine_kwargs=kwargs)
    said = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "job")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert int(said[0]) >= 1
    assert said[1] == "True"
    assert said[2] in {str(channel) for channel in recording.channel_ids}


def test_unknown_settings_get_a_hint(saved_recording, tmp_path):
    recording, _ = saved_recording
    with pytest.raises(BadConfig, match="did you mean 'threshold'"):
        run_sorter("embersort", recording, folder=tmp_path / "out", detect={"treshold": 5})
