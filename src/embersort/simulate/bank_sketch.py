"""A handful of ball-and-stick cells with hand-shaped currents, until the bank is made."""

from __future__ import annotations

import numpy as np

from embersort.simulate.cells import Cell

RATE_HZ = 32000.0


def sketch_bank() -> list[Cell]:
    """Return twenty-four cells that differ in width, rebound and dendrite length."""
    rng = np.random.default_rng(7)
    return [_sketch(rng, i) for i in range(24)]


def _sketch(rng: np.random.Generator, index: int) -> Cell:
    width_ms = rng.uniform(0.08, 0.22)
    rebound = rng.uniform(0.2, 0.6)
    t_ms = (np.arange(176) - 48) / RATE_HZ * 1e3
    reach_um = rng.uniform(80, 400)
    n = 12
    edges = np.linspace(8, 8 + reach_um, n + 1)
    start = [[0, -7, 0]] + [[0, e, 0] for e in edges[:-1]]
    end = [[0, 7, 0]] + [[0, e, 0] for e in edges[1:]]
    for _ in range(5):
        d = rng.standard_normal(3)
        d *= rng.uniform(40, 90) / np.linalg.norm(d)
        start.append(0.1 * d)
        end.append(d)
    n_seg = len(start)
    variants = []
    for k in range(3):
        w = width_ms * (1 + 0.12 * k)
        currents = np.zeros((len(t_ms), n_seg))
        soma = -np.exp(-0.5 * (t_ms / w) ** 2)
        late = np.exp(-0.5 * ((t_ms - 3.2 * w) / (2.2 * w)) ** 2)
        currents[:, 0] = 4 * (soma + rebound * late)
        share = np.exp(-(edges[:-1] - 8) / (0.35 * reach_um))
        share = np.concatenate([0.6 * share / share.sum(), np.full(5, 0.08)])
        for j, s in enumerate(share):
            delay = 0.0004 * (edges[j] if j < n else 40)
            currents[:, j + 1] = -s * np.interp(t_ms - delay, t_ms, currents[:, 0])
        currents[:, 0] -= currents.sum(axis=1)
        variants.append(currents)
    return Cell(
        name=f"sketch{index}",
        family="sketch",
        split="heldout" if index % 4 == 0 else "train",
        start_um=np.array(start),
        end_um=np.array(end),
        diameter_um=np.array([14.0] + [2.0] * (n_seg - 1)),
        currents_na=np.array(variants),
        sampling_rate_hz=RATE_HZ,
    )
