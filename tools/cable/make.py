"""Making the bank: cells drawn from the recipe, looked over, simplified, written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cable.kinds import KINDS
from cable.recipe import RATE_HZ, FiredCell, KindConfig, fire_cell
from cable.tree import Tree
from embersort.simulate.band import band_pass
from embersort.simulate.cell_bank import write_bank
from embersort.simulate.cells import Cell

BANK_SEED = 20261122
MAX_SEGMENTS = 60
"""Neighbouring segments are merged until so many are left, or none can be merged."""
PROBE_DISTANCE_UM = 30.0
"""Distance from the soma's centre at which a new cell is looked at from all sides."""
N_DIRECTIONS = 26
MIN_TROUGH_UV = 3.0
MIN_WIDTH_MS, MAX_WIDTH_MS = 0.12, 1.3
"""Accepted times from trough to the peak that follows, within 300–6000 Hz."""
MAX_DRAWS = 30


def make_bank(
    path: Path, *, n_workers: int = 1, progress: Callable[[str], None] = lambda line: None
) -> None:
    """Make the whole bank anew and write it.

    Parameters
    ----------
    path : Path
    n_workers : int
        Processes; the result does not depend on it.
    progress : callable
        Told the name of each cell as it is made.

    Notes
    -----
    About 0.6 seconds a cell.
    """
    jobs = [(kind, index) for kind in range(len(KINDS)) for index in range(KINDS[kind].n_cells)]
    cells = []
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        for cell in pool.map(make_cell, *zip(*jobs, strict=True)):
            cells.append(cell)
            progress(cell.name)
    write_bank(cells, path)


def make_cell(kind_index: int, cell_index: int) -> Cell:
    """Make one cell of the bank: the first draw of its seeds that fires and looks like a spike.

    Raises
    ------
    RuntimeError
        If no draw was accepted, which means that the recipe is broken.
    """
    kind = KINDS[kind_index]
    for draw in range(MAX_DRAWS):
        rng = np.random.default_rng([BANK_SEED, kind_index, cell_index, draw])
        fired = fire_cell(kind, rng)
        if fired is not None:
            cell = _simplified(kind, cell_index, fired)
            if looks_like_a_spike(cell):
                return cell
    raise RuntimeError(f"no draw of {kind.family} {cell_index} was accepted")


def looks_like_a_spike(cell: Cell) -> bool:
    """Return whether each spike of a cell, seen where it is deepest, has a plausible shape."""
    positions = PROBE_DISTANCE_UM * _directions(N_DIRECTIONS)
    for variant in range(cell.n_variants):
        waves = cell.potentials_uv(positions, variant)
        n_samples = len(waves)
        padded = np.pad(waves - waves[0], ((n_samples, n_samples), (0, 0)), mode="edge")
        waves = band_pass(padded, cell.sampling_rate_hz)[n_samples : 2 * n_samples]
        wave = waves[:, int(waves.min(axis=0).argmin())]
        trough = int(np.argmin(wave))
        width_ms = int(np.argmax(wave[trough:])) / cell.sampling_rate_hz * 1e3
        if variant == 0 and -wave[trough] < MIN_TROUGH_UV:
            return False
        if wave.max() > -wave[trough] or not MIN_WIDTH_MS <= width_ms <= MAX_WIDTH_MS:
            return False
    return True


def merge_segments(
    tree: Tree, currents_na: NDArray[np.float64], n_most: int
) -> tuple[Tree, NDArray[np.float64]]:
    """Join neighbouring compartments of unbranched stretches, the least important first.

    The price of a join is the squared length of the chord times the share of the current,
    over the distance from the soma: long, strong, near segments stay apart.

    Parameters
    ----------
    currents_na : ndarray, shape (n_spikes, n_samples, n_compartments)

    Returns
    -------
    tuple of Tree, ndarray
        Fewer compartments and the sums of their currents.
    """
    start, end = tree.start_um.copy(), tree.end_um.copy()
    diameter, parent = tree.diameter_um.copy(), tree.parent.copy()
    currents = currents_na.copy()
    alive = np.ones(len(parent), bool)
    while alive.sum() > n_most:
        n_children = np.bincount(parent[alive & (parent >= 0)], minlength=len(parent))
        child = np.flatnonzero(alive & (parent > 0))
        child = child[
            (n_children[parent[child]] == 1) & (tree.kind[child] == tree.kind[parent[child]])
        ]
        if not len(child):
            break
        chord = np.linalg.norm(end[child] - start[parent[child]], axis=1)
        middle = (end[child] + start[parent[child]]) / 2
        strength = np.abs(currents).max(axis=(0, 1))
        price = chord**2 * (strength[child] + strength[parent[child]])
        price /= np.linalg.norm(middle, axis=1) ** 2
        best = child[int(np.argmin(price))]
        into = parent[best]
        lengths = np.linalg.norm(end[[into, best]] - start[[into, best]], axis=1)
        diameter[into] = np.average(diameter[[into, best]], weights=lengths)
        end[into] = end[best]
        currents[:, :, into] += currents[:, :, best]
        parent[parent == best] = into
        alive[best] = False
    number = np.cumsum(alive) - 1
    parent = np.where(parent >= 0, number[parent], -1)[alive]
    merged = Tree(
        start_um=start[alive],
        end_um=end[alive],
        diameter_um=diameter[alive],
        parent=parent,
        kind=tree.kind[alive],
    )
    return merged, currents[:, :, alive]


def _simplified(kind: KindConfig, cell_index: int, fired: FiredCell) -> Cell:
    tree, currents = merge_segments(fired.tree, fired.currents_na, MAX_SEGMENTS)
    return Cell(
        name=f"{kind.family}_{cell_index:03d}",
        family=kind.family,
        split=kind.split,
        start_um=tree.start_um,
        end_um=tree.end_um,
        diameter_um=tree.diameter_um,
        currents_na=currents,
        sampling_rate_hz=RATE_HZ,
    )


def _directions(n: int) -> NDArray[np.float64]:
    """Return unit vectors spread evenly over the sphere (a golden spiral)."""
    index = np.arange(n) + 0.5
    z = 1 - 2 * index / n
    turn = np.pi * (1 + np.sqrt(5)) * index
    ring = np.sqrt(1 - z**2)
    return np.column_stack([ring * np.cos(turn), ring * np.sin(turn), z])
