"""Simulated ground truth: scenes of cells, firing, movement and noise, rendered lazily.

See docs/simulation.md.
"""

from embersort.simulate.files import write_simulation
from embersort.simulate.scene import Scene, demo_scene
from embersort.simulate.simulation import Simulation, simulate
from embersort.simulate.truth import Truth

__all__ = ["Scene", "Simulation", "Truth", "demo_scene", "simulate", "write_simulation"]
