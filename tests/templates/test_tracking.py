"""Forty seconds in eight blocks; a spike every 100 ms; codes as in `test_units`."""

import numpy as np
import pytest

from embersort.config import TrackingConfig
from embersort.signal import TemporalPca
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes
from embersort.templates.tracking import AS_IT_IS, track_templates
from embersort.types import UNASSIGNED

RATE_HZ = 1000
N_SAMPLES = 40_000
N_BLOCKS = 8
CONFIG = TrackingConfig(block_s=5, min_change=0.03)
PCA = TemporalPca(
    basis=np.array([[1, 0], [0, 1], [0, 0]], "f4"), neighbours=np.array([[0, 1], [1, 0]])
)
HEIGHT = 20.0
BASE = np.full((1, 3, 2), 7.0, "f4")
"""Unlike any code, so that it shows where it holds."""

SAMPLE = np.arange(50, N_SAMPLES, 100)


def spikes_of(pca_features, *, sample=SAMPLE, unit=0, channel=0):
    n_spikes = len(sample)
    return UnitSpikes(
        sample_index=sample,
        unit_index=np.broadcast_to(unit, n_spikes).astype(np.int64),
        channel_index=np.broadcast_to(channel, n_spikes).astype(np.int64),
        pca_features=np.asarray(pca_features, "f4"),
    )


def followed(spikes, base=BASE):
    return track_templates(sparse(base), spikes, PCA, N_SAMPLES, RATE_HZ, CONFIG)


def noisy(centre, seed=0):
    """Codes round a centre, or round one for each spike."""
    return centre + np.random.default_rng(seed).normal(size=(len(SAMPLE), 4))


def still(first=HEIGHT, second=HEIGHT / 2):
    """Codes of a template with these heights on channels 0 and 1."""
    return np.tile([first, 0.0, second, 0.0], (len(SAMPLE), 1))


def turned(sample):
    """Codes of a unit whose energy passes from channel 0 to channel 1 over the recording."""
    angle = 0.5 * np.pi * np.asarray(sample) / N_SAMPLES
    nothing = np.zeros_like(angle)
    return HEIGHT * np.stack([np.cos(angle), nothing, np.sin(angle), nothing], axis=1)


def assert_as_it_is(templates):
    assert templates.channel_index.tolist() == [AS_IT_IS]
    assert (templates.first_block.tolist(), templates.stop_block.tolist()) == ([0], [N_BLOCKS])
    assert (templates.waveforms(np.array([0]), PCA).dense() == BASE).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_unit_that_stays_has_one_version(seed):
    assert_as_it_is(followed(spikes_of(noisy(still(), seed))))


@pytest.mark.parametrize("seed", range(3))
def test_a_unit_that_moves_has_versions_near_its_truth(seed):
    templates = followed(spikes_of(noisy(turned(SAMPLE), seed)))
    assert 4 <= len(templates.unit_index) <= N_BLOCKS
    assert templates.first_block[0] == 0
    assert (templates.first_block[1:] == templates.stop_block[:-1]).all()
    assert templates.stop_block[-1] == N_BLOCKS
    for block in range(N_BLOCKS):
        version = templates.at(block)
        assert len(version) == 1
        wave = templates.waveforms(version, PCA).dense()[0]
        truth = turned([(block + 0.5) * 5 * RATE_HZ])[0].reshape(2, 2)
        # One block is a turn of 11°; two blocks may share a version.
        miss = np.square(wave[:2].T - truth).sum()
        assert miss < 0.05 * HEIGHT**2
    assert (templates.base.dense() == BASE).all()


def test_each_version_has_the_shape_of_its_own_blocks():
    pca_features = still()
    pca_features[SAMPLE >= 20_000] = [30, 1, 2, 3]
    templates = followed(spikes_of(pca_features))
    assert templates.first_block.tolist() == [0, 4]
    assert templates.stop_block.tolist() == [4, 8]
    assert templates.channel_index.tolist() == [0, 0]
    waves = templates.waveforms(np.array([0, 1]), PCA).dense()
    assert waves[0].tolist() == [[20, 10], [0, 0], [0, 0]]
    assert waves[1].tolist() == [[30, 2], [1, 3], [0, 0]]


@pytest.mark.parametrize(("share", "n_versions"), [(0.02, 1), (0.04, 2)])
def test_a_template_holds_until_a_share_of_its_energy_has_changed(share, n_versions):
    pca_features = still()
    late = SAMPLE >= 20_000
    pca_features[late, 1] = np.sqrt(share * np.square(pca_features[0]).sum())
    assert len(followed(spikes_of(pca_features)).unit_index) == n_versions


def test_a_minority_of_other_snippets_is_no_change():
    pca_features = noisy(still())
    pca_features[::4] += 60
    assert_as_it_is(followed(spikes_of(pca_features)))


@pytest.mark.parametrize(("n_spikes", "n_versions"), [(29, 1), (60, 2)])
def test_few_spikes_have_one_version(n_spikes, n_versions):
    sample = np.linspace(50, N_SAMPLES - 50, n_spikes).astype(np.int64)
    pca_features = np.tile([20.0, 0, 10, 0], (n_spikes, 1))
    pca_features[sample >= 20_000] = [10, 0, 20, 0]
    templates = followed(spikes_of(pca_features, sample=sample))
    assert len(templates.unit_index) == n_versions


def test_no_spikes_have_one_version_and_no_units_none():
    nothing = spikes_of(np.zeros((0, 4)), sample=SAMPLE[:0])
    assert_as_it_is(followed(nothing))
    assert followed(nothing, BASE[:0]).at(0).tolist() == []


def test_another_main_channel_alone_is_no_change():
    # The same template, seen from channel 1 half of the time: its codes come in another order.
    pca_features, late = still(20, 19), SAMPLE >= 20_000
    pca_features[late] = pca_features[late][:, [2, 3, 0, 1]]
    assert_as_it_is(followed(spikes_of(pca_features, channel=late)))


def test_a_change_is_seen_across_main_channels():
    pca_features, late = still(20, 10), SAMPLE >= 20_000
    # Now 10 on channel 0 and 20 on channel 1: the same codes, round the other channel.
    templates = followed(spikes_of(pca_features, channel=late))
    assert templates.channel_index.tolist() == [0, 1]
    waves = templates.waveforms(np.array([0, 1]), PCA).dense()
    assert waves[:, 0].tolist() == [[20, 10], [10, 20]]


def test_in_blocks_without_spikes_the_template_waits():
    silent = (SAMPLE >= 10_000) & (SAMPLE < 30_000)
    pca_features = still()
    pca_features[SAMPLE >= 30_000] = [10, 0, 20, 0]
    templates = followed(spikes_of(pca_features[~silent], sample=SAMPLE[~silent]))
    waves = (
        templates.waveforms(templates.at(0), PCA).dense(),
        templates.waveforms(templates.at(7), PCA).dense(),
    )
    assert waves[0][0, 0].tolist() == [20, 10]
    assert waves[1][0, 0].tolist() == [10, 20]
    assert all(len(templates.at(block)) == 1 for block in range(N_BLOCKS))


def test_units_are_followed_each_for_itself_in_order_of_unit():
    moving, staying, late = still(), still(), SAMPLE >= 20_000
    moving[late] = [10, 0, 20, 0]
    # Unit 1 moves; every third spike belongs to none and is like no other.
    pca_features = np.concatenate([staying, moving, np.full((len(SAMPLE), 4), 99.0)])
    unit = np.repeat([0, 1, UNASSIGNED], len(SAMPLE))
    order = np.argsort(np.tile(SAMPLE, 3), kind="stable")
    base = np.concatenate([BASE, 2 * BASE])
    spikes = spikes_of(pca_features[order], sample=np.tile(SAMPLE, 3)[order], unit=unit[order])
    templates = followed(spikes, base)
    assert templates.n_spikes.tolist() == [len(SAMPLE)] * 2
    assert templates.unit_index.tolist() == [0, 1, 1]
    assert [templates.at(block).tolist() for block in (0, 3, 4, 7)] == [
        [0, 1],
        [0, 1],
        [0, 2],
        [0, 2],
    ]
    waves = templates.waveforms(templates.at(7), PCA).dense()
    assert (waves[0] == BASE[0]).all()
    assert waves[1].tolist() == [[10, 20], [0, 0], [0, 0]]


def test_channels_beyond_the_local_ones_stay_those_of_the_base():
    pca = TemporalPca(basis=PCA.basis, neighbours=np.array([[0, 1], [1, 0], [2, -1]]))
    pca_features = still()
    pca_features[SAMPLE >= 20_000] = [10, 0, 20, 0]
    base = np.full((1, 3, 3), 7.0, "f4")
    templates = track_templates(
        sparse(base), spikes_of(pca_features), pca, N_SAMPLES, RATE_HZ, CONFIG
    )
    wave = templates.waveforms(np.array([1]), pca).dense()[0]
    assert wave[0].tolist() == [10, 20, 7]
    assert (base == 7).all()


def test_a_jump_ends_a_block_and_no_template_is_made_of_both_sides():
    # One spike is left of a block of five seconds; those before it are near enough to count in.
    jump, before, after = 19_900, still()[0], still(5.0, HEIGHT)[0]
    features = noisy(np.where(SAMPLE[:, None] < jump, before, after))
    epochs = np.array([0, jump])
    templates = track_templates(BASE, spikes_of(features), PCA, N_SAMPLES, RATE_HZ, CONFIG, epochs)
    assert templates.block_starts.tolist() == sorted([*range(0, N_SAMPLES, 5000), jump])
    assert templates.first_block.tolist() == [0, templates.block_of(jump)]
    for version, centre in enumerate([before, after]):
        np.testing.assert_allclose(templates.pca_features[version], centre, atol=0.8)
