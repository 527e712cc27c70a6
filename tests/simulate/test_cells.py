"""Cells, the bank, placement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embersort.errors import BadConfig, BadInput
from embersort.simulate.cell_bank import BANK_FILE, load_bank, load_cells, read_bank, write_bank
from embersort.simulate.cells import Cell
from embersort.simulate.placement import PlacementConfig, draw_rotation, place_cells
from embersort.simulate.scene import CellsConfig
from embersort.simulate.units import choose_bank, draw_cells
from embersort.types import Geometry

LINE = Geometry(positions_um=np.column_stack([np.zeros(4), 25.0 * np.arange(4)]))


def cell(**changes) -> Cell:
    values = {
        "name": "a",
        "family": "test",
        "split": "train",
        "start_um": np.array([[0, -5, 0], [0, 5, 0]]),
        "end_um": np.array([[0, 5, 0], [0, 50, 0]]),
        "diameter_um": np.array([10, 1]),
        "currents_na": np.array([[[-1, 1], [-2, 2], [0, 0]]]),
        "sampling_rate_hz": 32000.0,
    }
    return Cell(**{**values, **changes})


def test_currents_of_every_cell_of_the_bank_sum_to_zero():
    for one in load_bank():
        total = np.abs(one.currents_na.sum(axis=2, dtype=np.float64)).max()
        assert total <= 1e-5 * np.abs(one.currents_na).max(), one.name


def test_the_bank_is_large_small_and_split_by_kind():
    cells = load_bank()
    assert len(cells) >= 400
    assert BANK_FILE.stat().st_size < 8e6
    splits = {one.family: one.split for one in cells}
    assert {one.split for one in cells} == {"train", "heldout"}
    assert all(one.split == splits[one.family] for one in cells)
    assert len({one.name for one in cells}) == len(cells)
    assert all(2 <= one.n_variants <= 4 for one in cells)


def test_later_spikes_of_a_burst_are_smaller_in_many_cells():
    ratios = []
    for one in load_bank()[::10]:
        beside = np.array([[30.0, 0, 0], [0, 0, 30.0], [-30.0, 0, 0]])
        first, last = one.potentials_uv(beside, 0), one.potentials_uv(beside, one.n_variants - 1)
        ratios.append(np.ptp(last) / np.ptp(first))
    assert np.median(ratios) < 1
    assert min(ratios) < 0.8


def test_a_potential_by_hand():
    # Two opposite currents cancel far away, faster than one alone.
    one = cell()
    near, far = np.abs(one.potentials_uv(np.array([[10.0, 0, 0], [1000.0, 0, 0]]))[1])
    assert far < near / 1000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"currents_na": np.array([[[1, 1]]])}, "sum to 2"),
        ({"currents_na": np.zeros((1, 3, 5))}, "for 2 segments"),
        ({"start_um": np.zeros((1, 3))}, "starts and ends"),
        ({"diameter_um": np.array([np.nan, 1])}, "not finite"),
    ],
)
def test_impossible_cells_are_refused(changes, message):
    with pytest.raises(BadInput, match=message):
        cell(**changes)


def test_a_bank_comes_back_from_disk(tmp_path):
    rng = np.random.default_rng(0)
    time = np.sin(np.linspace(0, 9, 60))[:, None] * np.array([1.0, 0.3])
    currents = np.stack([time @ rng.standard_normal((2, 4)) for _ in range(2)])
    currents -= currents.mean(axis=2, keepdims=True)
    geometry = rng.uniform(-90, 90, (2, 4, 3))
    changes = {"start_um": geometry[0], "end_um": geometry[1], "diameter_um": np.ones(4)}
    cells = [cell(name=name, currents_na=currents, **changes) for name in ("a", "b")]
    write_bank(cells, tmp_path / "bank.npz")
    back = read_bank(tmp_path / "bank.npz")
    assert [one.name for one in back] == ["a", "b"]
    assert back[1].start_um == pytest.approx(geometry[0], abs=0.026)
    assert back[1].currents_na == pytest.approx(currents, abs=0.01)


def test_a_broken_bank_is_refused(tmp_path):
    (tmp_path / "bank.npz").write_bytes(b"no bank")
    with pytest.raises(BadInput, match="not a bank"):
        read_bank(tmp_path / "bank.npz")
    with pytest.raises(BadInput, match="holds no npz"):
        load_cells(tmp_path / "nowhere")


def test_a_folder_of_cells_is_turned_upright(tmp_path):
    np.savez(
        tmp_path / "one.npz",
        start=np.array([[0, 0, 0], [5.0, 0, 0]]),
        end=np.array([[5.0, 0, 0], [90.0, 0, 0]]),
        diam=np.array([10.0, 1.0]),
        imem=np.array([[[-1.0, 2.0], [1.0, -2.0]]]),
        dt_ms=1 / 32,
        axis_xyz=np.array([1.0, 0, 0]),
    )
    (one,) = load_cells(tmp_path)
    assert one.end_um[1] == pytest.approx([0, 90, 0], abs=1e-4)
    assert one.sampling_rate_hz == 32000
    np.savez(tmp_path / "two.npz", start=np.zeros((1, 3)))
    with pytest.raises(BadInput, match=r"two\.npz is not a cell"):
        load_cells(tmp_path)


def test_a_share_of_the_units_comes_from_the_folder(tmp_path):
    np.savez(
        tmp_path / "mine.npz",
        start=np.zeros((1, 3)),
        end=np.ones((1, 3)),
        diam=np.ones(1),
        imem=np.zeros((1, 1, 9)),
        dt_ms=0.03125,
    )
    config = CellsConfig(n_units=200, bank=str(tmp_path), bank_share=0.25)
    drawn = draw_cells(config, choose_bank(config), np.random.default_rng(0))
    assert 30 <= sum(one.name == "mine" for one in drawn) <= 70
    held_out = config.model_copy(update={"split": "heldout"})
    drawn = draw_cells(held_out, choose_bank(held_out), np.random.default_rng(0))
    assert not any(one.name == "mine" for one in drawn)


def test_split_and_family_choose_cells():
    held_out = choose_bank(CellsConfig(split="heldout"))
    assert {one.split for one in held_out} == {"heldout"}
    assert {one.family for one in choose_bank(CellsConfig(families=("basket_l",)))} == {
        "basket_large"
    }
    with pytest.raises(BadConfig, match=r"cells\.families"):
        choose_bank(CellsConfig(families=("purkinje",)))


def test_units_are_different_cells_while_there_are_enough():
    config = CellsConfig(n_units=60)
    drawn = draw_cells(config, choose_bank(config), np.random.default_rng(0))
    assert len({one.name for one in drawn}) == 60


def test_places_keep_their_distance():
    config = PlacementConfig(min_distance_um=20, min_depth_um=15, max_depth_um=80, margin_um=30)
    places = place_cells(config, LINE, 25, np.random.default_rng(0))
    gap = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    assert gap[~np.eye(25, dtype=bool)].min() >= 20
    assert places.min(axis=0) == pytest.approx([-30, -30, 15], abs=20)
    assert (places[:, 2] >= 15).all()
    assert (places[:, 2] <= 80).all()


def test_cells_that_do_not_fit_are_refused():
    config = PlacementConfig(min_distance_um=60)
    with pytest.raises(BadConfig, match=r"cells\.n_units: 100 cells do not fit"):
        place_cells(config, LINE, 100, np.random.default_rng(0))


@pytest.mark.parametrize("upright", [True, False])
def test_rotations_are_rotations(upright):
    rng = np.random.default_rng(0)
    for _ in range(20):
        turn = draw_rotation(PlacementConfig(upright=upright), rng)
        assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(turn) == pytest.approx(1)
        if upright:
            assert (turn @ [0, 1, 0])[1] > 0.8


@pytest.mark.shared
def test_the_shared_cells_can_be_used():
    folder = Path(__file__).parents[3] / "shared/data/currents"
    if not folder.is_dir():
        pytest.skip("the shared data pack is absent")
    cells = load_cells(folder)
    assert len(cells) == 41
    pyramid = next(one for one in cells if one.name == "allen_471129934")
    # Its apical dendrite is turned up: most of the cell lies above the soma.
    assert pyramid.end_um[:, 1].max() > -pyramid.end_um[:, 1].min()
