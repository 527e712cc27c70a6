import numpy as np

from embersort.config import FilterConfig
from embersort.signal.filter import bandpass, design_bandpass
from embersort.simulate import Scene, simulate
from embersort.simulate.sources import unit_sources

SCENE = Scene.parse(
    {
        "seed": 4,
        "duration_s": 1.0,
        "cells": {"n_units": 3},
        "probe": {"kind": "columns", "n_channels": 8},
        "trains": {"rate_min_hz": 10.0, "rate_max_hz": 20.0, "bursting_share": 1.0},
        "drift": {"kind": "sine", "amplitude_um": 10.0},
        "background": {"per_channel": 0.0},
    }
)
RATE_HZ = SCENE.sampling_rate_hz


def summed(sources, start, stop, n_channels):
    total = np.zeros((stop - start, n_channels), np.float32)
    for source in sources:
        total[:, source.channels] += source.read(start, stop)
    return total


def without_surroundings(simulation):
    """Return the units' part of the recording, as the recording itself renders it."""
    recording = simulation.recording
    traces = recording.read(0, recording.n_samples)
    n_tiles = -(-recording.n_samples // 8192)
    noise = np.concatenate([recording.surroundings.tile(i) for i in range(n_tiles)])
    return traces - noise[: recording.n_samples]


def test_the_sources_add_up_to_the_recording():
    simulation = simulate(SCENE)
    units = without_surroundings(simulation)
    total = summed(unit_sources(simulation), 0, len(units), 8)
    assert np.abs(units).max() > 20
    np.testing.assert_allclose(total, units, atol=2e-3)


def test_a_source_is_the_same_in_any_slice():
    source = unit_sources(simulate(SCENE))[1]
    whole = source.read(0, 30000)
    np.testing.assert_allclose(source.read(7001, 9005), whole[7001:9005], atol=1e-4)


def test_a_filtered_source_is_the_filtered_trace():
    source = unit_sources(simulate(SCENE))[0]
    sos = design_bandpass(FilterConfig(), RATE_HZ)
    behind = source.filtered(lambda columns: bandpass(columns, sos), 300)
    wanted = bandpass(source.read(0, 30000), sos)[1000:29000]
    found = behind.read(1000, 29000)
    assert np.abs(wanted).max() > 10
    np.testing.assert_allclose(found, wanted, atol=2e-3 * np.abs(wanted).max())
