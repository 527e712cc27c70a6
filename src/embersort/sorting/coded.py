"""Spikes as codes with a unit each: what templates are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.types import IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedSpikes:
    """Spikes of which templates are made, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
    unit_index : ndarray, shape (n_spikes,), int64
        `UNASSIGNED` for what belongs to no unit.
    channel_index : ndarray, shape (n_spikes,), int64
        Channel round which each was cut.
    codes : ndarray, shape (n_spikes, n_codes), float32
    """

    sample_index: IntArray
    unit_index: IntArray
    channel_index: IntArray
    codes: NDArray[np.float32]
