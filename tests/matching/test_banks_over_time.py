"""Three units of `naive_matching` in blocks of 100 samples; the second moves at block 2."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import naive_matching
from embersort.config import MatchConfig
from embersort.matching.bank import make_bank
from embersort.matching.banks_over_time import BANKS_KEPT, BanksOverTime, banks_over_time
from embersort.signal import TemporalPca
from embersort.templates.sparse import sparse
from embersort.templates.tracking import AS_IT_IS, TrackedTemplates

N_BEFORE = 15
SHAPES = naive_matching.shapes(n_before=N_BEFORE)
SAME = np.eye(4, dtype="f4")
CONFIG = MatchConfig()
WHITE = np.ones(1)
"""Autocorrelation of white noise."""
PCA = TemporalPca(
    basis=(SHAPES[1, :, 3] / np.linalg.norm(SHAPES[1, :, 3]))[:, None],
    neighbours=np.array([[0, 1], [1, 0], [2, 3], [3, 2]]),
)
"""One component, the second unit's waveform; a code is the height on two channels."""

MOVED = [60.0, 50.0]


def templates(base=SHAPES, moved=MOVED, n_spikes=(50, 40, 30)):
    """Unit 1 has another shape round channel 3 from block 2 on; the others stay."""
    return TrackedTemplates(
        base=sparse(base),
        n_spikes=np.array(n_spikes),
        unit_index=np.array([0, 1, 1, 2]),
        first_block=np.array([0, 0, 2, 0]),
        stop_block=np.array([5, 2, 5, 5]),
        channel_index=np.array([AS_IT_IS, AS_IT_IS, 3, AS_IT_IS]),
        pca_features=np.array([[0, 0], [0, 0], moved, [0, 0]], "f4"),
        block_starts=np.arange(5, dtype=np.int64) * 100,
    )


def banks_of(moving):
    return banks_over_time(moving, PCA, SAME, N_BEFORE, WHITE, CONFIG)


def assert_equal_banks(a, b):
    assert (a.unit_index == b.unit_index).all()
    for name in ("channels", "shifted", "spatial", "temporal", "norm2", "overlap"):
        assert np.array_equal(getattr(a.bank, name), getattr(b.bank, name)), name


def test_versions_change_at_their_block():
    banks = banks_of(templates())
    before, after = banks.at(0), banks.at(200)
    assert banks.at(199) is before
    assert banks.at(499) is after
    assert before.unit_index.tolist() == after.unit_index.tolist() == [0, 1, 2]
    assert (before.bank.shifted == make_bank(sparse(SHAPES), N_BEFORE).shifted).all()


def test_a_version_is_matched_as_it_then_looks():
    timed = banks_of(templates()).at(200)
    expected = SHAPES.copy()
    expected[1, :, [3, 2]] = np.array(MOVED)[:, None] * PCA.basis[:, 0]
    bank = make_bank(sparse(expected), N_BEFORE)
    assert (timed.bank.channels == bank.channels).all()
    np.testing.assert_allclose(timed.bank.shifted, bank.shifted, atol=1e-4)
    np.testing.assert_allclose(timed.bank.norm2, bank.norm2, rtol=1e-5)


@pytest.mark.parametrize("order", [[0, 200], [200, 0], [450, 120, 0, 200]])
def test_a_bank_does_not_depend_on_what_was_asked_before(order):
    asked = banks_of(templates())
    for sample in order:
        assert_equal_banks(asked.at(sample), banks_of(templates()).at(sample))


def test_what_is_too_weak_at_a_time_is_not_matched_then():
    banks = banks_of(templates(moved=[1.0, 1.0]))
    # On its other channels the unit keeps its base.
    assert banks.at(0).unit_index.tolist() == [0, 1, 2]
    small = np.concatenate([SHAPES[:1], 0.1 * SHAPES[1:2], SHAPES[2:]])
    banks = banks_of(templates(base=small))
    assert banks.at(0).unit_index.tolist() == [0, 2]
    assert banks.at(200).unit_index.tolist() == [0, 1, 2]


def test_a_unit_that_comes_to_look_like_another_is_matched_once_then():
    # The third unit has the shape that the second moves to, and fewer spikes.
    base = SHAPES.copy()
    base[1, :, :2] = 0
    base[2] = 0
    base[2, :, [3, 2]] = np.array(MOVED)[:, None] * PCA.basis[:, 0]
    banks = banks_of(templates(base=base))
    assert banks.at(0).unit_index.tolist() == [0, 1, 2]
    assert banks.at(200).unit_index.tolist() == [0, 1]


def test_no_units_have_an_empty_bank():
    nothing = TrackedTemplates(
        base=sparse(SHAPES[:0]),
        n_spikes=np.zeros(0, np.int64),
        unit_index=np.zeros(0, np.int64),
        first_block=np.zeros(0, np.int64),
        stop_block=np.zeros(0, np.int64),
        channel_index=np.zeros(0, np.int64),
        pca_features=np.zeros((0, 2), "f4"),
        block_starts=np.arange(5, dtype=np.int64) * 100,
    )
    assert banks_of(nothing).at(0).bank.n_units == 0


def counted(n_blocks):
    """Banks of one unit with a version for each block, and the blocks they were made for."""
    made = []
    block = np.arange(n_blocks)
    moving = TrackedTemplates(
        base=sparse(SHAPES[:1]),
        n_spikes=np.array([50]),
        unit_index=np.zeros(n_blocks, np.int64),
        first_block=block,
        stop_block=block + 1,
        channel_index=np.full(n_blocks, AS_IT_IS),
        pca_features=np.zeros((n_blocks, 2), "f4"),
        block_starts=100 * block,
    )

    def make(block):
        made.append(block)
        return object()

    return BanksOverTime(moving, make), made


def test_the_latest_few_banks_are_kept():
    banks, made = counted(BANKS_KEPT + 1)
    for sample in range(0, 100 * BANKS_KEPT, 50):
        banks.at(sample)
    assert made == list(range(BANKS_KEPT))
    banks.at(100 * BANKS_KEPT)
    # The earliest had to go; asked for again, it is made again.
    kept = len(made)
    banks.at(100)
    assert len(made) == kept
    banks.at(0)
    assert made[kept:] == [0]


def test_threads_that_ask_at_once_get_one_bank():
    banks, made = counted(1)
    with ThreadPoolExecutor(4) as pool:
        assert len({id(bank) for bank in pool.map(banks.at, range(40))}) == 1
    assert made == [0]


def test_what_a_template_lacks_is_matched_but_only_where_it_stays_as_it_is():
    moving = templates()
    residuals = 0.1 * SHAPES
    timed = banks_of(replace(moving, residual=sparse(residuals))).at(200)
    plain = banks_of(moving).at(200)
    assert timed.unit_index.tolist() == plain.unit_index.tolist()
    ratio = timed.bank.norm2 / plain.bank.norm2
    np.testing.assert_allclose(ratio, [1.21, 1.0, 1.21], rtol=1e-4)
