import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.training import event_sets
from embersort.training.event_sets import (
    at_canonical_rate,
    load_event_set,
    make_event_set,
    make_event_sets,
    save_event_set,
)
from embersort.training.labels import DUPLICATE, NOISE, label_events
from embersort.types import Events, Sorting

RATE_HZ = 10000.0
# Unit 0 is large on channel 0, unit 1 on channel 1; each just reaches the other.
DEPTH = np.array([[10.0, 3.0], [1.0, 8.0]])


def _label(event_samples, event_channels, spikes, amplitude=None):
    samples, units = (np.array(column) for column in zip(*spikes, strict=True))
    events = Events(
        sample_index=np.array(event_samples),
        channel_index=np.array(event_channels),
        amplitude=np.full(len(event_samples), -6.0),
    )
    truth = Sorting(
        sample_index=samples,
        unit_index=units,
        unit_ids=np.arange(2),
        sampling_rate_hz=RATE_HZ,
        n_samples=10000,
    )
    factor = np.ones((len(samples), 1)) if amplitude is None else np.array(amplitude)[:, None]
    return label_events(events, truth, factor, DEPTH)


def test_an_event_is_the_spike_near_it_in_time():
    labels = _label([100, 205, 400], [0, 1, 0], [(102, 0), (205, 1), (405, 0)])
    # 0.4 ms are 4 samples: the last spike is too far.
    assert labels.label.tolist() == [0, 1, NOISE]
    assert np.allclose(labels.shift_ms, [0.2, 0.0, 0.0])
    assert not labels.collision.any()


def test_of_two_spikes_the_larger_on_the_channel_counts_and_it_is_a_collision():
    labels = _label([100, 500], [0, 1], [(99, 1), (101, 0), (498, 0), (501, 1)])
    assert labels.label.tolist() == [0, 1]
    # Unit 1 does not show on channel 0; unit 0 does on channel 1.
    assert labels.collision.tolist() == [False, True]


def test_a_spike_too_small_on_the_channel_explains_nothing():
    assert _label([100], [0], [(100, 1)]).label.tolist() == [NOISE]
    assert _label([100], [0], [(100, 0)], amplitude=[0.15]).label.tolist() == [NOISE]


def test_a_second_event_of_a_spike_is_a_duplicate():
    labels = _label([100, 102], [1, 0], [(101, 0)])
    assert labels.label.tolist() == [DUPLICATE, 0]


def test_no_spikes_and_no_events():
    truth = Sorting(
        sample_index=[], unit_index=[], unit_ids=[], sampling_rate_hz=RATE_HZ, n_samples=100
    )
    event = Events(sample_index=[5], channel_index=[0], amplitude=[-6.0])
    none = Events(sample_index=[], channel_index=[], amplitude=[])
    assert label_events(event, truth, np.zeros((0, 1)), np.zeros((0, 2))).label.tolist() == [NOISE]
    assert label_events(none, truth, np.zeros((0, 1)), np.zeros((0, 2))).label.tolist() == []


def test_canonical_snippets_have_their_trough_in_place():
    time = np.arange(75) - 30
    snippets = np.stack([-10 * np.exp(-0.5 * ((time - s) / 6.0) ** 2) for s in (0.0, 0.25, -0.5)])
    canonical = at_canonical_rate(snippets[:, :, None].astype(np.float32), 30, 30000.0)
    assert canonical.shape == (3, 1, 48)
    assert canonical[:, 0].argmin(axis=1).tolist() == [19, 19, 19]
    assert np.abs(canonical[1] - canonical[0]).max() < 0.05


@pytest.fixture(scope="module")
def event_set():
    scene = Scene.parse(
        {
            "duration_s": 4.0,
            "sampling_rate_hz": 20000.0,
            "probe": {"kind": "tetrode"},
            "cells": {"n_units": 3, "min_snr": 10.0, "max_snr": 20.0},
        }
    )
    return make_event_set(simulate(scene))


def test_events_of_a_clear_scene_are_its_spikes(event_set):
    assert event_set.n_events > 30
    assert event_set.snippets.shape[1:] == (4, 48)
    is_spike = event_set.label >= 0
    assert is_spike.mean() > 0.8
    assert np.abs(event_set.shift_ms[is_spike]).max() <= 0.4
    trough = event_set.snippets[is_spike, 0].astype(np.float32).argmin(axis=1)
    assert (np.abs(trough - 19) <= 1).mean() > 0.95


def test_sets_made_side_by_side_are_those_made_alone_and_held_ones_those_rendered_as_read(
    monkeypatch,
):
    scenes = [
        Scene.parse({"duration_s": 2.0, "seed": seed, "probe": {"kind": "tetrode"}})
        for seed in range(3)
    ]
    side_by_side = list(make_event_sets(scenes, 2))
    monkeypatch.setattr(event_sets, "MOST_HELD_BYTES", 0)
    for scene, made in zip(scenes, side_by_side, strict=True):
        alone = make_event_set(simulate(scene))
        assert made.n_events > 0
        assert (made.snippets == alone.snippets).all()
        assert (made.label == alone.label).all()


def test_an_event_set_is_read_as_it_was_written(event_set, tmp_path):
    path = tmp_path / "set.npz"
    save_event_set(event_set, path)
    read = load_event_set(path)
    assert (read.snippets == event_set.snippets).all()
    assert (read.label == event_set.label).all()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput, match="is not an event set"):
        load_event_set(path)
