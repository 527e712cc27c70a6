"""Hand-placed spikes, far apart unless they are to meet; the tolerance is 12 samples."""

import numpy as np

from embersort.evaluation.comparison import compare
from embersort.evaluation.losses import Fate, losses
from sortings import sorting_of


def sorting(*trains):
    """Return the sorting of some trains."""
    return sorting_of(*trains, n_samples=10_000_000, rate_hz=30_000.0)


def fates(truth, found):
    """Return the losses, and the fates of each true unit's spikes in order of time."""
    lost = losses(truth, found, compare(truth, found))
    return lost, [lost.fate[truth.unit_index == unit].tolist() for unit in range(truth.n_units)]


def spikes(n, start=0):
    return start + 1000 * np.arange(n)


A, B = spikes(10, 1000), spikes(10, 100_500)
NONE = np.zeros(0, np.int64)


def test_what_is_found_late_within_the_tolerance_is_found():
    lost, of_unit = fates(sorting(A, B), sorting(B, A + 12))
    assert of_unit == [[Fate.FOUND] * 10] * 2
    assert lost.n_wrong.tolist() == [0, 0]
    assert lost.n_invented == 0


def test_no_spike_near_is_missed_and_one_beyond_the_tolerance_is_wrong():
    found = A.copy()
    found[9] += 13
    lost, of_unit = fates(sorting(A), sorting(found))
    assert of_unit == [[Fate.FOUND] * 9 + [Fate.MISSED]]
    assert lost.n_wrong.tolist() == [1]
    assert lost.n_invented == 1


def test_a_second_unit_of_a_neuron_is_split():
    lost, of_unit = fates(sorting(A), sorting(A[:7], A[7:]))
    assert of_unit == [[Fate.FOUND] * 7 + [Fate.SPLIT] * 3]
    assert lost.n_wrong.tolist() == [0]


def test_a_neuron_in_anothers_unit_is_merged():
    lost, of_unit = fates(sorting(A, B[:6]), sorting(np.concatenate([A, B[:6]])))
    assert of_unit == [[Fate.FOUND] * 10, [Fate.MERGED] * 6]
    assert lost.n_wrong.tolist() == [6, 0]
    assert lost.n_invented == 0


def test_a_stray_in_anothers_unit_is_misassigned():
    lost, of_unit = fates(sorting(A, B), sorting(np.concatenate([A, B[:1]]), B[1:]))
    assert of_unit == [[Fate.FOUND] * 10, [Fate.MISASSIGNED] + [Fate.FOUND] * 9]
    assert lost.n_wrong.tolist() == [1, 0]


def test_a_unit_that_nobody_leads_is_noise():
    noise = np.concatenate([A[9:], spikes(9, 500_000)])
    lost, of_unit = fates(sorting(A), sorting(A[:9], noise))
    assert of_unit == [[Fate.FOUND] * 9 + [Fate.NOISE]]
    assert lost.n_invented == 9


def test_a_unit_too_poor_to_match_still_answers_its_neuron():
    found = np.concatenate([A[:4], spikes(4, 500_000)])
    comparison = compare(sorting(A), sorting(found))
    assert comparison.matched_index.tolist() == [-1]
    lost, of_unit = fates(sorting(A), sorting(found))
    assert of_unit == [[Fate.FOUND] * 4 + [Fate.MISSED] * 6]
    assert lost.n_wrong.tolist() == [4]


def test_a_found_spike_answers_one_true_spike():
    # Both neurons fire at once; one spike is found, in the first one's unit.
    together = np.concatenate([B[:9], A[:1] + 3])
    _, of_unit = fates(sorting(A, np.sort(together)), sorting(A, B[:9]))
    assert of_unit == [[Fate.FOUND] * 10, [Fate.MISSED] + [Fate.FOUND] * 9]


def test_nothing_found_and_nothing_there():
    lost, of_unit = fates(sorting(A), sorting(NONE))
    assert of_unit == [[Fate.MISSED] * 10]
    lost, of_unit = fates(sorting(NONE), sorting(A))
    assert of_unit == [[]]
    assert lost.n_invented == 10
