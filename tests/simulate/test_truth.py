"""What the truth says is what the traces show."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from embersort.simulate import Scene, demo_scene, simulate
from embersort.simulate.band import band_pass, noise_std
from embersort.simulate.templates import resample_at
from embersort.simulate.truth import overlapping_spikes
from embersort.types import Sorting

QUIET = {"noise": {"level_uv": 0.0}, "background": {"per_channel": 0.0}}
ALONE = {
    "duration_s": 20.0,
    "cells": {"n_units": 1, "n_variants": 1},
    "trains": {"rate_min_hz": 5.0, "rate_max_hz": 5.0, "refractory_ms": 10.0},
    "amplitude": {"jitter": 0.0},
    "probe": {"n_channels": 8},
    **QUIET,
}


@pytest.mark.parametrize("rate_hz", [15000.0, 24000.0, 30000.0])
@pytest.mark.parametrize("seed", range(4))
def test_truth_times_sit_at_the_trough_within_half_a_sample(rate_hz, seed):
    simulation = simulate(Scene.parse({**ALONE, "sampling_rate_hz": rate_hz}), seed=seed)
    sorting = simulation.truth.sorting
    for sample in sorting.sample_index[:40]:
        if not 100 < sample < sorting.n_samples - 100:
            continue
        traces = simulation.recording.read(sample - 8, sample + 9)
        channel = int(traces.min(axis=0).argmin())
        fine = np.arange(5, 11, 0.05)
        values = resample_at(traces[:, [channel]], fine, cutoff=1.0)[:, 0]
        # Between samples the interpolation of the template adds its own small error.
        assert abs(fine[values.argmin()] - 8) <= 0.5 + 0.15


def test_a_lone_spike_is_its_template_times_its_amplitude():
    values = {**ALONE, "amplitude": {"jitter": 0.3}, "cells": {"n_units": 1, "n_variants": 1}}
    simulation = simulate(Scene.parse(values), seed=1)
    truth = simulation.truth
    template, n_before = truth.templates.waveforms_uv[0], truth.templates.n_before
    on_the_sample = np.flatnonzero(np.abs(simulation.recording.spikes.shift) < 0.02)
    assert len(on_the_sample)
    for i in on_the_sample:
        start = truth.sorting.sample_index[i] - n_before
        traces = simulation.recording.read(start, start + len(template))
        assert traces == pytest.approx(truth.spike_amplitude[i] * template, abs=0.5)


def test_snr_is_the_trough_over_the_noise_in_the_band():
    values = {"duration_s": 30.0, "cells": {"n_units": 6}, "probe": {"n_channels": 12}}
    simulation = simulate(Scene.parse(values), seed=2)
    truth, rate_hz = simulation.truth, 30000.0
    traces = simulation.recording.read(0, 300000)
    level = noise_std(traces, rate_hz)
    for unit in range(6):
        padded = np.pad(truth.templates.waveforms_uv[unit].astype(float), ((300, 300), (0, 0)))
        depth = -band_pass(padded, rate_hz).min(axis=0)
        channel = truth.unit_peak_channel[unit]
        assert depth.argmax() == channel
        # The MAD of traces with spikes is a little above that of pure noise.
        assert truth.unit_snr[unit] == pytest.approx(depth[channel] / level[channel], rel=0.1)
    assert (truth.unit_snr >= 4).all()
    assert (truth.unit_snr <= 20).all()


def test_no_drift_and_drift_of_zero_are_the_same():
    scene = {"duration_s": 1.0, "cells": {"n_units": 5}, "probe": {"n_channels": 8}}
    static = simulate(Scene.parse(scene), seed=3)
    zero = simulate(Scene.parse({**scene, "drift": {"kind": "sine", "amplitude_um": 0.0}}), seed=3)
    assert np.array_equal(static.recording.read(0, 30000), zero.recording.read(0, 30000))


def test_before_a_step_a_moving_scene_is_the_static_one():
    scene = {"duration_s": 2.0, "cells": {"n_units": 5}, "probe": {"n_channels": 8}, **QUIET}
    static = simulate(Scene.parse(scene), seed=3)
    step = simulate(Scene.parse({**scene, "drift": {"kind": "step", "onset_share": 0.5}}), seed=3)
    before, after = slice(0, 29000), slice(31000, 60000)
    still, moved = static.recording.read(0, 60000), step.recording.read(0, 60000)
    # Moving units keep channels that they only reach later, below the floor until then.
    assert moved[before] == pytest.approx(still[before], abs=0.3)
    assert np.abs(moved[after] - still[after]).max() > 3


def test_templates_follow_the_displacement():
    scene = {
        "duration_s": 1.0,
        "cells": {"n_units": 3},
        "probe": {"kind": "linear", "n_channels": 16, "pitch_um": 20.0},
        "drift": {"kind": "ramp", "amplitude_um": 40.0},
        **QUIET,
    }
    truth = simulate(Scene.parse(scene), seed=5).truth
    still, up = truth.templates_at(np.zeros(3)), truth.templates_at(np.full(3, 40.0))
    # Two contacts up: what channel c saw, channel c + 2 sees now.
    assert up[:, :, 4:14] == pytest.approx(still[:, :, 2:12], abs=0.15)


def test_workers_and_chunks_change_no_bit():
    recording = simulate(demo_scene(), seed=1).recording
    whole = recording.read(0, 60000)
    for step, workers in ((7000, 2), (20000, 3)):
        starts = range(0, 60000, step)
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(lambda s: recording.read(s, min(s + step, 60000)), starts))  # noqa: B023
        assert np.array_equal(np.concatenate(parts), whole)


def test_rounded_traces_are_whole_counts_within_the_range():
    scene = {"duration_s": 0.5, "adc": {"uv_per_count": 0.5, "max_uv": 20.0}}
    traces = simulate(Scene.parse(scene)).recording.read(0, 15000)
    assert np.array_equal(traces * 2, np.rint(traces * 2))
    assert np.abs(traces).max() == 20.0


def test_without_units_or_without_noise():
    nothing = simulate(Scene.parse({"duration_s": 0.5, "cells": {"n_units": 0}, **QUIET}))
    assert not nothing.recording.read(0, 15000).any()
    assert nothing.truth.sorting.n_spikes == 0
    assert nothing.truth.templates.waveforms_uv.shape[0] == 0


def test_the_demo_is_what_was_shown_in_the_talk():
    simulation = simulate(demo_scene())
    sorting = simulation.truth.sorting
    assert simulation.recording.geometry.n_channels == 32
    assert simulation.recording.sampling_rate_hz == 30000
    assert sorting.duration_s == 60
    assert sorting.n_units == 40
    rates = sorting.spike_counts() / 60
    assert rates.min() > 4
    assert rates.max() < 11


def test_overlaps_by_hand():
    sorting = Sorting(
        sample_index=np.array([0, 10, 100, 125, 200, 205]),
        unit_index=np.array([0, 1, 0, 0, 1, 2]),
        unit_ids=np.arange(3),
        sampling_rate_hz=30000.0,
        n_samples=300,
    )
    places = np.array([[0.0, 0.0], [0.0, 50.0], [0.0, 500.0]])
    # 0 and 10: two units, near. 100 and 125: one unit. 200 and 205: two units, far apart.
    assert overlapping_spikes(sorting, places).tolist() == [True, True, False, False, False, False]
