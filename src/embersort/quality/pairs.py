"""Pairs of units that a person may want to merge, and what speaks for and against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.types import FloatArray, IntArray, SortResult
from embersort.units import ms_to_samples

MIN_SIMILARITY = 0.7
"""Templates of one neuron are at least this much alike."""
MAX_RATIO = 0.6
"""Units with more than this share of the chance coincidences fire as two neurons do."""
REFRACTORY_MS = (0.3, 2.0)
"""Lags that one neuron leaves empty; nearer pairs may be one spike found twice."""
MIN_EXPECTED = 5.0
"""With fewer coincidences expected, their absence says nothing."""
MAX_PAIRS = 60
MAX_LAG_MS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two units that may be one neuron.

    Attributes
    ----------
    first, second : int
        Positions of the units, the one with more spikes first.
    similarity : float
        Largest cosine of the templates over small lags.
    lag_ms : float
        The lag at which it is reached.
    n_coincidences : int
        Pairs of spikes within the refractory period.
    n_expected : float
        As many would be expected of two neurons that fire independently.
    distance_um : float
        Between the units' places.
    words : str
        What speaks for and against a merge.
    """

    first: int
    second: int
    similarity: float
    lag_ms: float
    n_coincidences: int
    n_expected: float
    distance_um: float
    words: str


def merge_candidates(result: SortResult, max_pairs: int = MAX_PAIRS) -> list[Pair]:
    """Return pairs of units that look alike and keep each other's refractory period.

    The likeliest come first: alike, and with fewer coincidences than chance gives. Whether a pair
    is one neuron is for a person to say; a sort has already merged what its evidence allows.

    Parameters
    ----------
    result : SortResult
    max_pairs : int

    Notes
    -----
    Cost O(n_units² · n_samples · n_channels) for the likeness, O(n_spikes log n_spikes) a pair.
    """
    if result.sorting.n_units < 2 or not result.templates.waveforms_uv.size:
        return []
    similarity, lag = likeness(result)
    counts = result.sorting.spike_counts()
    alike = (similarity >= MIN_SIMILARITY) & (counts > 0)[:, None] & (counts > 0)
    firsts, seconds = np.nonzero(np.triu(alike, 1))
    trains = result.sorting.trains()
    rate_hz = result.sorting.sampling_rate_hz
    pairs = []
    for a, b in zip(firsts.tolist(), seconds.tolist(), strict=True):
        if counts[b] > counts[a]:
            a, b = b, a
        found = coincidences(trains[a], trains[b], rate_hz)
        expected = _expected(counts[a], counts[b], result.sorting.duration_s)
        if expected >= MIN_EXPECTED and found > MAX_RATIO * expected:
            continue
        alike_at = (float(similarity[a, b]), float(lag[a, b]))
        pairs.append(_pair(result, (a, b), alike_at, found, expected))
    pairs.sort(key=lambda pair: -_score(pair))
    return pairs[:max_pairs]


def likeness(result: SortResult) -> tuple[FloatArray, FloatArray]:
    """Return the largest cosine of each two templates over small lags, and that lag in ms.

    Returns
    -------
    similarity, lag_ms : ndarray, shape (n_units, n_units)
        Positive lag: the second unit's template is later.
    """
    waves = result.templates.waveforms_uv.astype(np.float32)
    n_units, n_window, _ = waves.shape
    norm = np.sqrt((waves.reshape(n_units, -1) ** 2).sum(axis=1))
    unit = waves / np.where(norm > 0, norm, 1)[:, None, None]
    most = min(ms_to_samples(MAX_LAG_MS, result.sorting.sampling_rate_hz), n_window - 1)
    best = np.full((n_units, n_units), -1.0)
    lag = np.zeros((n_units, n_units))
    step = max(1, most // 5)
    for shift in sorted(range(-most, most + 1, step), key=abs):
        early = unit[:, max(0, -shift) : n_window - max(0, shift)].reshape(n_units, -1)
        late = unit[:, max(0, shift) : n_window + min(0, shift)].reshape(n_units, -1)
        cosine = early @ late.T
        better = cosine > best
        best[better], lag[better] = cosine[better], shift
    return np.clip(best, -1, 1), lag / result.sorting.sampling_rate_hz * 1e3


def coincidences(train: IntArray, other: IntArray, sampling_rate_hz: float) -> int:
    """Count pairs of spikes of two trains whose lag lies within the refractory period."""
    near, far = (ms * 1e-3 * sampling_rate_hz for ms in REFRACTORY_MS)
    before = np.searchsorted(other, train - near) - np.searchsorted(other, train - far)
    after = np.searchsorted(other, train + far, "right") - np.searchsorted(
        other, train + near, "right"
    )
    return int(before.sum() + after.sum())


def _expected(n_first: int, n_second: int, duration_s: float) -> float:
    reach_s = 2 * (REFRACTORY_MS[1] - REFRACTORY_MS[0]) * 1e-3
    return float(n_first) * float(n_second) * reach_s / max(duration_s, np.finfo(float).tiny)


def _score(pair: Pair) -> float:
    ratio = pair.n_coincidences / max(pair.n_expected, MIN_EXPECTED)
    return pair.similarity - 0.5 * ratio


def _pair(
    result: SortResult,
    units: tuple[int, int],
    alike_at: tuple[float, float],
    found: int,
    expected: float,
) -> Pair:
    (a, b), (similarity, lag_ms) = units, alike_at
    waves = result.templates.waveforms_uv
    height = waves.max(axis=1) - waves.min(axis=1)
    weight = height[[a, b]] ** 2
    places = weight @ result.geometry.positions_um / np.maximum(weight.sum(axis=1), 1e-9)[:, None]
    distance = float(np.linalg.norm(places[0] - places[1]))
    larger, smaller = sorted((float(height[a].max()), float(height[b].max())), reverse=True)
    words = [f"templates {100 * similarity:.0f} % alike"]
    if abs(lag_ms) > 0.15:
        words.append(f"most so {abs(lag_ms):.1f} ms apart, like one spike found at two troughs")
    words.append(f"{distance:.0f} µm apart")
    words.append(f"the smaller is {100 * smaller / max(larger, 1e-9):.0f} % as high")
    if expected >= MIN_EXPECTED:
        words.append(
            f"{found} spikes within each other's refractory period, {expected:.0f} by chance"
        )
    else:
        words.append("too few spikes for the refractory period to say anything")
    return Pair(
        first=a,
        second=b,
        similarity=similarity,
        lag_ms=lag_ms,
        n_coincidences=found,
        n_expected=expected,
        distance_um=distance,
        words="; ".join(words),
    )
