"""The built-in bank of cells, and folders of cells from elsewhere."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.simulate.cells import Cell

BANK_FILE = Path(__file__).parent / "bank" / "cells.npz"
POSITION_STEP_UM = 0.05
"""Ends of segments are stored as whole multiples of this."""
N_BASIS = 16
"""Currents are stored as products of this many time courses of a cell and weights in space."""


@functools.lru_cache(maxsize=1)
def load_bank() -> tuple[Cell, ...]:
    """Return the cells that come with Embersort; see bank/CARD.md. Read once, a second or less."""
    return read_bank(BANK_FILE)


def read_bank(path: Path) -> tuple[Cell, ...]:
    """Read a bank that ``write_bank`` wrote.

    Raises
    ------
    BadInput
        If the file is missing, truncated or not a bank.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = dict(file)
        return tuple(_decoded(stored, index) for index in range(len(stored["name"])))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a bank of cells: {error}") from None


def write_bank(cells: Sequence[Cell], path: Path) -> None:
    """Write cells compactly, replacing the file in one step.

    Currents become ``N_BASIS`` time courses per cell (float16) times weights per spike and
    segment (float16); the soma's current is what makes the sum zero and is not stored.
    """
    parts = [_encoded(cell) for cell in cells]
    stored: dict[str, Any] = {
        key: np.concatenate([part[key] for part in parts]) for key in parts[0]
    }
    stored["name"] = np.array([cell.name for cell in cells])
    stored["family"] = np.array([cell.family for cell in cells])
    stored["split"] = np.array([cell.split for cell in cells])
    stored["n_segments"] = np.array([len(cell.diameter_um) for cell in cells])
    stored["n_variants"] = np.array([cell.n_variants for cell in cells])
    stored["sampling_rate_hz"] = np.array([cell.sampling_rate_hz for cell in cells])
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **stored)
    partial.replace(path)


def load_cells(folder: Path) -> tuple[Cell, ...]:
    """Read a folder of cells, one npz file each.

    A file holds ``start`` and ``end`` (n, 3) and ``diam`` (n) in µm, ``imem`` (spikes, n, samples)
    in nA and ``dt_ms``; the soma is the first segment. Where the apical direction is given as
    ``axis_xyz``, cells are turned so that it is +y.

    Raises
    ------
    BadInput
        If the folder holds no such file, or one cannot be used.
    """
    paths = sorted(Path(folder).glob("*.npz"))
    if not paths:
        raise BadInput(f"cells.bank is '{folder}', which holds no npz file of a cell")
    return tuple(_loaded(path) for path in paths)


def _loaded(path: Path) -> Cell:
    try:
        with np.load(path, allow_pickle=False) as file:
            turn = _upright(file["axis_xyz"]) if "axis_xyz" in file else np.eye(3)
            currents = file["imem"].transpose(0, 2, 1).astype(np.float64)
            # float32 sums are off by rounding; the first segment takes it up.
            currents[:, :, 0] -= currents.sum(axis=2)
            return Cell(
                name=path.stem,
                family=path.stem.split("_")[0],
                split="train",
                start_um=file["start"] @ turn.T,
                end_um=file["end"] @ turn.T,
                diameter_um=file["diam"],
                currents_na=currents,
                sampling_rate_hz=1e3 / float(file["dt_ms"]),
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is not a cell: {error}") from None


def _upright(axis: np.ndarray) -> np.ndarray:
    """Return a rotation that takes the axis to +y; none where the axis is zero."""
    norm = np.linalg.norm(axis)
    if norm == 0:
        return np.eye(3)
    y = axis / norm
    x = np.cross(y, [0.0, 0.0, 1.0])
    if np.linalg.norm(x) < 1e-6:
        x = np.array([1.0, 0.0, 0.0])
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)])


def _encoded(cell: Cell) -> dict[str, np.ndarray]:
    currents = cell.currents_na.astype(np.float64)
    n_variants, n_samples, n_segments = currents.shape
    columns = currents.transpose(1, 0, 2).reshape(n_samples, -1)
    time = np.linalg.svd(columns, full_matrices=False)[0]
    # A cell with fewer modes than that gets time courses of zeros, and weights of zero.
    basis = np.zeros((n_samples, N_BASIS), np.float16)
    n_modes = min(N_BASIS, time.shape[1])
    basis[:, :n_modes] = time[:, :n_modes] * np.sqrt(n_samples)
    weights = np.linalg.lstsq(basis.astype(np.float64), columns, rcond=None)[0]
    weights = weights.reshape(N_BASIS, n_variants, n_segments)[:, :, 1:]
    return {
        "start": np.rint(cell.start_um / POSITION_STEP_UM).astype(np.int16),
        "end": np.rint(cell.end_um / POSITION_STEP_UM).astype(np.int16),
        "diameter": cell.diameter_um.astype(np.float16),
        "basis": basis.T.copy(),
        "weights": weights.transpose(1, 2, 0).reshape(-1, N_BASIS).astype(np.float16),
    }


def _decoded(stored: dict[str, np.ndarray], index: int) -> Cell:
    n_segments, n_variants = stored["n_segments"], stored["n_variants"]
    first = int(n_segments[:index].sum())
    segments = slice(first, first + int(n_segments[index]))
    n_weights = n_variants * (n_segments - 1)
    first = int(n_weights[:index].sum())
    weights = stored["weights"][first : first + int(n_weights[index])].astype(np.float64)
    basis = stored["basis"][index * N_BASIS : (index + 1) * N_BASIS].astype(np.float64)
    weights = weights.reshape(int(n_variants[index]), -1, N_BASIS)
    others = np.einsum("vsk,kt->vts", weights, basis)
    soma = -others.sum(axis=2, keepdims=True)
    return Cell(
        name=str(stored["name"][index]),
        family=str(stored["family"][index]),
        split=str(stored["split"][index]),
        start_um=stored["start"][segments] * POSITION_STEP_UM,
        end_um=stored["end"][segments] * POSITION_STEP_UM,
        diameter_um=stored["diameter"][segments],
        currents_na=np.concatenate([soma, others], axis=2),
        sampling_rate_hz=float(stored["sampling_rate_hz"][index]),
    )
