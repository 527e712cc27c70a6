"""A cell's shape as compartments, and the nodes on which the cable equation is solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.types import FloatArray, IntArray, frozen_array

SOMA, AXON, DENDRITE, APICAL = 0, 1, 2, 3
"""Kinds of compartment."""
CM2_PER_UM2 = 1e-8


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """Compartments of a branching cell: straight cylinders, the soma first.

    Attributes
    ----------
    start_um, end_um : ndarray, shape (n, 3), float64
    diameter_um : ndarray, shape (n,), float64
    parent : ndarray, shape (n,), int64
        Compartment whose far end (the soma: whose centre) each one is attached to; smaller than
        its own index; −1 for the soma.
    kind : ndarray, shape (n,), int64
        ``SOMA``, ``AXON``, ``DENDRITE`` or ``APICAL``.
    """

    start_um: FloatArray
    end_um: FloatArray
    diameter_um: FloatArray
    parent: IntArray
    kind: IntArray

    def __post_init__(self) -> None:
        for name, dtype, ndim in (
            ("start_um", np.float64, 2),
            ("end_um", np.float64, 2),
            ("diameter_um", np.float64, 1),
            ("parent", np.int64, 1),
            ("kind", np.int64, 1),
        ):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype, ndim, name))
        if self.parent[0] != -1 or (self.parent[1:] >= np.arange(1, len(self.parent))).any():
            raise BadInput("a tree's first compartment is the root and parents come first")

    @property
    def n_compartments(self) -> int:
        """Number of compartments."""
        return len(self.parent)

    def lengths_um(self) -> NDArray[np.float64]:
        """Return the length of each compartment."""
        return np.linalg.norm(self.end_um - self.start_um, axis=1)

    def path_um(self) -> NDArray[np.float64]:
        """Return the distance from the soma to each compartment's middle along the cell."""
        lengths = self.lengths_um()
        far_end = np.zeros(self.n_compartments)
        for i in range(1, self.n_compartments):
            far_end[i] = far_end[self.parent[i]] + lengths[i]
        return np.where(self.parent < 0, 0.0, far_end - lengths / 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """What the solver works on: compartment centres, and branch points without membrane.

    Attributes
    ----------
    parent : ndarray, shape (n_nodes,), int64
        Smaller than the node's own index; −1 for the root.
    axial_us : ndarray, shape (n_nodes,), float64
        Conductance to the parent in µS.
    area_cm2 : ndarray, shape (n_nodes,), float64
        Membrane; 0 at branch points.
    compartment : ndarray, shape (n_nodes,), int64
        The compartment of a centre, −1 for a branch point.
    """

    parent: IntArray
    axial_us: FloatArray
    area_cm2: FloatArray
    compartment: IntArray


def build_nodes(tree: Tree, axial_ohm_cm: float) -> Nodes:
    """Return the nodes of a tree.

    Half a compartment's resistance lies on each side of its centre. Where a
    compartment other than the soma has several children, its far end is a node
    of its own without membrane.

    Parameters
    ----------
    axial_ohm_cm : float
        Resistivity of the cell's inside.
    """
    lengths = tree.lengths_um()
    n_children = np.bincount(tree.parent[1:], minlength=tree.n_compartments)
    cross_cm2 = np.pi * tree.diameter_um**2 / 4 * CM2_PER_UM2
    half_mohm = axial_ohm_cm * (lengths / 2 * 1e-4) / cross_cm2 * 1e-6
    centre = np.empty(tree.n_compartments, np.int64)
    far = np.full(tree.n_compartments, -1, np.int64)
    parents, axial, areas, compartments = [], [], [], []

    def add(parent: int, resistance_mohm: float, area: float, compartment: int) -> int:
        parents.append(parent)
        axial.append(0.0 if parent < 0 else 1 / resistance_mohm)
        areas.append(area)
        compartments.append(compartment)
        return len(parents) - 1

    for i in range(tree.n_compartments):
        area = np.pi * tree.diameter_um[i] * lengths[i] * CM2_PER_UM2
        up = int(tree.parent[i])
        if up < 0:
            centre[i] = add(-1, 0.0, area, i)
        elif up == 0:
            centre[i] = add(int(centre[0]), half_mohm[i], area, i)
        elif far[up] >= 0:
            centre[i] = add(int(far[up]), half_mohm[i], area, i)
        else:
            centre[i] = add(int(centre[up]), half_mohm[up] + half_mohm[i], area, i)
        if i > 0 and n_children[i] > 1:
            far[i] = add(int(centre[i]), half_mohm[i], 0.0, -1)
    return Nodes(
        parent=np.array(parents),
        axial_us=np.array(axial),
        area_cm2=np.array(areas),
        compartment=np.array(compartments),
    )
