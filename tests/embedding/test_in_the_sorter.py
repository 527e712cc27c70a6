"""The networks as the feature stage of a whole sort."""

import numpy as np
import pytest

from embersort.config import SortConfig
from embersort.embedding import stage as stage_module
from embersort.errors import BadConfig
from embersort.evaluation.comparison import compare
from embersort.recording import ArrayRecording
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import simulate
from embersort.sorting.recipe import sort


@pytest.fixture(scope="module")
def simulation():
    return simulate(
        Scene.parse(
            {
                "duration_s": 8.0,
                "seed": 6,
                "sampling_rate_hz": 20000.0,
                "probe": {"kind": "tetrode"},
                "cells": {"n_units": 3, "min_snr": 12.0, "max_snr": 20.0},
            }
        )
    )


def _sort(simulation, **settings):
    recording = ArrayRecording(
        traces=simulation.recording.read(0, simulation.recording.n_samples),
        sampling_rate_hz=20000.0,
        geometry=simulation.recording.geometry,
    )
    values = {"feature": {"method": "encoder"}, **settings}
    return sort(recording, SortConfig.parse(values)).sorting


def test_clear_units_are_found_and_workers_change_no_bit(simulation):
    one = _sort(simulation, run={"n_workers": 1, "chunk_s": 1.0})
    assert compare(simulation.truth.sorting, one).accuracy.mean() > 0.9
    two = _sort(simulation, run={"n_workers": 2, "chunk_s": 10.0})
    assert (one.sample_index == two.sample_index).all()
    assert (one.unit_index == two.unit_index).all()


def test_context_can_be_left_out(simulation, monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("the context was asked for")

    monkeypatch.setattr(stage_module.EncoderStage, "in_context", fail)
    with pytest.raises(AssertionError, match="the context was asked for"):
        _sort(simulation)
    without = _sort(simulation, feature={"method": "encoder", "context": False})
    assert np.isin([0, 1, 2], without.unit_index).all()


def test_a_window_that_the_encoder_cannot_read_is_refused(simulation):
    with pytest.raises(BadConfig, match=r"feature\.method = 'pca'"):
        _sort(simulation, snippet={"before_ms": 0.4})
