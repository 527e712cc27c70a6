"""What the home page works on: every recording, every sorter, every unit's score, packed."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from embersort.benchmark.site.model import Benchmark, slug
from embersort.evaluation.comparison import Rule
from embersort.report.pack import Quantised, pack, quantise
from embersort.report.page import plain

RULES: tuple[str, ...] = get_args(Rule)
METRICS = ("accuracy", "precision", "recall", "f1")
LEVELS = 10_000
"""Scores are kept as whole ten-thousandths, rounded down, so that 'at least 0.8' stays exact."""
MISSING = 65_535
"""Stored where there is no score."""
ROUNDING = 1e-9
"""Lets 0.8 stored in binary count as 0.8 when it is rounded down."""
UNIT_COLUMNS = ("rate_hz", "overlap_share", "n_spikes", "peak_channel")
"""Beside ``snr``, which the home page needs at once."""
OUTCOMES = (
    "ok",
    "failed",
    "time_out",
    "out_of_memory",
    "disk_full",
    "no_recording",
    "not_installed",
    "not_run",
)
COSTS = ("wall_s", "cpu_s", "peak_memory_mib")
COUNTS = ("n_well_detected", "n_false_positive", "n_redundant", "n_overmerged")


def index_facts(benchmark: Benchmark) -> dict[str, Any]:
    """Return recordings, sorters, outcomes and costs as plain values.

    Matrices have one row per recording and one column per sorter.
    """
    offsets = np.cumsum([0, *(recording.n_units for recording in benchmark.recordings)])
    return {
        "recordings": [
            {
                "name": recording.name,
                "set": recording.study_set,
                "study": recording.study,
                "title": recording.title,
                "slug": recording.slug,
                "first_unit": int(offsets[index]),
                "n_units": recording.n_units,
                "kind": recording.facts.get("kind", ""),
                "region": recording.facts.get("region", ""),
                "probe": recording.facts.get("probe", ""),
                "n_channels": recording.truth.get("n_channels"),
                "duration_s": recording.truth.get("duration_s"),
                "drift_um": recording.truth.get("drift_um"),
            }
            for index, recording in enumerate(benchmark.recordings)
        ],
        "sorters": [
            {
                "key": sorter.key,
                "name": sorter.name,
                "version": sorter.version,
                "slug": slug(sorter.key),
                **plain(sorter.facts),
            }
            for sorter in benchmark.sorters
        ],
        "outcomes": list(OUTCOMES),
        "outcome": _matrix(benchmark, lambda row: OUTCOMES.index(known_outcome(row.outcome)), 7),
        "costs": {
            name: _matrix(benchmark, lambda row, name=name: _cost(row.result.get(name)), None)
            for name in COSTS
        },
        "counts": {
            rule: {
                name: _matrix(benchmark, lambda row, r=rule, n=name: _count(row, r, n), None)
                for name in COUNTS
            }
            for rule in RULES
        },
    }


def known_outcome(outcome: str) -> str:
    """Return the outcome, ``failed`` for one that this version does not know."""
    return outcome if outcome in OUTCOMES else "failed"


def pack_units(benchmark: Benchmark, names: tuple[str, ...]) -> str:
    """Pack some columns of all true units, in order of the recordings."""
    arrays: dict[str, NDArray[Any] | Quantised] = {}
    for name in names:
        column = np.array(
            [
                value
                for recording in benchmark.recordings
                for value in _column(recording.truth, name)
            ],
            np.float64,
        )
        arrays[name] = quantise(column, "uint16") if name != "snr" else _hundredths(column)
    return pack(arrays)


def pack_scores(benchmark: Benchmark, rule: str, metric: str) -> str:
    """Pack one score of every true unit by every sorter.

    Returns
    -------
    str
        Pack with ``low`` and ``high`` bytes, shape (n_sorters, n_units): ten-thousandths
        rounded down, 65535 where there is none. Apart, the bytes compress better.
    """
    scores = score_matrix(benchmark, rule, metric)
    stored = np.where(np.isnan(scores), MISSING, np.floor(scores * LEVELS + ROUNDING)).astype(
        np.uint16
    )
    return pack({"low": (stored & 255).astype(np.uint8), "high": (stored >> 8).astype(np.uint8)})


def score_matrix(benchmark: Benchmark, rule: str, metric: str) -> NDArray[np.float64]:
    """Return one score of every unit, shape (n_sorters, n_units); NaN where there is none."""
    scores = np.full((len(benchmark.sorters), benchmark.n_units), np.nan)
    first = 0
    for recording_index, recording in enumerate(benchmark.recordings):
        for sorter_index in range(len(benchmark.sorters)):
            row = benchmark.rows.get((recording_index, sorter_index))
            units = row.scores.get(rule, {}).get("units") if row is not None else None
            if units is not None:
                scores[sorter_index, first : first + recording.n_units] = units[metric]
        first += recording.n_units
    return scores


def _hundredths(column: NDArray[np.float64]) -> Quantised:
    """Keep a ratio to a hundredth, rounded down like the scores, so that 'at least 5' is exact."""
    highest = MISSING / 100
    kept = np.clip(np.nan_to_num(column), 0, highest)
    stored = np.floor(kept * 100 + ROUNDING).astype(np.uint16)
    return Quantised(stored=stored, scale=0.01, zero=0.0)


def _column(truth: dict[str, Any], name: str) -> list[float]:
    values = truth.get(name)
    n_units = len(truth.get("unit_id", []))
    return [np.nan] * n_units if values is None else values


def _matrix(benchmark: Benchmark, value: Any, absent: Any) -> list[list[Any]]:
    """Return a value of every row, shape (n_recordings, n_sorters)."""
    n_sorters = len(benchmark.sorters)
    return [
        [
            value(benchmark.rows[r, s]) if (r, s) in benchmark.rows else absent
            for s in range(n_sorters)
        ]
        for r in range(len(benchmark.recordings))
    ]


def _cost(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)


def _count(row: Any, rule: str, name: str) -> int | None:
    return row.scores.get(rule, {}).get("summary", {}).get(name)
