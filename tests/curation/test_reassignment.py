import numpy as np

from embersort.curation.reassignment import reassign_to_large

RNG = np.random.default_rng(0)
APART = np.zeros(16)
APART[3] = 10.0
POINTS = RNG.normal(size=(700, 16))
POINTS[600:640] += APART
TEMPLATES = np.zeros((3, 4, 4))
TEMPLATES[0, :, 0] = 1.0
TEMPLATES[1, :, 0] = 0.9
TEMPLATES[2, :, 3] = 1.0


def labelled(small):
    """600 spikes of unit 0, 40 of unit ``small`` and six of unit 0 that went there."""
    labels = np.full(700, -1)
    labels[:600], labels[600:640], labels[:6] = 0, small, small
    return labels


def test_spikes_of_the_large_unit_go_back():
    found = reassign_to_large(labelled(1), TEMPLATES, lambda rows: POINTS[rows])
    assert (found[:600] == 0).all()
    assert (found[600:640] == 1).all()
    assert (found[640:] == -1).all()


def test_a_unit_of_another_shape_and_one_of_as_many_keep_theirs():
    labels = labelled(2)
    assert (reassign_to_large(labels, TEMPLATES, lambda rows: POINTS[rows]) == labels).all()
    even = labelled(1)
    even[6:400] = -1
    assert (reassign_to_large(even, TEMPLATES, lambda rows: POINTS[rows]) == even).all()


def test_what_was_given_is_not_changed():
    labels = labelled(1)
    before = labels.copy()
    reassign_to_large(labels, TEMPLATES, lambda rows: POINTS[rows])
    assert (labels == before).all()
