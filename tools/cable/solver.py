"""The cable equation with Hodgkin–Huxley channels, solved implicitly in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from cable.channels import TABLE_LOW_MV, TABLE_MV, TABLE_STEP_MV, Channel
from cable.tree import Tree, build_nodes
from embersort.types import FloatArray, IntArray

US_PER_S = 1e6
NF_PER_UF = 1e3


@dataclass(frozen=True, kw_only=True, slots=True)
class Membrane:
    """What a cell's membrane and inside are made of.

    Attributes
    ----------
    channels : sequence of Channel
    density_s_per_cm2 : ndarray, shape (n_channels, n_compartments)
        Conductance of each channel, all gates open.
    capacitance_uf_per_cm2 : ndarray, shape (n_compartments,)
    axial_ohm_cm : float
    """

    channels: Sequence[Channel]
    density_s_per_cm2: FloatArray
    capacitance_uf_per_cm2: FloatArray
    axial_ohm_cm: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CableRun:
    """Voltages and currents of one run.

    Attributes
    ----------
    voltage_mv : ndarray, shape (n_steps, n_compartments), float64
    current_na : ndarray, shape (n_steps, n_compartments), float64
        What flows out through the membrane of each compartment, less what is injected into it:
        the current that arrives from its neighbours. Sums to zero.
    """

    voltage_mv: NDArray[np.float64]
    current_na: NDArray[np.float64]


def run_cable(
    tree: Tree, membrane: Membrane, injected_na: FloatArray, *, rest_mv: float, step_ms: float
) -> CableRun:
    """Solve the cable equation for a current injected into the soma.

    Backward Euler for the voltages, with elimination along the tree (Hines 1984); each gate
    relaxes exponentially towards its steady state, half a step out of phase.

    Parameters
    ----------
    injected_na : ndarray, shape (n_steps,)
        Into the first compartment.
    rest_mv : float
        Where all voltages start, gates at their steady state.
    step_ms : float

    Notes
    -----
    O(n_steps · n_compartments · n_gates). First order in the time step.
    """
    nodes = build_nodes(tree, membrane.axial_ohm_cm)
    has_membrane = nodes.compartment >= 0
    density = np.zeros((len(membrane.channels), len(nodes.parent)))
    density[:, has_membrane] = membrane.density_s_per_cm2[:, nodes.compartment[has_membrane]]
    capacitance = np.zeros(len(nodes.parent))
    capacitance[has_membrane] = membrane.capacitance_uf_per_cm2[nodes.compartment[has_membrane]]
    gates = [
        (index, gate) for index, channel in enumerate(membrane.channels) for gate in channel.gates
    ]
    voltage, current = _run(
        nodes.parent,
        nodes.axial_us,
        density * nodes.area_cm2 * US_PER_S,
        capacitance * nodes.area_cm2 * NF_PER_UF / step_ms,
        np.array([channel.reversal_mv for channel in membrane.channels]),
        np.array([index for index, _ in gates], dtype=np.int64),
        np.array([gate.power for _, gate in gates], dtype=np.int64),
        np.array([gate.steady for _, gate in gates]).reshape(len(gates), len(TABLE_MV)),
        np.array([-np.expm1(-step_ms / gate.tau_ms) for _, gate in gates]).reshape(
            len(gates), len(TABLE_MV)
        ),
        np.ascontiguousarray(injected_na, dtype=np.float64),
        rest_mv,
    )
    order = np.flatnonzero(has_membrane)
    return CableRun(voltage_mv=voltage[:, order], current_na=current[:, order])


@numba.njit(cache=True, nogil=True)
def _run(  # noqa: PLR0913 - the arrays of the membrane, which Numba takes one by one
    parent: IntArray,
    axial: FloatArray,
    conductance: FloatArray,
    capacity: FloatArray,
    reversal: FloatArray,
    gate_channel: IntArray,
    gate_power: IntArray,
    steady: FloatArray,
    relax: FloatArray,
    injected: FloatArray,
    rest_mv: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n_nodes, n_steps = len(parent), len(injected)
    voltage = np.empty((n_steps, n_nodes))
    current = np.zeros((n_steps, n_nodes))
    v = np.full(n_nodes, rest_mv)
    state = np.zeros((len(gate_channel), n_nodes))
    # Gates start at their steady state: one relaxation with rate 1.
    _relax_gates(v, steady, np.ones_like(relax), state)
    diagonal, right = np.empty(n_nodes), np.empty(n_nodes)
    for step in range(n_steps):
        _membrane(v, state, gate_channel, gate_power, conductance, reversal, diagonal, right)
        diagonal += capacity
        right += capacity * v
        right[0] += injected[step]
        _solve_tree(parent, axial, diagonal, right, v)
        for i in range(1, n_nodes):
            flow = axial[i] * (v[parent[i]] - v[i])
            current[step, i] += flow
            current[step, parent[i]] -= flow
        voltage[step] = v
        _relax_gates(v, steady, relax, state)
    return voltage, current


@numba.njit(cache=True, nogil=True)
def _membrane(
    v: FloatArray,
    state: FloatArray,
    gate_channel: IntArray,
    gate_power: IntArray,
    conductance: FloatArray,
    reversal: FloatArray,
    diagonal: FloatArray,
    right: FloatArray,
) -> None:
    """Set each node's total conductance and the current that its channels drive."""
    open_share = np.empty(len(reversal))
    for i in range(len(v)):
        open_share[:] = 1.0
        for k in range(len(gate_channel)):
            for _ in range(gate_power[k]):
                open_share[gate_channel[k]] *= state[k, i]
        diagonal[i] = 0.0
        right[i] = 0.0
        for c in range(len(reversal)):
            g = conductance[c, i] * open_share[c]
            diagonal[i] += g
            right[i] += g * reversal[c]


@numba.njit(cache=True, nogil=True)
def _solve_tree(
    parent: IntArray, axial: FloatArray, diagonal: FloatArray, right: FloatArray, v: FloatArray
) -> None:
    """Solve for the voltages by elimination from the tips to the soma and back (Hines 1984)."""
    n_nodes = len(parent)
    for i in range(1, n_nodes):
        diagonal[i] += axial[i]
        diagonal[parent[i]] += axial[i]
    for i in range(n_nodes - 1, 0, -1):
        factor = axial[i] / diagonal[i]
        diagonal[parent[i]] -= factor * axial[i]
        right[parent[i]] += factor * right[i]
    v[0] = right[0] / diagonal[0]
    for i in range(1, n_nodes):
        v[i] = (right[i] + axial[i] * v[parent[i]]) / diagonal[i]


@numba.njit(cache=True, nogil=True)
def _relax_gates(v: FloatArray, steady: FloatArray, relax: FloatArray, state: FloatArray) -> None:
    """Move every gate the tabulated share of its way to its steady state."""
    n_gates, n_table = steady.shape
    for i in range(len(v)):
        at = (v[i] - TABLE_LOW_MV) / TABLE_STEP_MV
        at = min(max(at, 0.0), n_table - 1.001)
        low = int(at)
        share = at - low
        for k in range(n_gates):
            goal = steady[k, low] + share * (steady[k, low + 1] - steady[k, low])
            rate = relax[k, low] + share * (relax[k, low + 1] - relax[k, low])
            state[k, i] += (goal - state[k, i]) * rate
