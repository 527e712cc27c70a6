"""Unmixing scored against a simulated recording's own sources, beside ideal masks and mixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from embersort.evaluation.comparison import compare
from embersort.evaluation.overlap import recall_of
from embersort.evaluation.separation import BinPurity, bin_purity, si_sdr_from_products
from embersort.signal import Preprocessor, Tile, filter_tile, tile_grid
from embersort.simulate.sources import UnitSource, dominant_unit
from embersort.types import UNASSIGNED, FloatArray, IntArray, Recording, Sorting
from embersort.unmixing.result import Unmixing
from embersort.unmixing.truth import LEAST_HEIGHT


@dataclass(frozen=True, kw_only=True, slots=True)
class UnmixingScores:
    """Scores of unmixed signals, one row per true unit.

    Attributes
    ----------
    matched_index : ndarray, shape (n_true_units,), int64
        Estimated unit whose signal is most like the true unit's, one to one; -1 where none.
    si_sdr_db, expected_si_sdr_db : ndarray, shape (n_true_units,), float64
        Of the matched unit's own traces, as recorded and as its nearest segments have them. Minus
        infinity where there is no match.
    ideal_si_sdr_db, mixture_si_sdr_db : ndarray, shape (n_true_units,), float64
        Of the traces behind the ideal binary mask, and of the recording itself on the channels that
        the true unit reaches.
    purity : BinPurity
        Of the masks.
    """

    matched_index: IntArray
    si_sdr_db: FloatArray
    expected_si_sdr_db: FloatArray
    ideal_si_sdr_db: FloatArray
    mixture_si_sdr_db: FloatArray
    purity: BinPurity


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sums:
    """Sums over the recording; references by estimates, in microvolt squared."""

    reference: FloatArray
    mixture: FloatArray
    mixture_product: FloatArray
    ideal: FloatArray
    ideal_product: FloatArray
    estimate: FloatArray
    product: FloatArray
    expected: FloatArray
    expected_product: FloatArray
    counts: IntArray


def score_unmixing(
    unmixing: Unmixing,
    recording: Recording,
    preprocessor: Preprocessor,
    sources: Sequence[UnitSource],
    progress: Callable[[int], None] | None = None,
) -> UnmixingScores:
    """Score each neuron's own traces against the truth.

    Parameters
    ----------
    unmixing : Unmixing
    recording : Recording
        What was unmixed.
    preprocessor : Preprocessor
        Through which it went.
    sources : sequence of UnitSource
        The true units behind the same filter: see `filtered_sources`.
    progress : callable, optional
        Called with the number of tiles done since the last call.

    Notes
    -----
    True units and estimates are matched by the Hungarian algorithm on the squared correlation of
    their signals. O(n_samples · sum of the units' channels).
    """
    sums = _sums(unmixing, recording, preprocessor, sources, progress)
    with np.errstate(divide="ignore", invalid="ignore"):
        energies = sums.reference[:, None] * sums.estimate[None, :]
        alike = np.nan_to_num(np.square(sums.product) / energies)
    matched = np.full(len(sums.reference), UNASSIGNED, np.int64)
    rows, columns = linear_sum_assignment(-alike)
    found = alike[rows, columns] > 0
    matched[rows[found]] = columns[found]
    return UnmixingScores(
        matched_index=matched,
        si_sdr_db=_of_matches(sums.reference, sums.estimate, sums.product, matched),
        expected_si_sdr_db=_of_matches(
            sums.reference, sums.expected, sums.expected_product, matched
        ),
        ideal_si_sdr_db=si_sdr_from_products(sums.reference, sums.ideal, sums.ideal_product),
        mixture_si_sdr_db=si_sdr_from_products(sums.reference, sums.mixture, sums.mixture_product),
        purity=bin_purity(sums.counts),
    )


def _of_matches(
    reference: FloatArray, estimate: FloatArray, product: FloatArray, matched: IntArray
) -> NDArray[np.float64]:
    """Return the SI-SDR of each true unit's match, shape (n_true_units,)."""
    si_sdr_db = np.full(len(matched), -np.inf)
    rows = np.flatnonzero(matched >= 0)
    columns = matched[rows]
    si_sdr_db[rows] = si_sdr_from_products(
        reference[rows], estimate[columns], product[rows, columns]
    )
    return si_sdr_db


def spike_scores(truth: Sorting, overlaps: NDArray[np.bool_], found: Sorting) -> dict[str, float]:
    """Return how well spikes were found: mean accuracy, and recall of lone and overlapping spikes.

    Parameters
    ----------
    truth, found : Sorting
    overlaps : ndarray, shape (n_true_spikes,), bool
        Which true spikes overlap another unit's.
    """
    comparison = compare(truth, found)
    return {
        "accuracy": float(np.mean(comparison.accuracy)) if truth.n_units else float("nan"),
        "well_detected": int(comparison.is_well_detected.sum()),
        "recall_lone": recall_of(comparison, ~overlaps),
        "recall_overlapping": recall_of(comparison, overlaps),
    }


def summary(scores: UnmixingScores, spikes: dict[str, float]) -> dict[str, Any]:
    """Return the scores as plain numbers for ``scores.json`` and the terminal."""
    has_match = scores.matched_index >= 0
    return {
        "n_true_units": len(scores.si_sdr_db),
        "n_matched": int(has_match.sum()),
        "si_sdr_db_median": _median(scores.si_sdr_db),
        "si_sdr_db_median_of_matched": _median(scores.si_sdr_db[has_match]),
        "expected_si_sdr_db_median": _median(scores.expected_si_sdr_db),
        "expected_si_sdr_db_median_of_matched": _median(scores.expected_si_sdr_db[has_match]),
        "ideal_mask_si_sdr_db_median": _median(scores.ideal_si_sdr_db),
        "mixture_si_sdr_db_median": _median(scores.mixture_si_sdr_db),
        "bin_purity": scores.purity.purity,
        "bin_completeness": scores.purity.completeness,
        **spikes,
    }


def _median(values: FloatArray) -> float:
    """Return the median; NaN of nothing."""
    return float(np.median(values)) if len(values) else float("nan")


def _sums(
    unmixing: Unmixing,
    recording: Recording,
    preprocessor: Preprocessor,
    sources: Sequence[UnitSource],
    progress: Callable[[int], None] | None,
) -> _Sums:
    n_true, n_found = len(sources), unmixing.sorting.n_units
    sums = _Sums(
        reference=np.zeros(n_true),
        mixture=np.zeros(n_true),
        mixture_product=np.zeros(n_true),
        ideal=np.zeros(n_true),
        ideal_product=np.zeros(n_true),
        estimate=np.zeros(n_found),
        product=np.zeros((n_true, n_found)),
        expected=np.zeros(n_found),
        expected_product=np.zeros((n_true, n_found)),
        counts=np.zeros((n_true + 1, n_found + 1), np.int64),
    )
    for tile in tile_grid(recording.n_samples, recording.sampling_rate_hz):
        traces_uv = filter_tile(recording, tile, preprocessor, 0)
        _add_tile(sums, unmixing, sources, traces_uv, preprocessor.scale, tile)
        if progress is not None:
            progress(1)
    return sums


def _add_tile(
    sums: _Sums,
    unmixing: Unmixing,
    sources: Sequence[UnitSource],
    traces_uv: NDArray[np.float32],
    scale: NDArray[np.float32],
    tile: Tile,
) -> None:
    """Add a tile to the sums, in place: they are this module's own."""
    labels = unmixing.labels(tile.start, tile.stop)
    ideal, _ = dominant_unit(sources, scale, tile.start, tile.stop, LEAST_HEIGHT)
    n_true, n_found = len(sources), len(sums.estimate)
    pair = np.where(ideal < 0, n_true, ideal).astype(np.int64) * (n_found + 1)
    pair += np.where(labels < 0, n_found, labels)
    sums.counts[:] += np.bincount(pair.ravel(), minlength=sums.counts.size).reshape(
        sums.counts.shape
    )
    bins = unmixing.bins.between(tile.start, tile.stop)
    expected_uv = np.zeros_like(traces_uv)
    expected_uv[bins.sample_index - tile.start, bins.channel_index] = bins.expected_uv
    sums.estimate[:] += _by_label(labels, np.square(traces_uv), n_found)
    sums.expected[:] += _by_label(labels, np.square(expected_uv), n_found)
    sums.ideal[:] += _by_label(ideal, np.square(traces_uv), n_true)
    energy = np.square(traces_uv, dtype=np.float64).sum(axis=0)
    for unit, source in enumerate(sources):
        sums.mixture[unit] += float(energy[source.channels].sum())
        own = source.read(tile.start, tile.stop)
        active = np.flatnonzero(own.any(axis=1))
        own, here = own[active].astype(np.float64), np.ix_(active, source.channels)
        product, own_labels = own * traces_uv[here], labels[here]
        sums.reference[unit] += float(np.square(own).sum())
        sums.mixture_product[unit] += float(product.sum())
        sums.ideal_product[unit] += float(product[ideal[here] == unit].sum())
        sums.product[unit] += _by_label(own_labels, product, n_found)
        sums.expected_product[unit] += _by_label(own_labels, own * expected_uv[here], n_found)


def _by_label(
    labels: NDArray[np.int16], values: NDArray[np.floating], n_units: int
) -> NDArray[np.float64]:
    """Return the sum of the values of each unit's bins, shape (n_units,)."""
    inside = labels >= 0
    total = np.bincount(labels[inside], weights=values[inside], minlength=n_units)
    return total[:n_units].astype(np.float64, copy=False)
