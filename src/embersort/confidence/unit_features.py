"""What is known of each unit, in numbers that mean the same in every recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.confidence.evidence import Evidence
from embersort.confidence.leftovers import leftovers
from embersort.confidence.spike_features import SPIKE_FEATURES, by_unit, medians
from embersort.confidence.templates import TemplateCodes
from embersort.confidence.unit_company import (
    MIN_EXPECTED,
    MOST_RATIO,
    activity,
    kinship,
    ratio,
    rivalry,
)
from embersort.confidence.unit_kernels import leading_spread, pairs_within
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

UNIT_FEATURES = (
    "log_n_spikes",
    "log_rate_hz",
    "log_snr",
    "log_norm",
    "log_median_gain",
    "log_low_gain",
    "median_scale",
    "spread_of_scale",
    "skew_of_scale",
    "refractory_ratio",
    "log_refractory_expected",
    "short_interval_share",
    "median_misfit",
    "median_local_misfit",
    "high_misfit",
    "leading_spread",
    "leading_bimodality",
    "median_margin",
    "low_margin",
    "log_rival_distance",
    "rival_cosine",
    "sibling_deficit",
    "sibling_cosine",
    "sibling_lag_ms",
    "sibling_log_share",
    "sibling_coincidence",
    "sibling_log_expected",
    "sibling_burst",
    "sibling_turn",
    "presence",
    "unevenness",
    "shift_of_code",
    "disturbed_share",
    "log_unexplained",
    "peak_before",
    "peak_after",
    "peak_lag_ms",
    "log_n_channels",
    "log_pitch_um",
)
"""Columns of `unit_features`."""

REFRACTORY_MS = 1.5
"""What the shipped model was trained with: one trained anew takes that of `spike_pairs`."""
CENSORED_MS = 0.3
"""Nearer spikes of one unit were dropped as duplicates."""
SHORT_MS = 4.0
LOW, HIGH = 0.1, 0.9
"""Quantiles that stand for the tails."""
CHANNEL_SHARE = 0.3
"""A unit reaches a channel where its template has this share of its largest norm."""


def unit_features(
    evidence: Evidence, templates: TemplateCodes, of_spikes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the features of each unit.

    Parameters
    ----------
    evidence : Evidence
    templates : TemplateCodes
    of_spikes : ndarray, shape (n_spikes, n_spike_features), float32
        From `spike_features`.

    Returns
    -------
    ndarray, shape (n_units, n_features), float32
        Columns as `UNIT_FEATURES` names them; NaN where there is nothing to measure.

    Notes
    -----
    O(n_spikes · n_codes).
    """
    if evidence.sorting.n_units == 0:
        return np.zeros((0, len(UNIT_FEATURES)), np.float32)
    rows, edges = by_unit(evidence)
    spikes = _Spikes(features=of_spikes, rows=rows, edges=edges)
    main = main_channels(evidence)
    columns = {
        **_sizes(evidence, templates, spikes),
        **_refractory(evidence, rows, edges),
        **_fits(evidence, spikes),
        **rivalry(templates),
        **kinship(evidence, templates, edges),
        **activity(evidence),
        **_shapes(evidence, main),
        "log_unexplained": np.log1p(leftovers(evidence, main) / np.maximum(np.diff(edges), 1)),
    }
    return np.column_stack([columns[name] for name in UNIT_FEATURES]).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spikes:
    """Features of spikes, unit by unit."""

    features: NDArray[np.float32]
    rows: IntArray
    edges: IntArray

    def quantile(self, name: str, share: float) -> FloatArray:
        """Return a quantile of a feature over each unit's spikes; NaN where unknown."""
        values = self.features[self.rows, SPIKE_FEATURES.index(name)].astype(np.float64)
        return quantiles(values, self.edges, share)


def quantiles(values: FloatArray, edges: IntArray, share: float) -> FloatArray:
    """Return a quantile of each stretch of values between edges; NaN for an empty one."""
    result = np.full(len(edges) - 1, np.nan)
    for unit in range(len(result)):
        known = values[edges[unit] : edges[unit + 1]]
        known = np.sort(known[np.isfinite(known)])
        if len(known):
            result[unit] = known[min(int(share * len(known)), len(known) - 1)]
    return result


def _sizes(evidence: Evidence, templates: TemplateCodes, spikes: _Spikes) -> dict[str, FloatArray]:
    counts = evidence.sorting.spike_counts()
    norm = np.sqrt(np.square(templates.codes, dtype=np.float64).sum(axis=2))
    largest = np.maximum(norm.max(axis=1), np.finfo(float).tiny)
    n_reached = (norm >= CHANNEL_SHARE * largest[:, None]).sum(axis=1)
    tiny = np.finfo(float).tiny
    scale = evidence.scale.astype(np.float64)
    middle = medians(scale, spikes.rows, spikes.edges)
    deviation = (scale - middle[evidence.sorting.unit_index])[spikes.rows]
    low, high = (quantiles(deviation, spikes.edges, share) for share in (LOW, HIGH))
    spread = np.maximum(high - low, 1e-6)
    return {
        "log_n_spikes": np.log(np.maximum(counts, 1)),
        "log_rate_hz": np.log(np.maximum(counts, 1) / max(evidence.sorting.duration_s, tiny)),
        "log_snr": np.log(np.maximum(evidence.snr, 0.1)),
        "log_norm": np.log(np.maximum(np.sqrt(np.square(norm).sum(axis=1)), 0.1)),
        "log_median_gain": spikes.quantile("log_gain", 0.5),
        "log_low_gain": spikes.quantile("log_gain", LOW),
        "median_scale": middle,
        "spread_of_scale": high - low,
        "skew_of_scale": (high + low) / spread,
        "log_n_channels": np.log(n_reached),
        "log_pitch_um": np.full(len(counts), np.log(_pitch_um(evidence))),
    }


def _pitch_um(evidence: Evidence) -> float:
    """Return the median distance of each channel to its nearest; a large one for one channel."""
    distance = evidence.geometry.distances_um()
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1)
    known = nearest[np.isfinite(nearest)]
    return float(np.clip(np.median(known), 1.0, 1000.0)) if len(known) else 1000.0


def _refractory(evidence: Evidence, rows: IntArray, edges: IntArray) -> dict[str, FloatArray]:
    """Return how many pairs of spikes are too near, seen over expected from another neuron's."""
    sorting = evidence.sorting
    sample = sorting.sample_index[rows]
    censored, refractory, short = (
        ms_to_samples(ms, sorting.sampling_rate_hz) for ms in (CENSORED_MS, REFRACTORY_MS, SHORT_MS)
    )
    counts = np.diff(edges).astype(np.float64)
    near = pairs_within(sample, edges, sample, edges, np.arange(len(counts)), refractory)
    # Ordered pairs of distinct spikes expected if the times were unrelated, in both directions.
    expected = counts**2 * 2 * max(refractory - censored, 1) / max(sorting.n_samples, 1)
    interval = np.diff(sample, prepend=sample[:1]).astype(np.float64)
    first = edges[:-1][counts > 0]
    interval[first] = np.inf
    is_short = np.add.reduceat(
        np.append(interval < short, False), np.minimum(edges[:-1], len(interval))
    )
    is_short = np.where(counts > 0, is_short, 0)
    return {
        "refractory_ratio": ratio(near - counts, expected),
        "log_refractory_expected": np.log(expected + MIN_EXPECTED),
        "short_interval_share": is_short / np.maximum(counts, 1),
    }


def _fits(evidence: Evidence, spikes: _Spikes) -> dict[str, FloatArray]:
    spread = leading_spread(
        evidence.codes,
        evidence.channel_index,
        evidence.geometry.n_channels,
        spikes.rows,
        spikes.edges,
    )
    disturbed = spikes.features[:, SPIKE_FEATURES.index("log_disturbance")] > 0
    n_disturbed = np.bincount(
        evidence.sorting.unit_index, disturbed, minlength=evidence.sorting.n_units
    )
    return {
        "median_misfit": spikes.quantile("misfit", 0.5),
        "median_local_misfit": spikes.quantile("local_misfit", 0.5),
        "high_misfit": spikes.quantile("misfit", HIGH),
        "leading_spread": spread[:, 0],
        "leading_bimodality": spread[:, 1],
        "shift_of_code": spread[:, 2],
        "median_margin": spikes.quantile("margin", 0.5),
        "low_margin": spikes.quantile("margin", LOW),
        "disturbed_share": n_disturbed / np.maximum(np.diff(spikes.edges), 1),
    }


def _shapes(evidence: Evidence, main: IntArray) -> dict[str, FloatArray]:
    """Return what surrounds the trough of each unit's template on its main channel.

    A large peak long before it hints at a trough that is not the spike's own.
    """
    wave = np.take_along_axis(evidence.means, main[:, None, None], axis=2)[:, :, 0]
    # A template without a trough has a depth of almost nothing, by which float32 would overflow.
    wave = wave.astype(np.float64)
    place = wave.argmin(axis=1)
    depth = np.maximum(-wave.min(axis=1), np.finfo(np.float32).tiny)
    is_before = np.arange(wave.shape[1])[None, :] < place[:, None]
    before = np.where(is_before, wave, 0).max(axis=1) / depth
    after = np.where(is_before, 0, wave).max(axis=1) / depth
    lag = np.abs(wave).argmax(axis=1) - place
    return {
        "peak_before": np.clip(before, 0, MOST_RATIO),
        "peak_after": np.clip(after, 0, MOST_RATIO),
        "peak_lag_ms": lag / evidence.sorting.sampling_rate_hz * 1e3,
    }


def main_channels(evidence: Evidence) -> IntArray:
    """Return the channel on which each unit's template has most energy."""
    energy = np.square(evidence.means, dtype=np.float64).sum(axis=1)
    return energy.argmax(axis=1)
