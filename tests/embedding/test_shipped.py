"""The weights that are shipped, on a small scene of cells that training never saw."""

import numpy as np
import pytest

from embersort.config import SortConfig
from embersort.embedding.stage import make_encoder_stage
from embersort.embedding.weights import SHIPPED_FOLDER, load_shipped
from embersort.recording import ArrayRecording
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.training.event_sets import detected_snippets
from embersort.training.labels import label_events, unit_depths
from embersort.types import Geometry

RATE_HZ = 24000.0
CONFIG = SortConfig.parse({"filter": {"reference": "none"}, "run": {"n_workers": 1}})


@pytest.fixture(scope="module")
def simulation():
    return simulate(
        Scene.parse(
            {
                "duration_s": 6.0,
                "seed": 4,
                "sampling_rate_hz": RATE_HZ,
                "probe": {"kind": "columns", "n_channels": 8},
                "cells": {"n_units": 6, "split": "heldout", "min_snr": 8.0},
            }
        )
    )


def _events(simulation, gain=1.0):
    traces = simulation.recording.read(0, simulation.recording.n_samples) * np.float32(gain)
    recording = ArrayRecording(
        traces=traces, sampling_rate_hz=RATE_HZ, geometry=simulation.recording.geometry
    )
    return detected_snippets(recording, CONFIG)


def _codes(events, snippets, window, positions_um):
    stage = make_encoder_stage(
        load_shipped(),
        Geometry(positions_um=positions_um),
        window.neighbours,
        n_window=snippets.shape[1],
        n_before=window.n_before,
        sampling_rate_hz=RATE_HZ,
    )
    return stage, stage.encode(snippets, events.channel_index)


@pytest.fixture(scope="module")
def encoded(simulation):
    events, snippets, window = _events(simulation)
    truth = simulation.truth
    labels = label_events(
        events, truth.sorting, np.asarray(truth.spike_amplitude)[:, None], unit_depths(simulation)
    )
    positions = simulation.recording.geometry.positions_um
    stage, codes = _codes(events, snippets, window, positions)
    return events, snippets, window, labels.label, stage, codes


def test_they_are_small_and_described():
    assert (SHIPPED_FOLDER / "default.safetensors").stat().st_size < 20_000_000
    assert "licence" in (SHIPPED_FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8").lower()


def test_spikes_of_a_unit_lie_together_and_of_others_apart(encoded):
    events, _, _, label, stage, codes = encoded
    is_spike = label >= 0
    for values in (codes, stage.in_context(codes, events)):
        frame = stage.on_shared_channels(values, events.channel_index)[is_spike]
        affinity = frame @ frame.T
        same = label[is_spike][:, None] == label[is_spike][None, :]
        assert affinity[same].mean() > 0.7
        assert affinity[~same].mean() < 0.4


@pytest.mark.parametrize("turn", [[[1, 0], [0, -1]], [[0, 1], [-1, 0]]], ids=["mirror", "quarter"])
def test_affinities_hardly_change_with_the_orientation_of_the_probe(simulation, encoded, turn):
    events, snippets, window, _, stage, codes = encoded
    positions = simulation.recording.geometry.positions_um @ np.array(turn, float)
    _, turned = _codes(events, snippets, window, positions)
    one, other = codes[:, : stage.n_dims], turned[:, : stage.n_dims]
    correlation = np.corrcoef((one @ one.T).ravel(), (other @ other.T).ravel())[0, 1]
    assert correlation > 0.9


def test_a_louder_recording_gives_the_same_codes(simulation, encoded):
    events, _, window, _, stage, codes = encoded
    louder, snippets, _ = _events(simulation, gain=8.0)
    assert (louder.sample_index == events.sample_index).all()
    positions = simulation.recording.geometry.positions_um
    _, again = _codes(louder, snippets, window, positions)
    assert np.abs(again[:, : stage.n_dims] - codes[:, : stage.n_dims]).max() < 1e-3
