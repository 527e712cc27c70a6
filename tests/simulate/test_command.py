"""embersort simulate at the command line."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from embersort.cli import app
from embersort.output import write_result
from embersort.recording import load_sorting, open_recording
from embersort.types import Geometry, Sorting, SortResult, Templates

TINY = ["--duration", "1", "--set", "cells.n_units=2", "--set", "probe.n_channels=4"]


def run(*arguments: object):
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def test_a_family_then_its_scene_file_give_the_same_bits(tmp_path):
    first = run("--family", "drift", "--difficulty", 0.6, *TINY, "-o", tmp_path / "a")
    assert first.exit_code == 0, first.output
    assert "1 s of 4 channels, 2 units" in first.output
    second = run(tmp_path / "a" / "scene.toml", "-o", tmp_path / "b", "--pictures", "--quiet")
    assert second.exit_code == 0, second.output
    assert second.output == ""
    one, other = (open_recording(tmp_path / name / "recording") for name in "ab")
    assert (one.read(0, 30000) == other.read(0, 30000)).all()
    assert (tmp_path / "b" / "pictures.html").is_file()


def test_a_hybrid_of_a_simulation(tmp_path):
    assert run("--family", "noise", *TINY, "-o", tmp_path / "a").exit_code == 0
    settings = ["--set", "cells.n_units=1", "--seed", "4"]
    result = run("hybrid", tmp_path / "a" / "recording", "-o", tmp_path / "h", *settings)
    assert result.exit_code == 0, result.output
    assert load_sorting(tmp_path / "h").n_units == 1
    assert open_recording(tmp_path / "h" / "recording").n_samples == 30000


def write_sort_of_one_unit(folder, n_channels):
    """A result folder as ``embersort sort`` leaves it, of one unit on three channels."""
    wave = -np.exp(-0.5 * ((np.arange(40) - 15) / 2) ** 2)
    waveforms = np.zeros((1, 40, n_channels), np.float32)
    waveforms[0, :, :3] = wave[:, None] * [40, 100, 40]
    result = SortResult(
        sorting=Sorting(
            sample_index=[100],
            unit_index=[0],
            unit_ids=[3],
            sampling_rate_hz=30_000.0,
            n_samples=30_000,
        ),
        templates=Templates(waveforms_uv=waveforms, n_before=15),
        geometry=Geometry(positions_um=[[0.0, 20.0 * i] for i in range(n_channels)]),
        spike_amplitude=[-9.0],
        spike_probability=[1.0],
        spike_position_um=np.zeros((1, 2)),
        embedding=np.zeros((1, 0)),
        unit_table={"rate_hz": np.array([1.0])},
    )
    return write_result(result, folder)


def test_a_hybrid_takes_the_templates_of_a_sort(tmp_path):
    assert run("--family", "noise", *TINY, "-o", tmp_path / "a").exit_code == 0
    donors = write_sort_of_one_unit(tmp_path / "sorted", n_channels=4)
    settings = ["--set", "cells.n_units=1", "--set", "trains.rate_min_hz=5", "--seed", "4"]
    call = ["hybrid", tmp_path / "a" / "recording", "--donors", donors, *settings]
    result = run(*call, "-o", tmp_path / "h")
    assert result.exit_code == 0, result.output
    base, hybrid = (open_recording(tmp_path / name / "recording") for name in "ah")
    added = hybrid.read(0, 30_000) - base.read(0, 30_000)
    spikes = load_sorting(tmp_path / "h").sample_index
    spikes = spikes[(spikes > 50) & (spikes < 29_950)]
    alone = spikes[np.diff(spikes, prepend=-100) > 50]
    trough = added[alone].min(axis=1)
    assert len(alone) > 1
    assert (trough < 0).all()
    # One donor on three contacts: the two beside its peak get two fifths, the fourth nothing.
    shares = np.sort(added[alone] / trough[:, None], axis=1)
    assert np.allclose(shares[:, -2:], [0.4, 1.0], atol=0.02)


def test_donors_of_another_probe_are_refused(tmp_path):
    assert run("--family", "noise", *TINY, "-o", tmp_path / "a").exit_code == 0
    donors = write_sort_of_one_unit(tmp_path / "sorted", n_channels=5)
    for given, message in ((donors, "1 templates of 5 channels"), (tmp_path, "not a result")):
        result = run(
            "hybrid", tmp_path / "a" / "recording", "--donors", given, "-o", tmp_path / "h"
        )
        assert result.exit_code == 2
        assert message in result.output
        assert not (tmp_path / "h").exists()


def test_the_bank_is_listed():
    output = run("bank").output
    assert "pyramidal_hippocampal" in output
    assert "heldout" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage"),
        (["nowhere.toml"], "nowhere.toml does not exist"),
        (["--family", "drfit"], "did you mean 'drift'"),
        (["--family", "drift", "--difficulty", "2"], "difficulty is 2"),
        (["--family", "drift", "--duration", "-3"], "'duration_s' is -3.0"),
        (["--family", "drift", "--set", "cells.n_unit=3"], "did you mean 'n_units'"),
        (["--family", "drift", "--set", "cells.n_units=99999"], "cells.n_units: 99999 cells"),
        (["--family", "drift", "--set", "probe.n_channels=0"], "'probe.n_channels' is 0"),
        (["a.toml", "--family", "drift"], "either"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert not list(tmp_path.iterdir())
