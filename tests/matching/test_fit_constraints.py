"""What spikes taken out so far say about a further one near them."""

import numpy as np
import pytest

from embersort.config import MatchConfig
from embersort.matching.bank import make_bank
from embersort.matching.fit_constraints import by_time, is_past_refractory, shape_error_allowance
from embersort.matching.joint_refit import Spikes
from embersort.matching.single_fit import bank_arrays, first_row, fit_criteria
from embersort.templates.sparse import sparse
from naive_matching import shapes

N_WINDOW = 40
RATE_HZ = 10_000.0


def spikes_at(*found):
    """Return spikes of given (sample, unit, scale)."""
    sample, unit, scaling = zip(*found, strict=True)
    n = len(found)
    return Spikes(
        sample=np.array(sample),
        unit=np.array(unit),
        shift=np.full(n, 2),
        kind=np.zeros(n, np.int64),
        scaling=np.array(scaling, float),
        decrease=np.zeros(n),
        unsettled=np.zeros(n, bool),
    )


@pytest.fixture(scope="module")
def arrays():
    config = MatchConfig()
    return bank_arrays(make_bank(sparse(shapes(N_WINDOW)), 15), None, fit_criteria(config, RATE_HZ))


TERMS = fit_criteria(MatchConfig(), RATE_HZ)


def test_spikes_come_in_order_of_time_without_those_given_up():
    accepted = by_time(spikes_at((90, 0, 1.0), (10, 0, 1.0), (50, 0, 0.0)), 120, N_WINDOW)
    assert accepted.order.tolist() == [1, 0]
    assert accepted.start.tolist() == [0, 1, 1, 2, 2]


def test_each_spike_within_a_window_leaves_its_templates_error(arrays):
    accepted = by_time(spikes_at((200, 0, 1.5), (230, 1, 1.0), (260, 0, 1.0)), 400, N_WINDOW)
    places = [arrays.near[u].tolist().index(0) for u in (0, 1)]
    strong = [
        arrays.strongest[first_row(arrays, u, 2) + places[u]] ** 2 / arrays.norm2[0] for u in (0, 1)
    ]
    expected = 0.1**2 * (1.5**2 * strong[0] + strong[1])
    # The third is 40 samples away, one too many.
    assert shape_error_allowance(accepted, arrays, TERMS, 220, 0) == pytest.approx(
        expected, rel=1e-6
    )
    assert shape_error_allowance(accepted, arrays, TERMS, 300, 0) == 0.0


@pytest.mark.parametrize(
    ("sample", "unit", "answer"),
    [
        (100, 0, False),
        (80, 0, False),
        (79, 0, True),
        (119, 0, False),
        (120, 0, True),
        (100, 1, True),
    ],
)
def test_a_unit_rests_for_its_refractory_period(sample, unit, answer):
    assert TERMS.refractory_samples == 20
    accepted = by_time(spikes_at((100, 0, 1.0)), 400, N_WINDOW)
    assert is_past_refractory(accepted, TERMS, sample, unit) == answer
