"""A simulated recording: same bits for every slice, spikes exactly where the truth says."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.simulate import Scene, simulate
from embersort.types import Recording

SMALL = {
    "duration_s": 2.0,
    "probe": {"n_channels": 6},
    "cells": {"n_units": 4},
    "drift": {"kind": "sine", "amplitude_um": 7.0, "period_s": 1.0},
    "noise": {"hum_uv": 3.0},
}


@pytest.fixture(scope="module")
def small():
    return simulate(Scene.parse(SMALL), seed=3)


def test_recording_satisfies_the_protocol(small):
    assert isinstance(small.recording, Recording)
    traces = small.recording.read(0, 100)
    assert traces.shape == (100, 6)
    assert traces.dtype == np.float32


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (8191, 8193), (5000, 30000), (59999, 60000)])
def test_any_slice_has_the_bits_of_the_whole(small, start, stop):
    whole = small.recording.read(0, 60000)
    assert np.array_equal(small.recording.read(start, stop), whole[start:stop])


def test_same_seed_same_bits_other_seed_other_bits(small):
    again = simulate(Scene.parse(SMALL), seed=3)
    other = simulate(Scene.parse(SMALL), seed=4)
    traces = small.recording.read(0, 5000)
    assert np.array_equal(again.recording.read(0, 5000), traces)
    assert np.array_equal(again.truth.sorting.sample_index, small.truth.sorting.sample_index)
    assert not np.array_equal(other.recording.read(0, 5000), traces)


def test_slice_outside_is_refused(small):
    with pytest.raises(BadInput, match="not within"):
        small.recording.read(0, 60001)
