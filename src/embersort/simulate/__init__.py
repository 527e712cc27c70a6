"""Simulated ground truth: scenes of cells, firing, movement and noise, rendered lazily.

See docs/simulation.md.
"""

import sys
from types import ModuleType
from typing import Any

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


class _CallablePackage(ModuleType):
    """Lets ``embersort.simulate`` be both this package and, called, the function of its name."""

    def __call__(self, *arguments: Any, **options: Any) -> Simulation:
        return simulate(*arguments, **options)


sys.modules[__name__].__class__ = _CallablePackage
