"""What is known of each spike, in numbers that mean the same in every recording."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.confidence.spike_kernels import disturbances, local_misfits, misfits
from embersort.confidence.templates import TemplateCodes
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

SPIKE_FEATURES = (
    "log_gain",
    "log_relative_gain",
    "relative_scale",
    "misfit",
    "local_misfit",
    "margin",
    "relative_margin",
    "log_disturbance",
    "log_earlier_disturbance",
    "log_interval_before_ms",
    "log_interval_after_ms",
)
"""Columns of `spike_features`."""

DISTURBANCE_MS = 1.2
"""Spikes nearer than this share most of their window."""
MOST_INTERVAL_MS = 1000.0
"""Longer intervals say no more."""
GOOD_FIT = 0.25
"""Quantile of the misfit of a recording's spikes that is taken for the noise's."""
FAR_MARGIN = 1e4
"""Margin of a spike whose unit has no rival."""


def spike_features(evidence: Evidence, templates: TemplateCodes) -> NDArray[np.float32]:
    """Return the features of each spike.

    Returns
    -------
    ndarray, shape (n_spikes, n_features), float32
        Columns as `SPIKE_FEATURES` names them; NaN where there is nothing to measure.
        ``misfit`` is a squared distance per dimension, about 1 in noise alone; ``margin`` how much
        better a spike fits its own template than the best rival's, as a signed root of the
        difference of squared distances; an interval is to the unit's spike before or after.

    Notes
    -----
    O(n_spikes · n_rivals · n_codes).
    """
    sorting = evidence.sorting
    sample, unit = sorting.sample_index, sorting.unit_index
    used = (evidence.neighbours >= 0).sum(axis=1)[evidence.channel_index]
    n_dims = np.maximum(used * evidence.basis.shape[1], 1)
    distance = misfits(
        evidence.codes,
        evidence.channel_index,
        unit,
        templates.codes,
        evidence.neighbours,
        templates.rivals,
    )
    rows, edges = by_unit(evidence)
    local = local_misfits(evidence.codes, evidence.channel_index, rows, edges)
    window = ms_to_samples(DISTURBANCE_MS, sorting.sampling_rate_hz)
    disturbed = disturbances(sample, unit, evidence.gain, templates.shared, window)
    gain = np.maximum(evidence.gain.astype(np.float64), 1.0)
    gap = np.minimum(distance[:, 1] - distance[:, 0], FAR_MARGIN**2)
    margin = np.sign(gap) * np.sqrt(np.abs(gap))
    noise2 = _noise2(distance[:, 0] / n_dims)
    before, after = _log_intervals_ms(evidence, rows, edges)
    columns = {
        "log_gain": np.log(gain),
        "log_relative_gain": np.log(gain / medians(gain, rows, edges)[unit]),
        "relative_scale": evidence.scale - medians(evidence.scale, rows, edges)[unit],
        "misfit": distance[:, 0] / n_dims / noise2,
        "local_misfit": local / n_dims / noise2,
        "margin": margin / np.sqrt(noise2),
        "relative_margin": gap / gain,
        "log_disturbance": np.log1p(disturbed[:, 0]),
        "log_earlier_disturbance": np.log1p(disturbed[:, 1]),
        "log_interval_before_ms": before,
        "log_interval_after_ms": after,
    }
    return np.column_stack([columns[name] for name in SPIKE_FEATURES]).astype(np.float32)


def _noise2(misfit: FloatArray) -> float:
    """Return the squared misfit of spikes that fit well, which is the noise's in these codes.

    The components pass the low frequencies of the noise, more or less of them by sampling rate.
    """
    return max(float(np.sort(misfit)[int(GOOD_FIT * len(misfit))]), 1e-6) if len(misfit) else 1.0


def by_unit(evidence: Evidence) -> tuple[IntArray, IntArray]:
    """Return the spikes ordered by unit, then time, and where each unit's start.

    Returns
    -------
    rows : ndarray, shape (n_spikes,), int64
    edges : ndarray, shape (n_units + 1,), int64
    """
    rows = np.argsort(evidence.sorting.unit_index, kind="stable")
    edges = np.concatenate([[0], np.cumsum(evidence.sorting.spike_counts())])
    return rows, edges


def medians(values: FloatArray, rows: IntArray, edges: IntArray) -> FloatArray:
    """Return the median of a value over each unit's spikes, shape (n_units,); 1 without any."""
    result = np.ones(len(edges) - 1)
    for unit, (first, stop) in enumerate(pairwise(edges)):
        if stop > first:
            result[unit] = np.median(values[rows[first:stop]])
    return result


def _log_intervals_ms(
    evidence: Evidence, rows: IntArray, edges: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of the interval to the unit's spike before, and after, each spike."""
    rate_per_ms = evidence.sorting.sampling_rate_hz * 1e-3
    interval = np.full(len(rows) + 1, MOST_INTERVAL_MS)
    interval[1:-1] = np.diff(evidence.sorting.sample_index[rows]) / rate_per_ms
    interval[edges] = MOST_INTERVAL_MS
    log = np.log(np.clip(interval, 1 / rate_per_ms, MOST_INTERVAL_MS))
    before, after = np.empty(len(rows)), np.empty(len(rows))
    before[rows], after[rows] = log[:-1], log[1:]
    return before, after
