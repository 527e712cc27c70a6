"""Snippets of a strong unit, in noise, against a first template that lacks a part of it."""

import numpy as np
import pytest

from embersort.signal.snippets import cut_snippets
from embersort.templates.residual import MIN_SNIPPETS, _beyond_noise, template_residuals
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes
from plain_front import N_CHANNELS, front_of

N_SAMPLES = 240_000
HEIGHT_UV = np.array([-400.0, -150.0, 0.0, -60.0])


def made(n_spikes=60, until=N_SAMPLES):
    """A unit of impulses in white noise, its filtered waveform, and a template of two channels."""
    rng = np.random.default_rng(3)
    sample = np.sort(rng.choice(np.arange(300, until - 300, 200), n_spikes, replace=False))
    clean = np.zeros((N_SAMPLES, N_CHANNELS), "f4")
    clean[sample] += HEIGHT_UV.astype("f4")
    noisy = clean + 5 * rng.standard_normal(clean.shape).astype("f4")
    front = front_of(noisy)
    tile = front_of(clean).tiles()[0]
    own = sample[(sample >= tile.start) & (sample < tile.stop)][:1]
    whole = cut_snippets(
        front_of(clean).white_tile(tile), own + front.extra, np.zeros(1, int), front.window
    )[0]
    known = np.zeros((1, *whole.shape), "f4")
    known[0, :, :2] = whole[:, :2]
    spikes = UnitSpikes(
        sample_index=sample,
        unit_index=np.zeros(n_spikes, int),
        channel_index=np.zeros(n_spikes, int),
        pca_features=np.zeros((n_spikes, 1), "f4"),
    )
    return front, spikes, known, whole


def test_a_far_channel_that_the_template_lacks_is_found():
    front, spikes, known, whole = made()
    residuals = template_residuals(sparse(known), spikes, front).dense()
    missing = np.square(whole[:, 3]).sum()
    assert np.square(residuals[0, :, 3] - whole[:, 3]).sum() < 0.2 * missing
    assert np.square(residuals[0, :, :3]).sum() < 0.1 * missing


def test_weak_units_and_few_snippets_lack_nothing():
    front, spikes, known, _ = made()
    assert not template_residuals(sparse(known * 0.01), spikes, front).dense().any()
    front, spikes, known, _ = made(n_spikes=MIN_SNIPPETS - 1)
    assert not template_residuals(sparse(known), spikes, front).dense().any()


def test_a_unit_of_part_of_the_recording_is_left_alone():
    front, spikes, known, _ = made(until=N_SAMPLES // 2)
    assert not template_residuals(sparse(known), spikes, front).dense().any()


@pytest.mark.parametrize("variance", [0.01, 1.0])
def test_noise_alone_has_no_part_beyond_noise(variance):
    rng = np.random.default_rng(5)
    noise = np.sqrt(variance) * rng.standard_normal((75, 20)).astype("f4")
    assert not _beyond_noise(noise, variance).any()
    wave = np.outer(np.sin(np.arange(75)), np.arange(20))
    found = _beyond_noise(noise + wave, variance)
    assert np.square(found - wave).sum() < 0.01 * np.square(wave).sum()
