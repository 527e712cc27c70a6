"""What `import embersort` gives, and what it costs."""

import subprocess
import sys

import numpy as np
import pytest

import embersort


def test_every_name_is_there_and_stays_there():
    for _ in range(2):
        for name in embersort.__all__:
            assert getattr(embersort, name) is not None
        for name in ("sort", "compare", "open_recording"):
            assert callable(getattr(embersort, name)), name
    with pytest.raises(AttributeError, match="no attribute 'srot'"):
        _ = embersort.srot


def test_simulate_is_an_ordinary_package_that_needs_no_import():
    scene = embersort.simulate.Scene.parse({"duration_s": 0.5, "cells": {"n_units": 1}})
    assert embersort.simulate.simulate(scene, seed=3).truth.sorting.n_units == 1
    assert type(embersort.simulate) is type(sys)


def test_array_in_times_and_labels_out():
    """The black box: M × N array, sampling rate, positions; spikes of an impulse-like unit."""
    rng = np.random.default_rng(1)
    traces = rng.normal(scale=5, size=(4, 60_000)).astype(np.float32)
    shape = -80 * np.sin(np.linspace(0, np.pi, 12)) * np.linspace(1, 0.5, 12)
    times = np.arange(500, 59_000, 700)
    for start in times:
        traces[:, start : start + 12] += np.outer([1, 0.6, 0.4, 0.2], shape)
    result = embersort.sort(
        traces, sampling_rate_hz=30_000, positions_um=[[0, 0], [0, 20], [0, 40], [0, 60]]
    )
    assert result.sorting.n_units == 1
    found = result.sorting.train(0)
    assert len(found) == len(times)
    assert np.abs(found - times - 5).max() <= 3


def test_importing_is_light():
    script = (
        "import sys, embersort\n"
        "print([m for m in ('numpy', 'numba', 'spikeinterface', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_sorting_never_imports_pytorch():
    script = (
        "import sys, numpy as np, embersort\n"
        "x = np.random.default_rng(0).normal(size=(20000, 1)).astype('f4')\n"
        "embersort.sort(x, sampling_rate_hz=30000.0)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
