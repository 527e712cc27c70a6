import numpy as np
import pytest

from embersort.motion.positions import spike_positions_um
from embersort.signal import TemporalPca
from embersort.templates.estimate import centred, median_templates, unwhiten, unwhitening
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes

SAME = np.eye(2, dtype="f4")


def waves(*troughs, n_window=12):
    """One template; its channels have one trough each, at (sample, depth)."""
    template = np.zeros((1, n_window, len(troughs)), "f4")
    for channel, (sample, depth) in enumerate(troughs):
        template[0, sample, channel] = -depth
    return template


@pytest.mark.parametrize("late", [-4, -1, 0, 3, 7])
def test_the_trough_is_moved_to_the_spike_with_all_channels(late):
    template = waves((4 + late, 10), (4 + late, 3))
    template[0, min(5 + late, 11), 1] += 2
    expected = np.zeros_like(template)
    expected[0, 4] = template[0, 4 + late]
    if late < 7:
        expected[0, 5] = template[0, 5 + late]
    before = template.copy()
    assert (centred(sparse(template), SAME, 4).dense() == expected).all()
    assert (template == before).all()


def test_what_moves_out_of_the_window_is_lost_and_zeros_follow():
    template = waves((9, 10), (1, 3))
    moved = centred(sparse(template), SAME, 4).dense()
    assert moved[0, 4, 0] == -10
    assert np.count_nonzero(moved) == 1


def test_the_trough_is_that_in_microvolt():
    # White, the second channel is the deeper one.
    whitening = np.diag([1, 10]).astype("f4")
    template = waves((6, 10), (4, 50))
    moved = centred(sparse(template), unwhitening(whitening), 4).dense()
    assert moved[0, 4, 0] == -10
    assert moved[0, 2, 1] == -50


def test_each_template_is_moved_by_itself():
    templates = np.concatenate([waves((6, 10), (6, 1)), waves((4, 1), (3, 9))])
    moved = centred(sparse(templates), SAME, 4).dense()
    assert moved[0, 4].tolist() == [-10, -1]
    assert moved[1, 4].tolist() == [0, -9]
    assert moved[1, 5].tolist() == [-1, 0]


def test_unwhitening_undoes_whitening():
    rng = np.random.default_rng(0)
    whitening = (np.eye(4) + 0.2 * rng.normal(size=(4, 4))).astype("f4")
    microvolt = rng.normal(size=(2, 5, 4)).astype("f4")
    assert np.allclose(unwhiten(microvolt @ whitening.T, whitening), microvolt, atol=1e-4)


def test_a_bad_channel_is_zero_in_microvolt_too():
    whitening = np.array([[2, 0.5, 0], [0.5, 2, 0], [0, 0, 0]], "f4")
    microvolt = np.array([[[-30, 10, 0], [4, -7, 0]]], "f4")
    white = microvolt @ whitening.T
    assert np.allclose(unwhiten(white, whitening), microvolt, atol=1e-4)
    white[:, :, 2] = 5
    assert np.allclose(unwhiten(white, whitening)[:, :, 2], 0, atol=1e-6)


PCA = TemporalPca(
    basis=np.array([[1, 0], [0, 1], [0, 0]], "f4"),
    neighbours=np.array([[0, 1], [1, 0], [2, -1]]),
)
"""Codes are the first two samples on the peak channel, then those on its neighbour."""


def templates_of(labels, channels, pca_features):
    spikes = UnitSpikes(
        sample_index=np.arange(len(labels)),
        unit_index=np.array(labels, np.int64),
        channel_index=np.array(channels, np.int64),
        pca_features=np.array(pca_features, "f4").reshape(len(labels), 4),
    )
    return median_templates(spikes, PCA, 3).dense()


def test_a_template_is_the_median_of_its_codes_on_their_channels():
    # The third event overlaps another spike, the fourth has no cluster.
    pca_features = [[1, 2, 3, 4], [1, 2, 3, 4], [90, 90, 90, 90], [7, 7, 7, 7], [5, 6, 0, 0]]
    templates = templates_of([0, 0, 0, -1, 1], [1, 1, 1, 1, 2], pca_features)
    assert templates.tolist() == [
        [[3, 1, 0], [4, 2, 0], [0, 0, 0]],
        [[0, 0, 5], [0, 0, 6], [0, 0, 0]],
    ]


def test_only_events_on_the_commonest_channel_shape_a_template():
    pca_features = [[9, 9, 9, 9], [1, 2, 3, 4], [3, 2, 3, 4]]
    templates = templates_of([0, 0, 0], [1, 0, 0], pca_features)
    assert templates.tolist() == [[[2, 3, 0], [2, 4, 0], [0, 0, 0]]]


@pytest.mark.parametrize("labels", [[], [-1, -1]])
def test_no_clusters_have_no_templates(labels):
    channels = [0] * len(labels)
    assert templates_of(labels, channels, [[1, 1, 1, 1]] * len(labels)).shape == (0, 3, 3)


def test_a_spike_is_at_the_centre_of_mass_of_its_energy_beyond_noise():
    pca = TemporalPca(
        basis=np.eye(3, 2, dtype="f4"), neighbours=np.array([[0, 1], [1, 0], [2, -1]])
    )
    positions_um = np.array([[0.0, 0.0], [0.0, 20.0], [50.0, 5.0]])
    # Two components hold an energy of 2 ± 2 by noise alone; what is beyond 6 counts, squared.
    pca_features = np.array([[5, 0, 2, 1.4], [5, 0, 3, 1.5], [0, 0, 9, 9]], "f4")
    place = spike_positions_um(pca_features, np.array([0, 1, 2]), pca, positions_um)
    np.testing.assert_allclose(place[0], [0, 0], atol=1e-4)
    np.testing.assert_allclose(place[1], [0, 20 * 19**2 / (19**2 + 5.25**2)], atol=1e-4)
    np.testing.assert_allclose(place[2], [50, 5], atol=1e-4)
