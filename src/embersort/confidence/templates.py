"""Templates as codes, and which of them a spike could be confused with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.types import FloatArray, IntArray

N_RIVALS = 6
"""Units that each unit's spikes are held against: those whose templates are nearest."""
MIN_SCALE, MAX_SCALE = 0.7, 1.7
"""A spike is at most so much smaller or larger than a template (as in template matching)."""
NONE = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateCodes:
    """Templates in the form in which spikes are compared with them.

    Attributes
    ----------
    codes : ndarray, shape (n_units, n_channels, n_components), float32
    rivals : ndarray, shape (n_units, n_rivals), int64
        Units whose templates are nearest, the nearest first, padded with -1.
    distance : ndarray, shape (n_units, n_rivals), float64
        Of the templates, in units of the noise, the rival's scaled to fit; infinite on the padding.
    shared : ndarray, shape (n_units, n_units), float64
        Cosine of the templates' norms by channel, 0 (no channel shared) to 1.
    cosine : ndarray, shape (n_units, n_units), float64
        Of the templates themselves; -1 of a unit with itself.
    """

    codes: NDArray[np.float32]
    rivals: IntArray
    distance: NDArray[np.float64]
    shared: NDArray[np.float64]
    cosine: NDArray[np.float64]


def template_codes(evidence: Evidence) -> TemplateCodes:
    """Return the templates of a sort as codes.

    Notes
    -----
    O(n_units² · n_channels · n_components).
    """
    codes = np.einsum("utc,tk->uck", evidence.means, evidence.basis, optimize=False)
    norm = np.sqrt(np.square(codes, dtype=np.float64).sum(axis=2))
    product = np.einsum("uc,vc->uv", norm, norm, optimize=False)
    length = np.sqrt(np.maximum(np.diagonal(product), np.finfo(float).tiny))
    dot = _dot_products(codes)
    distance2 = _distances(dot)
    cosine = dot / (length[:, None] * length[None, :])
    np.fill_diagonal(cosine, -1.0)
    # Units that share no channel cannot be confused.
    shared = product / (length[:, None] * length[None, :])
    distance2[shared <= 0] = np.inf
    np.fill_diagonal(distance2, np.inf)
    order = np.argsort(distance2, axis=1, kind="stable")[:, :N_RIVALS]
    nearest = np.sqrt(np.take_along_axis(distance2, order, axis=1))
    return TemplateCodes(
        codes=codes,
        rivals=np.where(np.isfinite(nearest), order, NONE),
        distance=nearest,
        shared=shared,
        cosine=cosine,
    )


def _distances(dot: FloatArray) -> FloatArray:
    """Return squared distances of each template (row) to each other one, scaled to fit."""
    norm2 = np.diagonal(dot)
    scale = np.clip(dot / np.maximum(norm2, np.finfo(float).tiny)[None, :], MIN_SCALE, MAX_SCALE)
    distance2 = norm2[:, None] - 2 * scale * dot + scale**2 * norm2[None, :]
    return np.maximum(distance2, 0.0)


@njit(cache=True, nogil=True)
def _dot_products(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the scalar product of each pair of templates, summed in a fixed order."""
    n_units, n_channels, n_components = codes.shape
    dot = np.zeros((n_units, n_units))
    used = np.zeros((n_units, n_channels), np.bool_)
    for u in range(n_units):
        for c in range(n_channels):
            used[u, c] = np.any(codes[u, c] != 0)
    for u in range(n_units):
        for v in range(u + 1):
            total = 0.0
            for c in range(n_channels):
                if used[u, c] and used[v, c]:
                    for k in range(n_components):
                        total += codes[u, c, k] * codes[v, c, k]
            dot[u, v] = dot[v, u] = total
    return dot
