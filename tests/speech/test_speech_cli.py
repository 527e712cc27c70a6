"""embersort speech: what it writes, and one line for what it cannot use."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import synthetic_voices
from embersort.cli import app

soundfile = pytest.importorskip("soundfile")


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    """Two sound files of one voice each, at rates and channel counts of their own."""
    folder = tmp_path_factory.mktemp("voices")
    low, high = synthetic_voices.two_voices(duration_s=3.0)
    soundfile.write(folder / "low.wav", np.stack([low, low], axis=1), 8000)
    soundfile.write(folder / "high.flac", np.repeat(high, 2), 16000)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["speech", *map(str, arguments)])


def assert_one_line(result, *words):
    assert result.exit_code == 2
    lines = result.output.strip().splitlines()
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def test_mix_separate_and_score(voices, tmp_path):
    pytest.importorskip("mir_eval")
    mixed, out = tmp_path / "mixed", tmp_path / "out"
    result = run("mix", voices / "low.wav", voices / "high.flac", "-o", mixed)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in mixed.iterdir()) == [
        "mixture.wav",
        "reference_1.wav",
        "reference_2.wav",
    ]
    mixture = mixed / "mixture.wav"
    result = run("separate", mixture, "-o", out, "--speakers", 2, "--references", mixed)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "picture.html",
        "separation.json",
        "speaker_1.wav",
        "speaker_2.wav",
    ]
    facts = json.loads((out / "separation.json").read_text())
    assert facts["n_speakers"] == 2
    assert facts["scores"]["si_sdr_improvement_db"] > 5.0
    speaker, rate_hz = soundfile.read(out / "speaker_1.wav")
    assert (len(speaker), rate_hz) == (24000, 8000)
    assert (out / "picture.html").read_text().count("<figure>") == 4

    assert_one_line(run("separate", mixture, "-o", out), "exists", "--overwrite")
    result = run("separate", mixture, "-o", out, "--speakers", 3, "--overwrite")
    assert result.exit_code == 0, result.output
    assert (out / "speaker_3.wav").exists()
    assert (out / "picture.html").read_text().count("<figure>") == 3


def test_speakers_are_counted_where_their_number_is_not_given(voices, tmp_path):
    run("mix", voices / "low.wav", voices / "high.flac", "-o", tmp_path / "mixed")
    result = run("separate", tmp_path / "mixed/mixture.wav", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out/separation.json").read_text())["n_speakers"] >= 1


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    soundfile.write(tmp_path / "one.wav", np.ones(1) * 0.5, 8000)
    (tmp_path / "text.wav").write_text("no sound")
    noise = np.random.default_rng(0).normal(size=8000) * 0.1
    soundfile.write(tmp_path / "noise.wav", noise, 8000)
    out = tmp_path / "out"
    assert_one_line(run("separate", tmp_path / "silent.wav", "-o", out), "silent")
    assert_one_line(run("separate", tmp_path / "one.wav", "-o", out), "1 samples", "one window")
    assert_one_line(run("separate", tmp_path / "text.wav", "-o", out), "cannot be read as sound")
    assert_one_line(run("separate", tmp_path / "none.wav", "-o", out), "is not a file")
    too_many = run("separate", tmp_path / "noise.wav", "-o", out, "--speakers", 99)
    assert_one_line(too_many, "n_speakers", "99")
    no_weights = run(
        "separate", tmp_path / "noise.wav", "-o", out, "--weights", tmp_path / "text.wav"
    )
    assert_one_line(no_weights, "not a whole weight file")
    no_truth = run("separate", tmp_path / "noise.wav", "-o", out, "--references", tmp_path)
    assert_one_line(no_truth, "no reference_1.wav")
    assert_one_line(run("mix", tmp_path / "noise.wav", "-o", out), "two voices or more")
    assert_one_line(run("evaluate", tmp_path), "fewer than two speakers")
    assert_one_line(run("train", tmp_path, "-o", out), "fewer than two speakers")
    assert_one_line(run("train", tmp_path, "-o", out, "--set", "loop.steps=3"), "n_steps")
    assert not out.exists()


def test_evaluate_prints_oracle_and_methods(tmp_path):
    pytest.importorskip("mir_eval")
    for number, pitch_hz in enumerate((100, 120, 140, 170, 200, 230)):
        folder = tmp_path / f"speaker{number}"
        folder.mkdir()
        voice = synthetic_voices.harmonic_voice(pitch_hz, (600, 1300, 2600), number, 2.0)
        soundfile.write(folder / "a.wav", voice * 0.05, 8000)
    result = run("evaluate", tmp_path, "--mixtures", 2, "--duration", 1, "--part", "train")
    assert result.exit_code == 0, result.output
    for word in ("oracle", "binary masks", "soft masks", "soft masks, counted"):
        assert word in result.output


def test_a_setting_of_a_training_leaves_the_rest_of_the_recipe(voices, tmp_path, monkeypatch):
    training = pytest.importorskip("embersort.speech.training")
    given = []

    def train_network(bank, held_out, config, folder):
        given.append(config)
        return folder

    monkeypatch.setattr(training, "train_network", train_network)
    monkeypatch.setattr("embersort.cli.speech._bank", lambda *_: {})
    result = run("train", voices, "-o", tmp_path, "--set", "mixture.level_db=3")
    assert result.exit_code == 0, result.output
    shipped = training.SpeechTrainConfig()
    changed = {"mixture": shipped.mixture.model_copy(update={"level_db": 3.0})}
    assert given == [shipped.model_copy(update=changed)]
