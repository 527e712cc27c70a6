"""Two minutes at 1 kHz; ten neurons, each at its depth and of its size."""

import numpy as np
import pytest

from embersort.motion.displacement import Motion
from embersort.motion.epochs import epoch_of, find_epochs

RATE_HZ = 1000
N_SAMPLES = 120_000
BIN = 2 * RATE_HZ
TIME = np.arange(0, N_SAMPLES, 10)
NEURON = np.random.default_rng(0).integers(0, 10, len(TIME))


ZIG_ZAG = np.array([*[-0.8] * 5, 0.7, 3.8, 8.4, 12.5, 17, 17, 12.7, 8.5, 4.5, 1, *[-2] * 45])
"""Rest, then steady drift of 2 µm/s with corners: from rest to the top it is four bins."""


def events(displacement_um):
    """Depth and size of each event, the tissue displaced by so much at each."""
    noise = np.random.default_rng(1).normal(0, 2, len(TIME))
    return 30.0 * NEURON + displacement_um + noise, 10.0 + 3.0 * NEURON


def epochs(displacement_um, course=None):
    depth, size = events(displacement_um)
    by_bin = displacement_um.reshape(-1, BIN // 10).mean(axis=1) if course is None else course
    motion = Motion(bin_samples=BIN, displacement_um=by_bin[:, None], window_um=np.array([150.0]))
    return find_epochs(motion, TIME, depth, size, RATE_HZ)


@pytest.mark.parametrize("at", [40_000, 41_370, 77_990])
@pytest.mark.parametrize("by_um", [12.0, -40.0])
def test_a_jump_is_found_to_a_few_events(at, by_um):
    starts = epochs(np.where(at > TIME, 0.0, by_um))
    assert len(starts) == 2
    assert abs(starts[1] - at) <= 150


def test_there_and_back_are_three_epochs():
    starts = epochs(np.where((TIME > 30_000) & (TIME < 70_000), 20.0, 0.0))
    np.testing.assert_allclose(starts, [0, 30_000, 70_000], atol=150)


@pytest.mark.parametrize(
    "displacement_um",
    [
        np.zeros(len(TIME)),
        60 * TIME / N_SAMPLES,
        20 * np.sin(2 * np.pi * TIME / 30_000),
        np.where(TIME < 60_000, 0.0, 5.0),
        np.interp(TIME, BIN * (np.arange(60) + 0.5), ZIG_ZAG),
    ],
    ids=["still", "steady drift", "to and fro", "too small a jump", "zig-zag"],
)
def test_what_does_not_jump_is_one_epoch(displacement_um):
    assert epochs(displacement_um).tolist() == [0]


def test_jumps_too_near_an_end_or_each_other_are_no_epochs():
    assert epochs(np.where(TIME < 7000, 0.0, 20.0)).tolist() == [0]
    starts = epochs(np.where((TIME > 40_000) & (TIME < 46_500), 20.0, 0.0))
    assert (np.diff(starts) >= 10 * RATE_HZ).all()


def test_without_motion_there_is_one_epoch():
    depth, size = events(np.zeros(len(TIME)))
    assert find_epochs(None, TIME, depth, size, RATE_HZ).tolist() == [0]


def test_a_sample_at_a_jump_is_of_the_new_epoch():
    assert epoch_of(np.array([0, 9, 10, 11]), np.array([0, 10])).tolist() == [0, 0, 1, 1]
