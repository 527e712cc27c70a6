"""Firing, amplitudes, movement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embersort.errors import BadConfig, BadInput
from embersort.simulate.amplitudes import AmplitudeConfig, burst_positions, draw_amplitudes
from embersort.simulate.motion import DriftConfig, depth_factor, draw_motion
from embersort.simulate.trains import TrainsConfig, draw_trains


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("process", ["poisson", "gamma", "lognormal"])
def test_rates_are_as_asked(process):
    config = TrainsConfig(process=process, rate_min_hz=4, rate_max_hz=12)
    trains = draw_trains(config, 30, 300.0, rng())
    rates = np.array([len(train) / 300 for train in trains])
    assert 3.5 < rates.min() < 6
    assert 10 < rates.max() < 13


@pytest.mark.parametrize(
    "extra",
    [{}, {"bursting_share": 1.0}, {"synchrony": 0.5}, {"rate_change": 1.0}, {"process": "gamma"}],
)
def test_no_interval_is_shorter_than_the_refractory_period(extra):
    config = TrainsConfig(refractory_ms=2.5, rate_min_hz=20, rate_max_hz=40, **extra)
    for train in draw_trains(config, 8, 60.0, rng()):
        assert len(train) > 200
        assert np.diff(train).min() >= 2.5e-3
        assert train[0] >= 0
        assert train[-1] < 60


def test_a_gamma_train_is_more_regular_than_a_poisson_train():
    def variation(**config):
        train = draw_trains(TrainsConfig(refractory_ms=0.1, **config), 1, 2000.0, rng())[0]
        interval = np.diff(train)
        return interval.std() / interval.mean()

    assert variation(process="poisson") == pytest.approx(1.0, abs=0.03)
    assert variation(process="gamma", gamma_shape=4) == pytest.approx(0.5, abs=0.03)


def test_bursts_keep_the_rate_and_shorten_intervals():
    config = {"rate_min_hz": 8, "rate_max_hz": 8}
    plain = draw_trains(TrainsConfig(**config), 1, 500.0, rng())[0]
    bursting = draw_trains(
        TrainsConfig(bursting_share=1.0, burst_probability=0.4, **config), 1, 500.0, rng()
    )[0]
    assert len(bursting) == pytest.approx(len(plain), rel=0.1)
    assert np.mean(np.diff(bursting) < 0.016) > 2 * np.mean(np.diff(plain) < 0.016)


def test_volleys_bring_units_together():
    def coincidences(synchrony):
        config = TrainsConfig(synchrony=synchrony, synchrony_jitter_ms=0.5)
        a, b = draw_trains(config, 2, 300.0, rng())
        nearest = np.abs(a[:, None] - b[None, :]).min(axis=1)
        return np.mean(nearest < 2e-3)

    assert coincidences(0.6) > 0.25
    assert coincidences(0.0) < 0.06


def test_a_train_does_not_depend_on_the_number_of_units():
    few = draw_trains(TrainsConfig(rate_min_hz=5, rate_max_hz=5), 2, 50.0, rng())
    same = draw_trains(TrainsConfig(rate_min_hz=5, rate_max_hz=5), 2, 50.0, rng())
    assert all(np.array_equal(a, b) for a, b in zip(few, same, strict=True))
    assert draw_trains(TrainsConfig(), 0, 50.0, rng()) == []


def test_trains_of_a_file_are_cut_and_go_round(tmp_path):
    path = tmp_path / "trains.npz"
    long, short = np.arange(0.0, 100.0, 0.5), np.array([1000.0, 1000.1, 1001.0])
    np.savez(path, times=np.concatenate([long, short]), offsets=np.array([0, 200, 203]))
    config = TrainsConfig(process="file", file=str(path))
    # The smallest interval tells them apart.
    uneven, even = sorted(draw_trains(config, 2, 20.0, rng()), key=lambda t: np.diff(t).min())
    # Three spikes over 1 s and the mean interval of 0.5 s: three in 1.5 s.
    assert len(uneven) == pytest.approx(40, abs=2)
    assert sorted(set(np.diff(uneven).round(6))) == [0.1, 0.5, 0.9]
    assert len(even) == 40
    assert np.diff(even) == pytest.approx(np.full(39, 0.5))
    with pytest.raises(BadInput, match=r"trains\.file"):
        draw_trains(TrainsConfig(process="file", file="nowhere.npz"), 1, 5.0, rng())


@pytest.mark.shared
def test_the_shared_trains_can_be_used():
    path = Path(__file__).parents[3] / "shared/data/trains/spike_trains.npz"
    if not path.is_file():
        pytest.skip("the shared data pack is absent")
    trains = draw_trains(TrainsConfig(process="file", file=str(path)), 39, 60.0, rng())
    assert len(trains) == 39
    assert sum(map(len, trains)) > 1000
    assert min(np.diff(train).min() for train in trains if len(train) > 1) >= 2e-3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate_min_hz": 9, "rate_max_hz": 3}, "rate_max_hz is less"),
        ({"refractory_ms": 20, "rate_max_hz": 100}, "no room"),
        ({"burst_min_interval_ms": 30}, "burst_max_interval_ms is less"),
        ({"rate_min_hz": -1}, "rate_min_hz"),
    ],
)
def test_impossible_firing_is_refused(values, message):
    with pytest.raises(BadConfig, match=message):
        TrainsConfig.parse(values)


def test_amplitude_falls_within_a_burst_and_recovers():
    config = AmplitudeConfig(jitter=0.0, attenuation=0.5, recovery_ms=10.0)
    factor = draw_amplitudes(config, np.array([0.0, 0.0001, 0.0002, 1.0]), rng())
    # At once after a spike half is lost, then half of what is left.
    assert factor == pytest.approx([1.0, 0.5, 0.25, 1.0], abs=0.02)


def test_slow_change_spans_its_range():
    config = AmplitudeConfig(jitter=0.0, slow_change=0.3, slow_change_s=10.0)
    factor = draw_amplitudes(config, np.linspace(0, 10, 1000), rng())
    assert factor.min() == pytest.approx(0.7, abs=0.01)
    assert factor.max() == pytest.approx(1.3, abs=0.01)


def test_positions_in_a_burst():
    times = np.array([0.0, 0.005, 0.012, 0.5, 0.6, 0.61])
    assert burst_positions(times).tolist() == [0, 1, 2, 0, 0, 1]


def test_courses_of_movement():
    times = np.array([0.0, 25.0, 50.0, 75.0, 100.0])

    def course(**config):
        return draw_motion(DriftConfig(amplitude_um=10, **config), 100.0, rng()).rigid_um(times)

    assert course(kind="none").tolist() == [0, 0, 0, 0, 0]
    assert course(kind="ramp").tolist() == [-10, -5, 0, 5, 10]
    assert course(kind="step", onset_share=0.5).tolist() == [0, 0, 10, 10, 10]
    sine = course(kind="sine", period_s=50.0)
    assert sine[0] == pytest.approx(sine[2])
    assert sine[0] == pytest.approx(-sine[1])


def test_jumps_come_back():
    config = DriftConfig(kind="jump", amplitude_um=10, period_s=20.0, jump_s=2.0)
    motion = draw_motion(config, 1000.0, rng())
    course = motion.rigid_um(np.arange(0, 1000, 0.1))
    assert np.abs(course).max() <= 10
    assert 0.04 < np.mean(course != 0) < 0.16


def test_depth_dependent_movement():
    config = DriftConfig(depth_gradient=0.5)
    factor = depth_factor(config, np.array([0.0, 50.0, 100.0, 500.0]), np.array([0.0, 100.0]))
    assert factor.tolist() == [0.5, 1.0, 1.5, 1.5]


def test_grid_spans_the_movement():
    motion = draw_motion(DriftConfig(kind="sine", amplitude_um=10, depth_gradient=0.5), 9.0, rng())
    assert motion.grid_um(4.0).tolist() == [-16, -12, -8, -4, 0, 4, 8, 12, 16]
