"""The cable solver against theory, and what the recipe makes with it."""

from __future__ import annotations

import numpy as np
import pytest

from cable.channels import TABLE_MV, leak, squid_potassium, squid_sodium
from cable.kinds import KINDS
from cable.make import looks_like_a_spike, make_cell, merge_segments
from cable.morphology import draw_shape
from cable.recipe import spike_peaks
from cable.solver import Membrane, run_cable
from cable.tree import Tree, build_nodes
from embersort.errors import BadInput
from embersort.simulate.cell_bank import load_bank

GRANULE_SMALL = next(i for i, kind in enumerate(KINDS) if kind.family == "granule_small")


def chain(n: int, length_um: float, diameter_um: float, soma_um: float = 10.0) -> Tree:
    """A soma with one unbranched cable."""
    ends = np.linspace(0, length_um, n + 1)
    start = np.vstack([[[-soma_um / 2, 0, 0]], np.column_stack([np.zeros((n, 2)), ends[:-1]])])
    end = np.vstack([[[soma_um / 2, 0, 0]], np.column_stack([np.zeros((n, 2)), ends[1:]])])
    return Tree(
        start_um=start,
        end_um=end,
        diameter_um=np.array([soma_um] + [diameter_um] * n),
        parent=np.arange(-1, n),
        kind=np.array([0] + [2] * n),
    )


def passive(tree: Tree, leak_s_per_cm2: float = 1e-4) -> Membrane:
    n = tree.n_compartments
    return Membrane(
        channels=[leak(reversal_mv=-70.0)],
        density_s_per_cm2=np.full((1, n), leak_s_per_cm2),
        capacitance_uf_per_cm2=np.ones(n),
        axial_ohm_cm=100.0,
    )


def test_steady_voltage_along_a_cable_with_a_sealed_end():
    # V(x) / V(0) = cosh((l - x) / λ) / cosh(l / λ), λ² = (d / 4) / (R_a · g): 500 µm here.
    tree = chain(200, 1000.0, 1.0)
    run = run_cable(tree, passive(tree), np.full(20000, 0.01), rest_mv=-70.0, step_ms=0.01)
    raised = run.voltage_mv[-1] + 70
    x = (np.arange(200) + 0.5) * 5.0
    expected = raised[0] * np.cosh((1000 - x) / 500) / np.cosh(2.0)
    assert raised[1:] == pytest.approx(expected, rel=2e-3)


def test_a_patch_charges_exponentially():
    # C / g = 1 µF/cm² / 1e-4 S/cm² = 10 ms.
    tree = Tree(
        start_um=np.array([[0, 0, 0]]),
        end_um=np.array([[10, 0, 0]]),
        diameter_um=np.array([10.0]),
        parent=np.array([-1]),
        kind=np.array([0]),
    )
    run = run_cable(tree, passive(tree), np.full(4000, 0.001), rest_mv=-70.0, step_ms=0.01)
    raised = run.voltage_mv[:, 0] + 70
    area_cm2 = np.pi * 100e-8
    assert raised[-1] == pytest.approx(
        0.001e-9 / (1e-4 * area_cm2) * 1e3 * (1 - np.exp(-4)), rel=1e-3
    )
    assert raised[999] / raised[-1] == pytest.approx((1 - np.exp(-1)) / (1 - np.exp(-4)), rel=1e-3)


def squid_run(step_ms: float):
    tree = chain(20, 200.0, 2.0, soma_um=20.0)
    n = tree.n_compartments
    membrane = Membrane(
        channels=[squid_sodium(), squid_potassium(), leak(reversal_mv=-54.3)],
        density_s_per_cm2=np.array([[0.12], [0.036], [0.0003]]) * np.ones(n),
        capacitance_uf_per_cm2=np.ones(n),
        axial_ohm_cm=120.0,
    )
    times = np.arange(round(12 / step_ms)) * step_ms
    current = np.where((times >= 1) & (times < 3), 3.0, 0.0)
    return run_cable(tree, membrane, current, rest_mv=-65.0, step_ms=step_ms)


def test_currents_sum_to_zero_at_every_instant():
    run = squid_run(1 / 64)
    assert np.abs(run.current_na).max() > 0.5
    assert np.abs(run.current_na.sum(axis=1)).max() < 1e-12


def test_a_squid_membrane_fires_once_and_comes_to_rest():
    soma = squid_run(1 / 64).voltage_mv[:, 0]
    assert len(spike_peaks(soma)) == 1
    assert 30 < soma.max() < 50
    assert abs(soma[30] + 65) < 1


def test_the_solver_converges_with_first_order_in_time():
    reference = squid_run(1 / 1024).voltage_mv[::, 0][15::16]
    errors = []
    for power in (5, 6, 7):
        soma = squid_run(1 / 2**power).voltage_mv[:, 0]
        stride = 2 ** (10 - power)
        fine = squid_run(1 / 1024).voltage_mv[stride - 1 :: stride, 0]
        errors.append(np.abs(soma - fine[: len(soma)]).mean())
    assert len(reference)
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.35)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.35)


def test_a_gate_at_its_singular_voltage_is_finite():
    for channel in (squid_sodium(), squid_potassium()):
        for gate in channel.gates:
            assert np.isfinite(gate.tau_ms).all()
            assert ((gate.steady >= 0) & (gate.steady <= 1)).all()
    # At -40 mV the opening rate of m is 0/0 in its usual form; its limit is 1 per ms.
    m = squid_sodium().gates[0]
    at = int(np.argmin(np.abs(TABLE_MV + 40)))
    closing = 4 * np.exp(-25 / 18)
    assert m.steady[at] == pytest.approx(1 / (1 + closing), rel=1e-3)


def test_branch_points_have_no_membrane():
    tree = Tree(
        start_um=np.array([[0, 0, 0], [0, 0, 5], [0, 0, 50], [0, 0, 50]]),
        end_um=np.array([[0, 0, 10], [0, 0, 50], [0, 30, 70], [0, -30, 70]]),
        diameter_um=np.array([10.0, 2.0, 1.0, 1.0]),
        parent=np.array([-1, 0, 1, 1]),
        kind=np.array([0, 2, 2, 2]),
    )
    nodes = build_nodes(tree, 100.0)
    assert nodes.parent.tolist() == [-1, 0, 1, 2, 2]
    assert nodes.compartment.tolist() == [0, 1, -1, 2, 3]
    assert nodes.area_cm2[2] == 0


def test_parents_must_come_first():
    with pytest.raises(BadInput, match="parents come first"):
        Tree(
            start_um=np.zeros((2, 3)),
            end_um=np.ones((2, 3)),
            diameter_um=np.ones(2),
            parent=np.array([-1, 1]),
            kind=np.zeros(2),
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.family)
def test_shapes_are_connected(kind):
    tree = draw_shape(kind.shape, np.random.default_rng(3))
    for i in range(1, tree.n_compartments):
        up = tree.parent[i]
        if up > 0:
            assert tree.start_um[i] == pytest.approx(tree.end_um[up])
        else:
            assert np.linalg.norm(tree.start_um[i]) == pytest.approx(tree.diameter_um[0] / 2)


def test_merging_keeps_the_current_and_the_far_field():
    tree = chain(40, 400.0, 1.0)
    currents = np.random.default_rng(0).standard_normal((1, 5, 41))
    currents -= currents.mean(axis=2, keepdims=True)
    merged, summed = merge_segments(tree, currents, 10)
    assert merged.n_compartments == 10
    assert summed.sum(axis=2) == pytest.approx(np.zeros((1, 5)), abs=1e-12)
    assert merged.lengths_um().sum() == pytest.approx(tree.lengths_um().sum())


def test_the_recipe_makes_the_bank_anew():
    stored = {cell.name: cell for cell in load_bank()}["granule_small_000"]
    made = make_cell(GRANULE_SMALL, 0)
    positions = 30.0 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0]])
    expected = made.potentials_uv(positions)
    assert stored.potentials_uv(positions) == pytest.approx(expected, abs=0.02 * np.ptp(expected))
    assert looks_like_a_spike(made)


@pytest.mark.parametrize(
    ("soma_mv", "peaks"),
    [([-70, -70, -70], []), ([-70, 10, 30, 5, -70], [2]), ([-70, 5, -70, 8, 9, -70], [1, 4])],
)
def test_peaks_of_the_soma(soma_mv, peaks):
    assert spike_peaks(np.array(soma_mv, float)).tolist() == peaks
