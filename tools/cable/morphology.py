"""Random shapes of cells: pyramidal, basket, stellate, granular."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cable.tree import APICAL, AXON, DENDRITE, SOMA, Tree
from embersort.config import Config

Range = tuple[float, float]
"""Lowest and highest value of a uniform draw."""

COMPARTMENT_UM = 20.0
"""Longest compartment of the simulated shape."""
WIGGLE_RAD = 0.25
"""Standard deviation by which a neurite turns from one compartment to the next."""


class ShapeConfig(Config):
    """Ranges from which one kind of cell draws its shape; lengths and diameters in µm."""

    soma_diameter_um: Range
    n_dendrites: tuple[int, int]
    """Number of stems that leave the soma, ends included."""
    dendrite_um: Range
    """Length of a stem and of each of its branches."""
    dendrite_diameter_um: Range
    dendrite_orders: int = 2
    """How often a dendrite forks, at most."""
    apical_um: Range = (0.0, 0.0)
    """Length of the apical trunk; none where 0."""
    apical_diameter_um: Range = (2.0, 4.0)
    n_obliques: tuple[int, int] = (0, 0)
    """Side branches of the apical trunk, ends included."""
    n_tufts: tuple[int, int] = (0, 0)
    """Branches at the trunk's end, ends included."""
    axon_um: Range
    axon_diameter_um: Range = (0.6, 1.5)
    axon_down: bool = False
    """Whether the axon leaves opposite to the apical direction; else anywhere."""
    axon_from_dendrite: float = 0.0
    """Probability that the axon leaves a stem dendrite instead of the soma."""


@dataclass
class _Growth:
    """Compartments as they are added."""

    start: list[NDArray[np.float64]] = field(default_factory=list)
    end: list[NDArray[np.float64]] = field(default_factory=list)
    diameter: list[float] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)

    def add(self, parent: int, start: NDArray, end: NDArray, diameter: float, kind: int) -> int:
        self.start.append(start)
        self.end.append(end)
        self.diameter.append(diameter)
        self.parent.append(parent)
        self.kind.append(kind)
        return len(self.parent) - 1

    def neurite(
        self,
        parent: int,
        direction: NDArray,
        length_um: float,
        diameters_um: Range,
        kind: int,
        rng: np.random.Generator,
    ) -> list[int]:
        """Grow one unbranched neurite from the end of a compartment; returns its compartments."""
        n = max(1, int(np.ceil(length_um / COMPARTMENT_UM)))
        place = self.end[parent] if parent else np.zeros(3)
        if parent == 0:
            place = unit_vector(direction) * self.diameter[0] / 2
        grown = []
        for share in (np.arange(n) + 0.5) / n:
            direction = unit_vector(direction + WIGGLE_RAD * rng.standard_normal(3) / np.sqrt(3))
            diameter = diameters_um[0] + share * (diameters_um[1] - diameters_um[0])
            target = place + direction * length_um / n
            parent = self.add(parent, place, target, diameter, kind)
            grown.append(parent)
            place = target
        return grown


def draw_shape(config: ShapeConfig, rng: np.random.Generator) -> Tree:
    """Draw one cell's shape; the apical direction is +y and the soma is centred on the origin.

    Parameters
    ----------
    config : ShapeConfig
    rng : numpy.random.Generator
    """
    growth = _Growth()
    soma = rng.uniform(*config.soma_diameter_um)
    half = np.array([0.0, soma / 2, 0.0])
    growth.add(-1, -half, half, soma, SOMA)
    has_apical = config.apical_um[1] > 0
    if has_apical:
        _grow_apical(growth, config, rng)
    stems = []
    for _ in range(rng.integers(config.n_dendrites[0], config.n_dendrites[1] + 1)):
        direction = random_direction(rng)
        if has_apical:
            # Basal dendrites point sideways and down.
            direction[1] = -0.6 * abs(direction[1])
        stems.append(_grow_dendrite(growth, 0, direction, config, rng, DENDRITE))
    axon_parent = 0
    if stems and rng.random() < config.axon_from_dendrite:
        axon_parent = stems[0]
    down = np.array([0.0, -1.0, 0.0])
    direction = down + 0.3 * rng.standard_normal(3) if config.axon_down else random_direction(rng)
    diameter = rng.uniform(*config.axon_diameter_um)
    length = rng.uniform(*config.axon_um)
    growth.neurite(axon_parent, direction, length, (1.3 * diameter, 0.6 * diameter), AXON, rng)
    return Tree(
        start_um=np.array(growth.start),
        end_um=np.array(growth.end),
        diameter_um=np.array(growth.diameter),
        parent=np.array(growth.parent),
        kind=np.array(growth.kind),
    )


def random_direction(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a unit vector, every direction as likely."""
    return unit_vector(rng.standard_normal(3))


def unit_vector(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector scaled to length 1."""
    return vector / np.linalg.norm(vector)


def _grow_apical(growth: _Growth, config: ShapeConfig, rng: np.random.Generator) -> None:
    diameter = rng.uniform(*config.apical_diameter_um)
    length = rng.uniform(*config.apical_um)
    up = np.array([0.0, 1.0, 0.0])
    trunk = growth.neurite(0, up, length, (diameter, 0.5 * diameter), APICAL, rng)
    # A trunk that wanders keeps its course: its cells are upright by definition.
    n_obliques = rng.integers(config.n_obliques[0], config.n_obliques[1] + 1)
    for _ in range(n_obliques):
        at = trunk[int(rng.integers(1, max(2, int(0.7 * len(trunk)))))]
        side = random_direction(rng) * np.array([1.0, 0.4, 1.0])
        thick = rng.uniform(*config.dendrite_diameter_um) * 0.7
        branch_um = rng.uniform(*config.dendrite_um)
        growth.neurite(at, side, branch_um, (thick, 0.6 * thick), APICAL, rng)
    for _ in range(rng.integers(config.n_tufts[0], config.n_tufts[1] + 1)):
        direction = up + 0.8 * rng.standard_normal(3)
        thick = 0.4 * diameter
        branch_um = rng.uniform(*config.dendrite_um)
        growth.neurite(trunk[-1], direction, branch_um, (thick, 0.6 * thick), APICAL, rng)


def _grow_dendrite(
    growth: _Growth,
    parent: int,
    direction: NDArray,
    config: ShapeConfig,
    rng: np.random.Generator,
    kind: int,
) -> int:
    """Grow a stem that forks; returns the stem's last compartment."""
    thick = rng.uniform(*config.dendrite_diameter_um)
    stem_um = rng.uniform(*config.dendrite_um) / 2
    stem = growth.neurite(parent, direction, stem_um, (thick, 0.8 * thick), kind, rng)[-1]
    tips = [(stem, direction)]
    for order in range(1, config.dendrite_orders + 1):
        thinner = thick * 0.65**order
        forked = []
        for tip, course in tips:
            if rng.random() < 0.35 * (order - 1):
                continue
            for _ in range(2):
                turned = unit_vector(course) + 0.6 * rng.standard_normal(3)
                branch_um = rng.uniform(*config.dendrite_um)
                diameters = (thinner, 0.7 * thinner)
                end = growth.neurite(tip, turned, branch_um, diameters, kind, rng)[-1]
                forked.append((end, turned))
        tips = forked
    return stem
