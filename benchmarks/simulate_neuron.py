"""The cable solver beside NEURON: the same branching cell, the same squid channels.

    NEURON_PYTHON benchmarks/simulate_neuron.py neuron voltages.npy
    python benchmarks/simulate_neuron.py compare voltages.npy

The first line runs in an environment that has NEURON, the second in Embersort's own.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

STEP_MS = 1 / 128
DURATION_MS = 15.0
SECTIONS = (("a", 200.0, 2.0, 20), ("b", 150.0, 1.5, 15), ("c", 100.0, 1.0, 10))
"""Name, length (µm), diameter (µm), compartments; b and c leave the end of a."""


def run_neuron(path: Path) -> None:
    """Simulate the cell in NEURON and save the voltages."""
    from neuron import h

    h.load_file("stdrun.hoc")
    soma = h.Section(name="soma")
    soma.L, soma.diam, soma.nseg = 20, 20, 1
    sections = [soma]
    for name, length, diameter, n in SECTIONS:
        section = h.Section(name=name)
        section.L, section.diam, section.nseg = length, diameter, n
        section.connect(soma(0.5) if name == "a" else sections[1](1), 0)
        sections.append(section)
    for section in sections:
        section.Ra, section.cm = 120, 1
        section.insert("hh")
    h.celsius = 6.3
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1, 2, 3.0
    h.dt, h.steps_per_ms, h.secondorder = STEP_MS, 1 / STEP_MS, 0
    recorded = [h.Vector().record(part._ref_v) for section in sections for part in section]
    h.finitialize(-65)
    h.continuerun(DURATION_MS)
    np.save(path, np.array([np.array(voltage) for voltage in recorded]).T)


def compare(path: Path) -> None:
    """Simulate the cell with Embersort's solver and print the differences."""
    from cable.channels import leak, squid_potassium, squid_sodium
    from cable.solver import Membrane, run_cable
    from cable.tree import Tree

    start, end = [[-10.0, 0, 0]], [[10.0, 0, 0]]
    diameter, parent = [20.0], [-1]
    last_of_a = 0
    for name, length, thickness, n in SECTIONS:
        edges = np.linspace(0, length, n + 1)
        before = 0 if name == "a" else last_of_a
        for low, high in pairwise(edges):
            start.append([0, low, 0])
            end.append([0, high, 0])
            diameter.append(thickness)
            parent.append(before)
            before = len(parent) - 1
        last_of_a = before if name == "a" else last_of_a
    n = len(parent)
    tree = Tree(
        start_um=np.array(start),
        end_um=np.array(end),
        diameter_um=np.array(diameter),
        parent=np.array(parent),
        kind=np.zeros(n),
    )
    membrane = Membrane(
        channels=[squid_sodium(), squid_potassium(), leak(reversal_mv=-54.3)],
        density_s_per_cm2=np.array([[0.12], [0.036], [0.0003]]) * np.ones(n),
        capacitance_uf_per_cm2=np.ones(n),
        axial_ohm_cm=120.0,
    )
    current = np.zeros(round(DURATION_MS / STEP_MS))
    current[round(1 / STEP_MS) : round(3 / STEP_MS)] = 3.0
    own = run_cable(tree, membrane, current, rest_mv=-65.0, step_ms=STEP_MS).voltage_mv
    # NEURON's first row is the initial state.
    other = np.load(path)[1 : len(own) + 1]
    own = own[: len(other)]
    print(f"compartments           {n}")
    print(f"highest voltage (mV)   {own.max():.3f} here, {other.max():.3f} in NEURON")
    print(f"largest difference     {np.abs(own - other).max():.3f} mV")
    print(f"rms difference         {np.sqrt(np.mean((own - other) ** 2)):.4f} mV")


if __name__ == "__main__":
    {"neuron": run_neuron, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
