"""One template at one place: how it fits, and what is left of the traces once it is taken out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank
from embersort.spike_pairs import REFRACTORY_MS
from embersort.units import ms_to_samples

AMPLITUDE_SD = 0.15
"""Standard deviation of a spike's amplitude relative to its template. Chosen on the development
recordings, 2026-11-22."""

MIN_SCALING = 0.7
"""Least amplitude of a spike of full size relative to its template. Chosen on the development
recordings, 2026-11-22."""

MAX_SCALING = 1.7
"""Largest amplitude of a spike relative to its template. Chosen on the development recordings,
2026-11-22."""

ATTENUATED_THRESHOLD = 8.0
"""Least match of an attenuated spike, as the height of a peak in units of the noise. Chosen on the
development recordings, 2026-11-23."""

ATTENUATED_MEAN = 0.7
"""Expected amplitude of an attenuated spike relative to its template. Chosen on the development
recordings, 2026-11-23."""

ATTENUATED_SD = 0.3
"""Standard deviation of that amplitude. Chosen on the development recordings, 2026-11-23."""

ATTENUATED_MIN_SCALING = 0.3
"""Least amplitude of an attenuated spike relative to its template. Chosen on the development
recordings, 2026-11-23."""

SHAPE_ERROR = 0.1
"""Share of a spike's norm that its template is trusted to miss. Chosen on the development
recordings, 2026-11-22."""


class BankArrays(NamedTuple):
    """The arrays of a `TemplateBank` that the kernels need, under the names that they have there.

    Attributes
    ----------
    channels : ndarray, shape (n_units, n_support), int64
    shifted : ndarray, shape (n_units, n_shifts, n_window, n_support), float32
    norm2 : ndarray, shape (n_units,), float64
        Infinite for units that may not be used.
    near : ndarray, shape (n_units, n_near), int64
    pair_start : ndarray, shape (n_units + 1,), int64
    overlap : ndarray, shape (n_rows, 2 * n_window - 1), float32
    strongest : ndarray, shape (n_rows,), float32
        See `first_row`.
    least_gain : ndarray, shape (2, n_units), float64
        See `least_decreases`.
    n_before : int
    """

    channels: NDArray[np.int64]
    shifted: NDArray[np.float32]
    norm2: NDArray[np.float64]
    near: NDArray[np.int64]
    pair_start: NDArray[np.int64]
    overlap: NDArray[np.float32]
    strongest: NDArray[np.float32]
    least_gain: NDArray[np.float64]
    n_before: int


FULL, ATTENUATED = 0, 1
"""Kinds of spikes: any, and those smaller than that which may still be their unit's."""


class FitCriteria(NamedTuple):
    """What a fit costs and may be, for each kind of spike; see `MatchConfig`.

    Attributes
    ----------
    threshold : ndarray, shape (2,), float64
        Least gain of a spike.
    least_snr2 : float
        Least gain of a spike as a multiple of the variance of noise alone.
    prior : ndarray, shape (2,), float64
        Precision of the amplitude, λ.
    mean : ndarray, shape (2,), float64
        Expected amplitude, m.
    min_scale : ndarray, shape (2,), float64
    max_scale : float
    shape_error2 : float
        Share of a spike's squared norm that its template is trusted to miss.
    refractory_samples : int
        A small spike keeps at least this far from the others of its unit.
    """

    threshold: NDArray[np.float64]
    least_snr2: float
    prior: NDArray[np.float64]
    mean: NDArray[np.float64]
    min_scale: NDArray[np.float64]
    max_scale: float
    shape_error2: float
    refractory_samples: int


class Traces(NamedTuple):
    """The state of a pursuit, changed in place.

    Attributes
    ----------
    residual : ndarray, shape (n_samples, n_channels), float32
    score : ndarray, shape (n_units, n_samples), float32
        Match of each template with the residual.
    changed : ndarray, shape (n_units, n_bins), bool
        Bins of ``n_window`` samples in which a unit's scores have changed since they were searched.
    first, last : int
        The samples at which a spike's window is whole.
    """

    residual: NDArray[np.float32]
    score: NDArray[np.float32]
    changed: NDArray[np.bool_]
    first: int
    last: int


def least_decreases(bank: TemplateBank, criteria: FitCriteria) -> NDArray[np.float64]:
    """Return the gain from which on a fit is taken for a spike, by kind and template."""
    return np.maximum(criteria.threshold[:, None], criteria.least_snr2 * bank.noise2)


def least_scores(bank: TemplateBank, criteria: FitCriteria) -> NDArray[np.float64]:
    """Return the score from which on a fit may be a spike, shape (2, n_units), by kind."""
    norm2 = bank.norm2 + criteria.prior[:, None]
    pull = (criteria.prior * criteria.mean)[:, None]
    enough = np.sqrt((least_decreases(bank, criteria) + pull * criteria.mean[:, None]) * norm2)
    return np.asarray(np.maximum(enough, criteria.min_scale[:, None] * norm2) - pull)


def bank_arrays(
    bank: TemplateBank, active: NDArray[np.bool_] | None, criteria: FitCriteria
) -> BankArrays:
    """Return what the kernels need of a bank."""
    return BankArrays(
        channels=bank.channels,
        shifted=bank.shifted,
        norm2=bank.norm2 if active is None else np.where(active, bank.norm2, np.inf),
        near=bank.near,
        pair_start=bank.pair_start,
        overlap=bank.overlap,
        strongest=bank.strongest,
        least_gain=least_decreases(bank, criteria),
        n_before=bank.n_before,
    )


def fit_criteria(
    config: MatchConfig, sampling_rate_hz: float, *, allow_attenuated: bool = True
) -> FitCriteria:
    """Return what a fit costs and may be; without ``allow_attenuated`` none may be small."""
    small = max(config.threshold, ATTENUATED_THRESHOLD) if allow_attenuated else np.inf
    return FitCriteria(
        threshold=np.array([config.threshold, small]) ** 2,
        least_snr2=config.min_snr**2,
        prior=np.array([AMPLITUDE_SD**-2, ATTENUATED_SD**-2]),
        mean=np.array([1.0, ATTENUATED_MEAN]),
        min_scale=np.array([MIN_SCALING, ATTENUATED_MIN_SCALING]),
        max_scale=MAX_SCALING,
        shape_error2=SHAPE_ERROR**2,
        refractory_samples=ms_to_samples(REFRACTORY_MS, sampling_rate_hz),
    )


@njit(nogil=True, cache=True)
def place_near(arrays: BankArrays, u: int, v: int) -> int:
    """Return where in the row of a template's neighbours another is, or -1."""
    for k in range(arrays.near.shape[1]):
        if arrays.near[u, k] == v:
            return k
        if arrays.near[u, k] < 0:
            break
    return -1


@njit(nogil=True, cache=True)
def first_row(arrays: BankArrays, u: int, s: int) -> int:
    """Return the row of the overlap of a shifted template with the first of those near it."""
    start, stop = arrays.pair_start[u], arrays.pair_start[u + 1]
    return start + s * ((stop - start) // arrays.shifted.shape[1])


@njit(nogil=True, cache=True)
def vertex(before: float, middle: float, after: float) -> tuple[float, float]:
    """Return offset (within half a sample) and height of the peak of the parabola through three."""
    bend = before - 2 * middle + after
    if bend >= 0:
        return 0.0, middle
    offset = min(max(0.5 * (before - after) / bend, -0.5), 0.5)
    return offset, middle - 0.25 * (before - after) * offset


@njit(nogil=True, cache=True)
def shift_of(offset: float, n_shifts: int) -> int:
    """Return the sub-sample position nearest to an offset between -0.5 and 0.5 samples."""
    return min(max(int(np.floor((offset + 0.5) * n_shifts)), 0), n_shifts - 1)


@njit(nogil=True, cache=True)
def subtract_spike(
    traces: Traces, arrays: BankArrays, place: tuple[int, int, int], scaling: float
) -> None:
    """Subtract a spike at (sample, unit, shift) from the residual and what follows from it."""
    t, u, s = place
    _subtract(
        traces.residual,
        t - arrays.n_before,
        arrays.shifted[u, s],
        arrays.channels[u],
        np.float32(scaling),
    )
    _change(traces, arrays, place, scaling)


@njit(nogil=True, cache=True)
def restore_spike(
    traces: Traces, arrays: BankArrays, place: tuple[int, int, int], scaling: float
) -> None:
    """Undo `subtract_spike`."""
    subtract_spike(traces, arrays, place, -scaling)


@njit(nogil=True, cache=True)
def _change(
    traces: Traces, arrays: BankArrays, place: tuple[int, int, int], scaling: float
) -> None:
    """Lower the scores round a spike."""
    t, u, s = place
    n_window = arrays.shifted.shape[2]
    low, high = max(traces.first, t - n_window + 1), min(traces.last + 1, t + n_window)
    amount, row = np.float32(scaling), first_row(arrays, u, s)
    for k in range(arrays.near.shape[1]):
        v = arrays.near[u, k]
        if v < 0:
            break
        # Of a template that may not be used no score is wanted.
        if arrays.norm2[v] == np.inf:
            continue
        accepted = arrays.overlap[row + k, low - t + n_window - 1 :]
        score = traces.score[v, low:high]
        for i in range(high - low):
            score[i] -= amount * accepted[i]
        for b in range(low // n_window, (high - 1) // n_window + 1):
            traces.changed[v, b] = True


@njit(nogil=True, cache=True)
def _subtract(
    residual: NDArray[np.float32],
    start: int,
    template: NDArray[np.float32],
    channels: NDArray[np.int64],
    scaling: np.float32,
) -> None:
    for t in range(len(template)):
        for j in range(len(channels)):
            if channels[j] < 0:
                break
            residual[start + t, channels[j]] -= scaling * template[t, j]
