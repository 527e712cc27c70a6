"""embersort simulate at the command line."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from embersort.cli import app
from embersort.recording import load_sorting, open_recording

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
