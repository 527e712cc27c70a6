"""What samples are: microvolt, volt, or no voltages at all, judged by a few stretches of them."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput

N_STRETCHES = 5
STRETCH_SAMPLES = 4000
MOST_VALUES = 4_000_000
"""No more are looked at, however many channels there are."""
VOLT_UV = (1e-8, 1e-3)
"""Traces that vary by so much are volts: 0.01 to 1000 µV."""
LEAST_UV = 1e-9
"""Traces that vary by less are no voltages in any unit."""
FAR = 1e12
NEAR = 1e-25
"""Values beyond these, unless they are a few that return, are another type misread."""
MANY = 0.02
"""Share of such values from which on the type must be wrong."""
N_FILLS = 3
"""So many different values may each mark what is missing."""

_log = logging.getLogger(__name__)


def stretches(n_samples: int, n_channels: int) -> list[tuple[int, int]]:
    """Return a few ranges of samples, evenly over a recording."""
    length = min(STRETCH_SAMPLES, max(1, MOST_VALUES // max(1, N_STRETCHES * n_channels)))
    if n_samples <= N_STRETCHES * length:
        return [(0, n_samples)]
    starts = np.linspace(0, n_samples - length, N_STRETCHES).astype(int)
    return [(int(start), int(start) + length) for start in starts]


def impossible_share(values: NDArray[Any]) -> float:
    """Return the share of values that no recording holds and that are not marks of what lacks.

    Those are NaN of many kinds, and numbers so large or small that only the bits of another type
    give them. A fill value, however often it comes, does not count.
    """
    if values.dtype.kind != "f" or not values.size:
        return 0.0
    flat = values.reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(flat)
        strange = ~np.isfinite(flat) | (size > FAR) | ((size > 0) & (size < NEAR))
    bits = np.ascontiguousarray(flat[strange]).view(f"u{flat.dtype.itemsize}")
    if len(bits) <= MANY * len(flat):
        return 0.0
    _, counts = np.unique(bits, return_counts=True)
    return float(np.sort(counts)[:-N_FILLS].sum() / len(flat))


def spread(traces: NDArray[Any]) -> float:
    """Return the typical deviation of a channel from its median; 0 for constant traces."""
    with np.errstate(invalid="ignore"):
        values = np.ma.masked_array(traces.astype(np.float64), ~(np.abs(traces) <= FAR))
    if values.mask.any():
        away = np.ma.abs(values - np.ma.median(values, axis=0))
        found = np.ma.filled(np.ma.median(away, axis=0), 0.0)
        away = away.compressed()
    else:
        away = np.abs(values.data - np.median(values.data, axis=0))
        found = np.median(away, axis=0)
    some = found[found > 0]
    if not len(some):
        some = away[away > 0]
    return float(np.median(some)) if len(some) else 0.0


def factor_to_uv(traces: NDArray[np.float32], raw: NDArray[Any], *, given: bool) -> float:
    """Return what traces that are said to be microvolt must be multiplied by to be that.

    Parameters
    ----------
    traces : ndarray, shape (n_samples, n_channels)
        A few stretches, scaled as was said.
    raw : ndarray
        The same, as they are stored.
    given : bool
        Whether the user gave the gain.

    Returns
    -------
    float
        1, or a million where they are volts.

    Raises
    ------
    BadInput
        If they are no voltages in any unit.
    """
    share = impossible_share(raw)
    if share > MANY:
        from embersort.recording.misread import likely_type

        kinds = likely_type(np.ascontiguousarray(raw).tobytes(), raw.shape[1], raw.dtype)
        cause = f"looks like {kinds}" if kinds else "check the sample type, and the gain"
        raise BadInput(
            f"{share:.0%} of the values are numbers such as {_example(raw)}, which no voltages "
            f"are, so {raw.dtype} is not their type: {cause}"
        )
    varies = spread(traces)
    if varies == 0 or varies >= VOLT_UV[1]:
        return 1.0
    if varies < LEAST_UV or varies < VOLT_UV[0]:
        raise BadInput(
            f"traces vary by {varies:.3g} µV, which no electrode's do; check the gain "
            "(--gain, µV per count) and the sample type"
        )
    if given:
        raise BadInput(
            f"with the gain that was given traces vary by {varies:.3g} µV, as if it were volt per "
            "count; --gain (gain_uv=) is µV per count: a million times as much"
        )
    _log.warning(
        "traces vary by %.3g, so they are taken as volts and multiplied by a million; "
        "give --gain (gain_uv=), µV per unit, to say otherwise",
        varies,
    )
    return 1e6


def _example(raw: NDArray[Any]) -> str:
    with np.errstate(invalid="ignore"):
        size = np.abs(raw[np.isfinite(raw)])
    strange = size[(size > FAR) | ((size > 0) & (size < NEAR))]
    return f"{strange[0]:.1e}" if len(strange) else "NaN"
