import numpy as np

from embersort.curation.epoch_join import ClusterShapes, join_epochs

SPIKE = np.array([0, 0, 0, 0, -1, -8, -3, 2, 3, 1, 0, 0, 0, 0], float)
WIDE = np.array([0, 0, 0, -3, -7, -8, -6, -2, 2, 4, 4, 2, 1, 0], float)


def shapes(*clusters):
    """Of clusters given as depth, height factor and waveform."""
    return ClusterShapes(
        place_um=np.array([[0.0, depth] for depth, _, _ in clusters]),
        waveforms_uv=np.array([factor * wave for _, factor, wave in clusters]),
    )


def joined(epoch, *clusters):
    return join_epochs(shapes(*clusters), np.array(epoch)).tolist()


def test_the_same_place_and_shape_are_one_neuron():
    clusters = (0, 1, SPIKE), (30, 1, SPIKE), (29, 1.1, SPIKE), (2, 0.9, SPIKE)
    assert joined([0, 0, 1, 1], *clusters) == [0, 1, 1, 0]


def test_another_place_shape_or_height_is_another_neuron():
    assert joined([0, 1], (0, 1, SPIKE), (25, 1, SPIKE)) == [0, 1]
    assert joined([0, 1], (0, 1, SPIKE), (0, 1, WIDE)) == [0, 1]
    assert joined([0, 1], (0, 1, SPIKE), (0, 2.5, SPIKE)) == [0, 1]


def test_clusters_of_one_epoch_stay_apart_and_only_the_likest_goes_on():
    assert joined([0, 0, 1], (0, 1, SPIKE), (6, 1, SPIKE), (5, 1, SPIKE)) == [0, 1, 1]


def test_a_neuron_that_is_silent_in_one_epoch_is_known_again():
    clusters = (0, 1, SPIKE), (60, 1, WIDE), (60, 1, WIDE), (1, 1, SPIKE)
    assert joined([0, 0, 1, 2], *clusters) == [0, 1, 1, 0]


def test_a_waveform_seen_two_samples_late_is_the_same():
    assert joined([0, 1], (0, 1, SPIKE), (0, 1, np.roll(SPIKE, 2))) == [0, 0]


def test_no_clusters_are_no_neurons():
    nothing = ClusterShapes(place_um=np.zeros((0, 2)), waveforms_uv=np.zeros((0, 14)))
    assert join_epochs(nothing, np.zeros(0, int)).tolist() == []
