"""Spikes on a column of six channels, 20 µm apart; one component, so codes are heights."""

from dataclasses import replace

import numpy as np

from embersort.config import MotionConfig
from embersort.curation.registration import Registration, register
from embersort.curation.spikes import MatchedSpikes
from embersort.matching.orthogonal_pursuit import Matches
from embersort.motion.displacement import Motion
from embersort.recording import ArrayRecording
from embersort.signal import TemporalPca
from embersort.signal.front import Front
from embersort.types import Events, Geometry

N_CHANNELS = 6
RATE_HZ = 1000.0
N_SAMPLES = 40_000
POSITIONS_UM = np.column_stack([np.zeros(N_CHANNELS), 20.0 * np.arange(N_CHANNELS)])
PCA = TemporalPca(
    basis=np.array([[0], [1], [0]], "f4"),
    neighbours=np.array([[0, 1, 2], [1, 0, 2], [2, 1, 3], [3, 2, 4], [4, 3, 5], [5, 4, 3]]),
)
RISING = Motion(
    bin_samples=10_000,
    displacement_um=np.array([[-15.0], [-5], [5], [15]]),
    window_um=np.array([50.0]),
)
"""10 µm every 10 s; known at samples 5000, 15 000, 25 000 and 35 000."""

REGISTRATION = Registration(
    pca=PCA,
    whitening=np.diag([1, 1, 1, 1, 1, 0.1]).astype("f4"),
    positions_um=POSITIONS_UM,
    motion=RISING,
    sampling_rate_hz=RATE_HZ,
    n_samples=N_SAMPLES,
    epoch_starts=np.zeros(1, np.int64),
)


def spikes_of(sample, channel, pca_features):
    n_spikes = len(sample)
    return MatchedSpikes(
        matches=Matches(
            sample_index=np.asarray(sample, np.int64),
            unit_index=np.zeros(n_spikes, np.int64),
            scaling=np.ones(n_spikes, "f4"),
            shift_index=np.zeros(n_spikes, np.int64),
            decrease=np.full(n_spikes, 99, "f4"),
        ),
        pca_features=np.asarray(pca_features, "f4"),
        embedding=np.zeros((n_spikes, 0), "f4"),
        channel_index=np.asarray(channel, np.int64),
        relative_gain=np.full(n_spikes, 9, "f4"),
        explained=np.ones(n_spikes, "f4"),
        means=np.zeros((1, 3, N_CHANNELS)),
        cut_off=np.zeros(1, bool),
    )


TEMPLATES = np.zeros((2, 3, N_CHANNELS), "f4")
TEMPLATES[0, :, 2] = [0, -9, 3]
TEMPLATES[0, :, 3] = [0, -6, 1]
TEMPLATES[1, :, 4] = [1, -8, 0]
TEMPLATES[1, :, 5] = [2, -7, 2]


def test_places_are_those_of_the_spikes_less_the_motion_then():
    # All on one channel alone: at 40, 60 and 80 µm.
    pca_features = [[30, 0, 0]] * 3
    spikes = spikes_of([5000, 20_000, 35_000], [2, 3, 4], pca_features)
    um = REGISTRATION.places(spikes, np.arange(3), TEMPLATES).um
    np.testing.assert_allclose(um, [[0, 55], [0, 60], [0, 65]], atol=1e-4)


def test_only_the_rows_that_are_asked_for_have_places():
    spikes = spikes_of([5000, 20_000, 35_000], [2, 3, 4], [[30, 0, 0]] * 3)
    um = REGISTRATION.places(spikes, np.array([2, 0]), TEMPLATES).um
    np.testing.assert_allclose(um, [[0, 65], [0, 55]], atol=1e-4)


def test_places_tell_how_far_the_tissue_is_moved():
    places = REGISTRATION.places(spikes_of([], [], np.zeros((0, 3))), np.arange(0), TEMPLATES)
    moved = places.displacement_um(np.array([5000, 20_000, 35_000]), np.full(3, 50.0))
    np.testing.assert_allclose(moved, [-15, 0, 15], atol=1e-9)


def test_without_motion_there_are_no_places_but_waveforms():
    spikes = spikes_of([5000], [2], [[30, 0, 0]])
    known = REGISTRATION.places(spikes, np.arange(1), TEMPLATES)
    still = replace(REGISTRATION, motion=None).places(spikes, np.arange(1), TEMPLATES)
    assert still.um is None
    assert still.displacement_um is None
    assert (still.peak_waveforms == known.peak_waveforms).all()


def test_peak_waveforms_are_those_in_microvolt():
    # White, channel 4 is the larger one of the second; in microvolt channel 5 is.
    places = REGISTRATION.places(spikes_of([], [], np.zeros((0, 3))), np.arange(0), TEMPLATES)
    np.testing.assert_allclose(places.peak_waveforms, [[0, -9, 3], [20, -70, 20]], rtol=1e-5)


def registered(tracked_unit, n_events=4000):
    """What is made of events of twelve neurons whose energy is spread as their depth demands."""
    rng = np.random.default_rng(0)
    depth, size = np.linspace(10, 90, 12), rng.uniform(20, 60, 12)
    sample, neuron = np.sort(rng.integers(0, N_SAMPLES, n_events)), rng.integers(0, 12, n_events)
    there = depth[neuron] + tracked_unit(sample / N_SAMPLES)
    channel = np.clip(np.round(there / 20), 0, N_CHANNELS - 1).astype(np.int64)
    away = (POSITIONS_UM[PCA.neighbours[channel], 1] - there[:, None]) / 20
    pca_features = size[neuron][:, None] * np.exp(-0.5 * away**2) + rng.normal(size=away.shape)
    front = Front(
        recording=ArrayRecording(
            traces=np.zeros((N_SAMPLES, N_CHANNELS), "f4"),
            sampling_rate_hz=RATE_HZ,
            geometry=Geometry(positions_um=POSITIONS_UM),
        ),
        preprocessor=_Preprocessor(),
        detector=None,
        window=None,
        run=None,
    )
    events = Events(sample_index=sample, channel_index=channel, amplitude=-size[neuron])
    return register(front, PCA, events, pca_features.astype("f4"), MotionConfig())


class _Preprocessor:
    whitening = REGISTRATION.whitening


def test_motion_is_seen_in_the_codes_of_events():
    result = registered(lambda t: 20 * t)
    tracked_unit = result.motion.displacement_um[:, 0]
    # Bins of 2 s; the centre of mass of squared energies follows a little less than the tissue.
    assert len(tracked_unit) == 20
    assert 0.8 * 19 < tracked_unit[-1] - tracked_unit[0] < 1.2 * 19
    assert np.abs(tracked_unit - np.linspace(tracked_unit[0], tracked_unit[-1], 20)).max() < 3
    assert (result.n_samples, result.sampling_rate_hz) == (N_SAMPLES, RATE_HZ)
    assert (result.whitening == REGISTRATION.whitening).all()


def test_tissue_that_stays_is_seen_to_stay():
    assert np.ptp(registered(np.zeros_like).motion.displacement_um) < 2


def test_few_events_leave_motion_unknown():
    assert registered(np.zeros_like, n_events=150).motion is None
