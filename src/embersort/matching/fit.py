"""One template at one place: how it fits, and what is left of the traces once it is taken out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank


class Pieces(NamedTuple):
    """The arrays of a `TemplateBank` that the kernels need, under the names that they have there.

    Attributes
    ----------
    channels : ndarray, shape (n_units, n_support), int64
    shifted : ndarray, shape (n_units, n_shifts, n_window, n_support), float32
    norm2 : ndarray, shape (n_units,), float64
        Infinite for units that may not be used.
    near : ndarray, shape (n_units, n_near), int64
    overlap : ndarray, shape (n_units, n_shifts, n_near, 2 * n_window - 1), float32
    n_before : int
    """

    channels: NDArray[np.int64]
    shifted: NDArray[np.float32]
    norm2: NDArray[np.float64]
    near: NDArray[np.int64]
    overlap: NDArray[np.float32]
    n_before: int


class Terms(NamedTuple):
    """What a fit costs and may be; see `MatchConfig`.

    Attributes
    ----------
    threshold : float
        Least gain of a spike.
    prior : float
        Precision of the amplitude, λ.
    min_scale, max_scale : float
    shape_error2 : float
        Share of a spike's squared norm that its template is trusted to miss.
    """

    threshold: float
    prior: float
    min_scale: float
    max_scale: float
    shape_error2: float


class Traces(NamedTuple):
    """The state of a pursuit, changed in place.

    Attributes
    ----------
    residual : ndarray, shape (n_samples, n_channels), float32
    score : ndarray, shape (n_units, n_samples), float32
        Match of each template with the residual.
    doubt : ndarray, shape (n_units, n_samples), float32
        Gain that may be due to what imperfect templates left of the spikes taken out so far.
    changed : ndarray, shape (n_units, n_bins), bool
        Bins of ``n_window`` samples in which a unit's scores have changed since they were searched.
    first, last : int
        The samples at which a spike's window is whole.
    """

    residual: NDArray[np.float32]
    score: NDArray[np.float32]
    doubt: NDArray[np.float32]
    changed: NDArray[np.bool_]
    first: int
    last: int


def pieces_of(bank: TemplateBank, active: NDArray[np.bool_] | None) -> Pieces:
    """Return what the kernels need of a bank."""
    return Pieces(
        channels=bank.channels,
        shifted=bank.shifted,
        norm2=bank.norm2 if active is None else np.where(active, bank.norm2, np.inf),
        near=bank.near,
        overlap=bank.overlap,
        n_before=bank.n_before,
    )


def terms_of(config: MatchConfig) -> Terms:
    """Return what a fit costs and may be."""
    return Terms(
        threshold=config.threshold**2,
        prior=config.amplitude_sd**-2,
        min_scale=config.min_scale,
        max_scale=config.max_scale,
        shape_error2=config.shape_error**2,
    )


@njit(nogil=True, cache=True)
def place_at(row: NDArray[np.float32], t: int, traces: Traces, n_shifts: int) -> tuple[int, float]:
    """Return the sub-sample position and the height of a score's peak at sample ``t``."""
    offset, peak = _parabola(row, t, traces.first, traces.last)
    shift = int(np.floor((offset + 0.5) * n_shifts))
    return min(max(shift, 0), n_shifts - 1), peak


@njit(nogil=True, cache=True)
def _parabola(row: NDArray[np.float32], t: int, first: int, last: int) -> tuple[float, float]:
    """Return offset (within half a sample) and height of the peak of the parabola through it."""
    middle = float(row[t])
    if t <= first or t >= last:
        return 0.0, middle
    before, after = float(row[t - 1]), float(row[t + 1])
    bend = before - 2 * middle + after
    if bend >= 0:
        return 0.0, middle
    offset = min(max(0.5 * (before - after) / bend, -0.5), 0.5)
    return offset, middle - 0.25 * (before - after) * offset


@njit(nogil=True, cache=True)
def take_out(traces: Traces, pieces: Pieces, place: tuple[int, int, int], scale: float) -> None:
    """Subtract a spike at (sample, unit, shift) from residual and scores."""
    t, u, s = place
    n_window = pieces.shifted.shape[2]
    amount = np.float32(scale)
    _subtract(
        traces.residual, t - pieces.n_before, pieces.shifted[u, s], pieces.channels[u], amount
    )
    low, high = max(traces.first, t - n_window + 1), min(traces.last + 1, t + n_window)
    for k in range(pieces.near.shape[1]):
        v = pieces.near[u, k]
        if v < 0:
            break
        taken, row = pieces.overlap[u, s, k], traces.score[v]
        for other in range(low, high):
            row[other] -= amount * taken[other - t + n_window - 1]
        for b in range(low // n_window, (high - 1) // n_window + 1):
            traces.changed[v, b] = True


@njit(nogil=True, cache=True)
def add_doubt(traces: Traces, pieces: Pieces, place: tuple[int, int, int], energy: float) -> None:
    """Raise the doubt about what is found near a spike, by the squared scale times its share."""
    t, u, s = place
    n_window = pieces.shifted.shape[2]
    low, high = max(traces.first, t - n_window + 1), min(traces.last + 1, t + n_window)
    for k in range(pieces.near.shape[1]):
        v = pieces.near[u, k]
        if v < 0:
            break
        strongest = np.abs(pieces.overlap[u, s, k]).max()
        left = np.float32(energy * strongest * strongest / pieces.norm2[v])
        for other in range(low, high):
            traces.doubt[v, other] += left


@njit(nogil=True, cache=True)
def _subtract(
    residual: NDArray[np.float32],
    start: int,
    template: NDArray[np.float32],
    channels: NDArray[np.int64],
    scale: np.float32,
) -> None:
    for t in range(len(template)):
        for j in range(len(channels)):
            if channels[j] < 0:
                break
            residual[start + t, channels[j]] -= scale * template[t, j]
