"""Simulated ground truth: scenes of cells, firing, movement and noise, rendered lazily.

See docs/simulation.md.
"""

from embersort.simulate.families import FAMILIES, family_scene
from embersort.simulate.files import write_simulation
from embersort.simulate.hybrid import inject
from embersort.simulate.scene import Injection, Scene, demo_scene
from embersort.simulate.simulation import Simulation, simulate
from embersort.simulate.truth import Truth

__all__ = [
    "FAMILIES",
    "Injection",
    "Scene",
    "Simulation",
    "Truth",
    "demo_scene",
    "family_scene",
    "inject",
    "simulate",
    "write_simulation",
]
