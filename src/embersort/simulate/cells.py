"""A cell as a current source: straight segments and what flows out of each during a spike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.simulate.line_source import line_source_gains
from embersort.types import FloatArray, frozen_array

MAX_SUM_SHARE = 1e-4
"""Largest share of the current that may be lost: what flows out of a cell flows in elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell: its shape in space and its transmembrane currents during its spikes.

    Attributes
    ----------
    name : str
    family : str
        Kind of cell (``pyramidal``, ``basket`` …).
    split : str
        ``train`` or ``heldout``: which cells a network may be trained on.
    start_um, end_um : ndarray, shape (n_segments, 3), float32
        Ends of each segment; the soma is at the origin, the apical direction is +y.
    diameter_um : ndarray, shape (n_segments,), float32
    currents_na : ndarray, shape (n_variants, n_samples, n_segments), float32
        Positive outward. Variant 0 is a lone spike, the others are later spikes of a burst, in
        order.
    sampling_rate_hz : float
    """

    name: str
    family: str
    split: str
    start_um: FloatArray
    end_um: FloatArray
    diameter_um: FloatArray
    currents_na: FloatArray
    sampling_rate_hz: float

    def __post_init__(self) -> None:
        for field, ndim in (("start_um", 2), ("end_um", 2), ("diameter_um", 1), ("currents_na", 3)):
            array = frozen_array(getattr(self, field), np.float32, ndim, f"{self.name}: {field}")
            if not np.isfinite(array).all():
                raise BadInput(f"cell {self.name}: {field} holds a value that is not finite")
            object.__setattr__(self, field, array)
        n_segments = len(self.diameter_um)
        if self.start_um.shape != (n_segments, 3) or self.end_um.shape != (n_segments, 3):
            raise BadInput(f"cell {self.name}: starts and ends must be ({n_segments}, 3)")
        if self.currents_na.shape[2] != n_segments or not len(self.currents_na):
            raise BadInput(
                f"cell {self.name}: currents {self.currents_na.shape} for {n_segments} segments"
            )
        lost = np.abs(self.currents_na.sum(axis=2, dtype=np.float64)).max()
        if lost > MAX_SUM_SHARE * max(float(np.abs(self.currents_na).max()), 1e-12):
            raise BadInput(f"cell {self.name}: currents sum to {lost:.3g} nA, expected zero")

    @property
    def n_variants(self) -> int:
        """Number of spikes stored."""
        return len(self.currents_na)

    def potentials_uv(self, positions_um: FloatArray, variant: int = 0) -> NDArray[np.float64]:
        """Return the potential at each position during one spike.

        Parameters
        ----------
        positions_um : ndarray, shape (n_positions, 3)
            Relative to the soma.

        Returns
        -------
        ndarray, shape (n_samples, n_positions), float64
            In µV.
        """
        gains = line_source_gains(positions_um, self.start_um, self.end_um, self.diameter_um)
        return self.currents_na[variant].astype(np.float64) @ gains.T
