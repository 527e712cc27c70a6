"""Made-up events of neurons at fixed depths, moved along a course that is known."""

import numpy as np
import pytest

from constants import changed
from embersort.config import MotionConfig
from embersort.motion import displacement
from embersort.motion.displacement import DEPTH_STEP_UM, Motion, estimate_motion

RATE_HZ = 1000
DURATION_S = 80
N_SAMPLES = RATE_HZ * DURATION_S
MIDDLES = np.arange(RATE_HZ, N_SAMPLES, 2 * RATE_HZ)
"""Of the bins of two seconds."""

CONFIG = MotionConfig()

COURSES = {
    "ramp": lambda t: 40 * t / DURATION_S,
    "sine": lambda t: 25 * np.sin(2 * np.pi * t / 40),
    "step": lambda t: 30.0 * (t >= 40),
}


def events(course, *, low=0.0, high=300.0, n_events=4000, seed=0):
    """Samples, depths and sizes of the spikes of 25 neurons, each at its depth plus the course."""
    rng = np.random.default_rng(seed)
    depth, size = rng.uniform(low, high, 25), rng.uniform(5, 30, 25)
    neuron = rng.integers(0, 25, n_events)
    sample = np.sort(rng.integers(0, N_SAMPLES, n_events))
    place = depth[neuron] + course(sample / RATE_HZ) + rng.normal(0, 3, n_events)
    return sample, place, size[neuron] * rng.normal(1, 0.1, n_events)


def estimated(sample, depth, size, config=CONFIG) -> Motion | None:
    return estimate_motion(sample, depth, size, N_SAMPLES, RATE_HZ, config)


def truth_of(course):
    """The course at the middles of the bins, its median 0."""
    there = course(MIDDLES / RATE_HZ)
    return there - np.median(there)


@pytest.mark.parametrize("kind", COURSES)
def test_a_course_is_recovered(kind):
    motion = estimated(*events(COURSES[kind]))
    assert motion.displacement_um.shape == (40, 1)
    miss = motion.displacement_um[:, 0] - truth_of(COURSES[kind])
    assert np.abs(miss - np.median(miss)).max() < 4
    assert miss.std() < 1.5


def test_tissue_that_stays_does_not_move():
    assert np.abs(estimated(*events(np.zeros_like)).displacement_um).max() < 1.5


def test_displacement_has_a_median_of_zero():
    motion = estimated(*events(COURSES["ramp"]))
    assert np.median(motion.displacement_um) == pytest.approx(0, abs=1e-9)


def test_some_bins_of_other_events_do_not_bend_the_course():
    # A burst of events everywhere, in every fifth bin: those bins are like no others.
    sample, depth, size = events(COURSES["ramp"])
    rng = np.random.default_rng(1)
    noisy = (sample // (2 * RATE_HZ)) % 5 == 0
    depth = np.where(noisy, rng.uniform(0, 300, len(depth)), depth)
    motion = estimated(sample, depth, size)
    clean = np.arange(40) % 5 != 0
    miss = (motion.displacement_um[:, 0] - truth_of(COURSES["ramp"]))[clean]
    assert np.abs(miss - np.median(miss)).max() < 6


def test_the_order_of_events_does_not_matter():
    columns = events(COURSES["sine"])
    order = np.random.default_rng(1).permutation(len(columns[0]))
    shuffled = estimated(*(column[order] for column in columns))
    assert (shuffled.displacement_um == estimated(*columns).displacement_um).all()


def test_the_unit_of_size_does_not_matter():
    sample, depth, size = events(COURSES["sine"])
    again = estimated(sample, depth, 4 * size)
    assert (again.displacement_um == estimated(sample, depth, size).displacement_um).all()


def test_a_probe_that_hangs_deeper_sees_the_same_motion():
    sample, depth, size = events(COURSES["sine"])
    here, there = estimated(sample, depth, size), estimated(sample, depth + 1024, size)
    np.testing.assert_allclose(there.displacement_um, here.displacement_um, atol=1e-6)
    np.testing.assert_allclose(there.window_um, here.window_um + 1024)


def test_a_mirrored_probe_mirrors_the_course():
    sample, depth, size = events(COURSES["sine"])
    here, mirrored = estimated(sample, depth, size), estimated(sample, -depth, size)
    # Bins of depth begin at the other end.
    miss = mirrored.displacement_um + here.displacement_um
    assert np.abs(miss).max() < 0.5 * DEPTH_STEP_UM


def test_depths_far_apart_may_move_differently():
    course = COURSES["ramp"]
    low, high = events(np.zeros_like, high=350), events(course, low=450, high=800, seed=1)
    columns = [np.concatenate(pair) for pair in zip(low, high, strict=True)]
    motion = estimated(*columns)
    assert motion.displacement_um.shape == (40, 2)
    below, above = motion.displacement_um.T
    assert np.abs(below).max() < 3
    assert np.abs(above - truth_of(course)).max() < 4
    # At the centres of the windows, and halfway between them.
    first, last = motion.window_um
    at = motion.at(np.full(3, MIDDLES[39]), np.array([first, (first + last) / 2, last]))
    np.testing.assert_allclose(at, [below[39], (below[39] + above[39]) / 2, above[39]])


def made(displacement_um, window_um):
    return Motion(
        bin_samples=100,
        displacement_um=np.array(displacement_um, float),
        window_um=np.array(window_um, float),
    )


def test_between_the_middles_of_bins_displacement_is_linear_beyond_them_it_stays():
    motion = made([[0], [10], [-10]], [50])
    sample = np.array([0, 50, 75, 150, 200, 249, 299])
    at = motion.at(sample, np.zeros(7))
    np.testing.assert_allclose(at, [0, 0, 2.5, 10, 0, -9.8, -10])


def test_between_the_centres_of_windows_displacement_is_linear_beyond_them_it_stays():
    motion = made([[0, 4, 0], [10, 8, -2], [10, 8, -2]], [100, 200, 300])
    depth = np.array([0, 100, 150, 250, 300, 999])
    at = motion.at(np.full(6, 150), depth)
    np.testing.assert_allclose(at, [10, 10, 9, 3, -2, -2])
    assert motion.at(np.array([100]), np.array([150.0])) == pytest.approx(5.5)


def test_a_probe_without_depth_knows_no_motion():
    sample, depth, size = events(np.zeros_like, high=40)
    # A tetrode: the contacts lie within 25 µm.
    assert estimated(sample, np.clip(depth, 0, 25), size) is None
    assert estimated(sample, np.append(depth[:-1], 61.0 + depth.min()), size) is not None


@pytest.mark.parametrize(("n_events", "known"), [(399, False), (400, True)])
def test_too_few_events_know_no_motion(n_events, known):
    # Ten for each of the forty bins.
    motion = estimated(*events(COURSES["ramp"], n_events=n_events))
    assert (motion is not None) is known


def test_no_events_and_no_time_know_no_motion():
    nothing = np.zeros(0)
    assert estimated(nothing.astype(np.int64), nothing, nothing) is None
    sample, depth, size = events(np.zeros_like)
    # Two bins make no course.
    assert estimate_motion(sample // 20, depth, size, N_SAMPLES // 20, RATE_HZ, CONFIG) is None


def test_a_long_recording_has_longer_bins():
    with changed(displacement, MAX_BINS=10):
        motion = estimated(*events(COURSES["ramp"]))
    assert motion.bin_samples == N_SAMPLES // 10
    assert len(motion.displacement_um) == 10
    assert np.ptp(motion.displacement_um) == pytest.approx(36, abs=3)


def test_what_it_is_given_stays_as_it_is():
    columns = events(COURSES["ramp"])
    before = [column.copy() for column in columns]
    estimated(*columns)
    assert all((a == b).all() for a, b in zip(columns, before, strict=True))
