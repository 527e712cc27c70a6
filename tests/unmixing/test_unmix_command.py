import json
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from embersort.cli import app
from embersort.embedding.segment_weights import save_segment_weights
from embersort.recording import load_sorting, open_recording
from embersort.simulate import Scene, simulate, write_simulation
from embersort.unmixing.result import load_unmixing
from unmixing_scenes import NETWORKS, SCENE, simulation


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a simulation, a weight file, and what was unmixed."""
    folder = tmp_path_factory.mktemp("unmix")
    write_simulation(simulation(), folder / "scene")
    save_segment_weights(NETWORKS.segment, folder / "w.safetensors")
    result = run(folder, "scene", "-o", "out", "--truth", "scene")
    assert result.exit_code == 0, result.output
    return folder


def run(folder, recording, *arguments):
    """Run the command with file names that are looked for in the folder."""
    names = [
        str(folder / text) if (folder / text).exists() or text.startswith("out") else text
        for text in (recording, *arguments)
    ]
    return CliRunner().invoke(app, ["unmix", *names, "--weights", str(folder / "w.safetensors")])


def test_the_folder_holds_masks_signals_spikes_scores_and_a_picture(place):
    out = place / "out"
    result = load_unmixing(out)
    assert result.sorting.n_units > 1
    np.testing.assert_array_equal(
        load_sorting(out / "sorting").sample_index, result.sorting.sample_index
    )
    signals = open_recording(out / "peak_traces")
    assert signals.geometry.n_channels == result.sorting.n_units
    np.testing.assert_allclose(signals.read(0, 3000), result.peak_traces(0, 3000), atol=1e-3)
    scores = json.loads((out / "scores.json").read_text())
    assert scores["n_true_units"] == 3
    assert 0 <= scores["bin_purity"] <= 1
    run_facts = json.loads((out / "run.json").read_text())
    assert run_facts["n_units"] == result.sorting.n_units
    assert len(run_facts["segment_sha256"]) == 64


def test_the_picture_is_one_svg_with_all_its_parts(place):
    text = (place / "out" / "unmixed.svg").read_text()
    root = ElementTree.fromstring(text)
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    # Mixture, embedding, ideal and estimated masks; true and unmixed signals; bins as points.
    assert tags.count("image") == 4
    assert tags.count("polyline") >= 4
    assert tags.count("circle") > 100
    assert "200 ms, 6 channels" in text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none", "-o", "out2"), "none"),
        (("scene", "-o", "out"), "out exists; give --overwrite"),
        (("scene", "-o", "out2", "--shown-from", "9"), "cannot begin at 9 s"),
        (("scene", "-o", "out2", "--set", "cluster.radius_u=30"), "did you mean 'radius_um'"),
        (("scene", "-o", "out2", "--set", "least_share=0"), "least_share"),
        (("scene", "-o", "out2", "--truth", "out"), "holds no scene.toml"),
        (("scene", "-o", "out2", "--truth", "scene", "--duration", "1"), "whole recordings"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(place, arguments, message):
    result = run(place, *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert result.output.count("\n") == 1
    assert not (place / "out2").exists()


@pytest.mark.parametrize(
    ("name", "changes"),
    [("noise", {"cells": {"n_units": 0}}), ("instant", {"duration_s": 0.02})],
)
def test_where_there_is_nothing_to_unmix_there_are_no_units(place, name, changes):
    scene = Scene.parse({**SCENE.model_dump(), "duration_s": 1.0, **changes})
    write_simulation(simulate(scene), place / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = run(place, name, "-o", f"out_{name}", "--truth", name)
    assert result.exit_code == 0, result.output
    scores = json.loads((place / f"out_{name}" / "scores.json").read_text())
    assert scores["n_matched"] == 0
    assert scores["si_sdr_db_median"] is None
    assert "unmixed.svg" in {path.name for path in (place / f"out_{name}").iterdir()}


def test_a_truth_that_is_another_one_is_refused(place):
    write_simulation(simulate(SCENE, seed=9), place / "other")
    (place / "other" / "scene.toml").write_bytes((place / "scene" / "scene.toml").read_bytes())
    result = run(place, "scene", "-o", "out2", "--truth", "other")
    assert result.exit_code == 2
    assert "does not give the spikes" in result.output


def test_bad_weights_are_refused(place):
    path = place / "w.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    try:
        result = run(place, "scene", "-o", "out2")
    finally:
        path.write_bytes(content)
    assert result.exit_code == 2
    assert "not a whole weight file" in result.output
