import json

import numpy as np
import pytest

from embedding_samples import random_segment_network, random_weights
from embersort.cli import main
from embersort.config import ClusterConfig
from embersort.embedding.segment_architecture import SegmentConfig
from embersort.embedding.segment_network import SegmentNetwork
from embersort.errors import BadConfig, BadWeights
from embersort.simulate import Scene, simulate
from embersort.training import options as module
from embersort.training.event_sets import labelled_snippets
from embersort.training.options import OptionsConfig, cases, cluster, read_rows, run_options
from embersort.training.options_detection import matched_filter
from embersort.training.options_page import (
    clustering_table,
    detection_table,
    family_table,
    mean_interval,
    whole_table,
    write_page,
)
from embersort.training.segment_options import Networks, segment_frame


def _row(features, seed, ari, clustering="isosplit", family="drift"):
    return {
        "task": "clustering",
        "family": family,
        "difficulty": 0.5,
        "seed": seed,
        "features": features,
        "clustering": clustering,
        "ari": ari,
        "accuracy": ari,
        "n_true": 4,
        "n_found": 2,
    }


def test_gains_are_paired_by_scene():
    rows = [_row("pca", 0, 0.2), _row("pca", 1, 0.6), _row("context", 0, 0.3)]
    table = clustering_table(rows)
    assert table[0][-1] == "ARI - PCA"
    assert table[1][:3] == ["pca", "isosplit", "0.400 [0.200, 0.600]"]
    assert table[1][4:] == ["0.50", ""]
    # Only the scene that both have counts: 0.3 - 0.2.
    assert table[2][-1] == "+0.100 [+0.100, +0.100]"


def test_families_and_detectors_have_their_tables():
    rows = [_row("pca", 0, 0.25), _row("pca", 0, 0.75, family="noise")]
    assert family_table(rows) == [
        ["family", "pca"],
        ["drift", "0.250 [0.250, 0.250]"],
        ["noise", "0.750 [0.750, 0.750]"],
    ]
    found = {"task": "detection", "features": "threshold", "clustering": ""}
    table = detection_table([{**found, "average_precision": 0.5, "recall_at_95": 0.25}])
    assert table[1] == ["threshold", "0.500 [0.500, 0.500]", "0.250 [0.250, 0.250]"]


def test_an_interval_holds_its_mean_and_nothing_has_none():
    mean, low, high = mean_interval([0.0, 1.0, 0.0, 1.0])
    assert mean == 0.5
    assert 0 <= low < 0.5 < high <= 1
    assert all(np.isnan(mean_interval([])))


def test_the_page_is_one_file_with_its_plots(tmp_path):
    path = tmp_path / "options.html"
    write_page([_row("pca", 0, 0.2), _row("context", 0, 0.3)], path)
    text = path.read_text()
    assert "drift: ISO-SPLIT" in text
    assert "http-equiv" not in text
    assert 'src="http' not in text


@pytest.mark.parametrize("clustering", ["isosplit", "kmeans", "hdbscan", "gaussian"])
def test_every_clustering_finds_two_clouds(clustering):
    if clustering in ("hdbscan", "gaussian"):
        pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], 60)
    frame = (rng.standard_normal((120, 4)) + 12 * label[:, None]).astype(np.float32)
    found = cluster(frame, clustering, 2, ClusterConfig())
    inside = found >= 0
    assert inside.mean() > 0.9
    assert len(np.unique(found[inside] * 2 + label[inside])) == 2


def test_a_stopped_study_goes_on_where_it_was(tmp_path, monkeypatch):
    config = OptionsConfig(
        families=("noise",), difficulties=(0.2, 0.8), seeds=(0,), features=("pca",),
        clusterings=("isosplit",), sorts=(),
    )  # fmt: skip
    assert [case.difficulty for case in cases(config)] == [0.2, 0.8]
    scored = []

    def score(case, config, networks, todo):
        scored.append(case.difficulty)
        if len(scored) == 2:
            raise KeyboardInterrupt
        row = _row("pca", case.seed, 0.5, family=case.family)
        return [{**row, "difficulty": case.difficulty, "weights": networks.encoder.sha256}]

    monkeypatch.setattr(module, "score_case", score)
    networks = Networks(encoder=random_weights())
    with pytest.raises(KeyboardInterrupt):
        run_options(config, networks, tmp_path)
    # A line cut off in the middle is as if it were not there.
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"features": "pc')
    rows = run_options(config, networks, tmp_path)
    assert scored == [0.2, 0.8, 0.8]
    assert [row["difficulty"] for row in rows] == [0.2, 0.8]
    assert run_options(config, networks, tmp_path) == rows
    assert len(scored) == 3


def test_rows_of_other_weights_are_not_taken(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps({"weights": "a", "ari": 1}) + "\n")
    assert read_rows(path, {"b"}) == []
    assert read_rows(path, {"a", "b"}) == [{"weights": "a", "ari": 1}]


def test_rows_of_the_segment_network_depend_on_both_networks():
    segment = SegmentNetwork(config=SegmentConfig(), weights={}, sha256="s")
    networks = Networks(encoder=random_weights(), segment=segment)
    assert networks.hash_of("segment") == "+s"
    assert networks.hash_of("context") == networks.hash_of("") == ""


def test_the_segment_network_sees_the_events_that_the_others_see():
    scene = Scene.parse(
        {
            "duration_s": 2.0,
            "cells": {"n_units": 2, "min_snr": 8.0},
            "probe": {"kind": "tetrode"},
            "trains": {"rate_min_hz": 20.0, "rate_max_hz": 30.0},
        }
    )
    simulation = simulate(scene)
    found = labelled_snippets(simulation, 5.0)
    rows = np.arange(0, found.events.n_events, 7)
    networks = Networks(encoder=random_weights(), segment=random_segment_network())
    frame = segment_frame(simulation, found.events, rows, 5.0, networks)
    assert frame.shape == (len(rows), networks.segment.config.n_dims)
    np.testing.assert_allclose(np.linalg.norm(frame, axis=1), 1, atol=1e-5)
    with pytest.raises(BadWeights, match="no segment network"):
        segment_frame(simulation, found.events, rows, 5.0, Networks(encoder=random_weights()))


def test_an_unknown_option_is_refused():
    with pytest.raises(BadConfig, match=r"featurs.*did you mean 'features'"):
        OptionsConfig.parse({"featurs": ["pca"]})


def test_the_whole_task_has_its_table():
    def whole(features, seed, accuracy):
        scores = {"accuracy": accuracy, "n_well": 1, "n_true": 4, "n_found": 6}
        return {**_row(features, seed, 0.0, "sort"), "task": "whole", **scores}

    table = whole_table([whole("pca", 0, 0.25), whole("pca", 1, 0.75), whole("context", 1, 1.0)])
    assert table[1] == ["pca", "0.500 [0.250, 0.750]", "0.250", "1.50", ""]
    assert table[2][-1] == "+0.250 [+0.250, +0.250]"


def test_a_matched_filter_ranks_a_small_spike_over_a_higher_noise_peak():
    rng = np.random.default_rng(0)
    time = np.arange(40) - 20
    shape = -np.exp(-0.5 * (time / 4.0) ** 2)
    heights = np.concatenate([np.full(40, 12.0), np.full(20, 4.5)])
    spikes = heights[:, None] * shape + 0.3 * rng.standard_normal((60, 40))
    peaks = np.zeros((20, 40))
    peaks[:, 20] = -6.0
    score = matched_filter(np.concatenate([spikes, peaks])[:, :, None].astype(np.float32))
    assert score[:60].min() > score[60:].max()
    assert matched_filter(np.zeros((0, 40, 1), np.float32)).shape == (0,)


def test_the_whole_task_is_sorted_with_each_kind_of_features(tmp_path):
    config = OptionsConfig(
        families=("noise",), difficulties=(0.0,), seeds=(0,), features=(), duration_s=8.0,
        sorts=("pca", "context"),
    )  # fmt: skip
    rows = run_options(config, Networks(encoder=random_weights()), tmp_path)
    assert [(row["task"], row["features"]) for row in rows] == [
        ("whole", "pca"),
        ("whole", "context"),
    ]
    assert all(row["n_true"] == 12 and row["accuracy"] > 0.7 for row in rows)


def test_own_weights_are_not_said_to_have_done_the_whole_task(tmp_path, monkeypatch, capsys):
    command = [
        "options",
        "-o",
        str(tmp_path / "out"),
        "--weights",
        str(tmp_path / "own.safetensors"),
    ]
    monkeypatch.setattr("sys.argv", ["embersort", *command])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "sorts=[]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
