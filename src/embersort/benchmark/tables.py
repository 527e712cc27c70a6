"""Rows of results made into tables: one line per recording, per sorter, per unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from embersort.benchmark.run import Row
from embersort.benchmark.scores import TIME_BIN_S
from embersort.benchmark.statistics import Interval, bootstrap_mean
from embersort.evaluation.comparison import WELL_DETECTED_ACCURACY, Rule

BOOTSTRAP_SEED = 0
COSTS = ("cpu_s", "wall_s", "peak_memory_mib")
SCORES = ("accuracy", "precision", "recall", "f1", "recall_overlapping", "recall_solitary")
AVERAGED = ("accuracy", "precision", "recall", "recall_overlapping")
"""Scores whose mean over recordings is shown with its interval."""
SUMMED = ("n_well_detected", "n_false_positive", "n_redundant", "n_overmerged")
SHOWN_COLUMNS = (*SCORES, *SUMMED, *COSTS, "n_found_units")


def recording_rows(
    rows: Iterable[Row], rule: Rule = "one_to_one", min_snr: float = 0.0
) -> list[dict[str, Any]]:
    """Return one flat dict per recording and sorter: outcome, cost and mean scores.

    Accuracy, precision, recall, F1 and the units detected well are over the true units of at least
    ``min_snr``; what is counted of found units, and recall of overlapping spikes, are over all.
    """
    table = []
    for row in rows:
        scores = row.scores.get(rule, {})
        summary = _summary(row, rule, min_snr)
        table.append(
            {
                "recording": row.recording,
                "sorter": row.sorter,
                "sorter_version": row.result.get("sorter_version", ""),
                "outcome": row.outcome,
                "rule": rule,
                **{
                    name: summary.get(name)
                    for name in ("accuracy", "precision", "recall", "f1", "n_true_units")
                },
                "n_found_units": row.result.get("n_units"),
                **{name: summary.get(name) for name in SUMMED},
                "recall_overlapping": scores.get("recall_overlapping"),
                "recall_solitary": scores.get("recall_solitary"),
                "drift_um": row.truth.get("drift_um"),
                **{
                    name: row.result.get(name)
                    for name in ("wall_s", "cpu_s", "peak_memory_mib", "load_average", "machine")
                },
                "n_threads": row.result.get("limits", {}).get("n_threads"),
                "content": row.result.get("recording"),
                "error": row.error,
            }
        )
    return table


def unit_rows(rows: Iterable[Row], rule: Rule = "one_to_one") -> list[dict[str, Any]]:
    """Return one flat dict per true unit, recording and sorter."""
    table = []
    for row in rows:
        units = row.scores.get(rule, {}).get("units")
        if units is None:
            continue
        for index, unit_id in enumerate(units["unit_id"]):
            table.append(
                {
                    "recording": row.recording,
                    "sorter": row.sorter,
                    "rule": rule,
                    "unit_id": unit_id,
                    **{
                        name: row.truth[name][index]
                        for name in ("snr", "rate_hz", "n_spikes", "overlap_share")
                    },
                    **{
                        name: units[name][index]
                        for name in ("matched_id", "accuracy", "precision", "recall", "f1")
                    },
                }
            )
    return table


def time_rows(rows: Iterable[Row], rule: Rule = "one_to_one") -> list[dict[str, Any]]:
    """Return one flat dict per true unit, recording, sorter and bin of time.

    The accuracy of a bin in which a unit has no spike, true or found, is None. Results that do not
    hold accuracy over time give no lines.
    """
    return [
        {
            "recording": row.recording,
            "sorter": row.sorter,
            "rule": rule,
            "unit_id": unit_id,
            "start_s": index * TIME_BIN_S,
            "accuracy": accuracy,
        }
        for row in rows
        if (units := row.scores.get(rule, {}).get("units")) is not None
        if (courses := units.get("accuracy_over_time")) is not None
        for unit_id, over_time in zip(units["unit_id"], courses, strict=True)
        for index, accuracy in enumerate(over_time)
    ]


def mean_over_time(
    rows: Sequence[Row], rule: Rule = "one_to_one"
) -> dict[tuple[str, str], list[float]]:
    """Return the mean accuracy over true units in each bin of time, by recording and sorter."""
    bins: dict[tuple[str, str], dict[float, list[float]]] = {}
    for line in time_rows(rows, rule):
        own = bins.setdefault((line["recording"], line["sorter"]), {})
        values = own.setdefault(line["start_s"], [])
        if line["accuracy"] is not None:
            values.append(line["accuracy"])
    return {
        place: [float(np.mean(values)) if values else float("nan") for values in own.values()]
        for place, own in bins.items()
    }


def sorter_rows(
    rows: Sequence[Row], rule: Rule = "one_to_one", min_snr: float = 0.0
) -> list[dict[str, Any]]:
    """Return one dict per sorter: means with intervals, sums, mean cost.

    All are over the recordings that it sorted; ``n_recordings`` and
    ``n_failed`` tell how many those are.
    """
    flat = recording_rows(rows, rule, min_snr)
    table = []
    for sorter in dict.fromkeys(row.sorter for row in rows):
        own = [line for line in flat if line["sorter"] == sorter]
        good = [line for line in own if line["outcome"] == "ok"]
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        table.append(
            {
                "sorter": sorter,
                "n_recordings": len(own),
                "n_failed": len(own) - len(good),
                **{name: bootstrap_mean(_column(good, name), rng) for name in AVERAGED},
                **{name: sum(line[name] or 0 for line in good) for name in SUMMED},
                "mean_cpu_s": _mean(good, "cpu_s"),
                "mean_wall_s": _mean(good, "wall_s"),
                "peak_memory_mib": float(_column(good, "peak_memory_mib").max(initial=0.0)),
            }
        )
    return table


def markdown(
    rows: Sequence[Row],
    rule: Rule = "one_to_one",
    column: str = "accuracy",
    min_snr: float = 0.0,
) -> str:
    """Return a Markdown table: recordings by sorters, and the mean with its interval below.

    Where a sorter has no score on some recordings, its mean tells over how many it is.
    """
    flat = recording_rows(rows, rule, min_snr)
    sorters = list(dict.fromkeys(line["sorter"] for line in flat))
    cells = {(line["recording"], line["sorter"]): line for line in flat}
    lines = [f"| recording | {' | '.join(sorters)} |", "|---" * (len(sorters) + 1) + "|"]
    for name in dict.fromkeys(line["recording"] for line in flat):
        shown = [_cell(cells.get((name, sorter)), column) for sorter in sorters]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    if column in AVERAGED:
        n_all = len({line["recording"] for line in flat})
        by_sorter = sorter_rows(rows, rule, min_snr)
        means = [_partial_mean(line[column], n_all) for line in by_sorter]
        lines.append(f"| **mean [95 %]** | {' | '.join(means)} |")
    return "\n".join(lines)


def _summary(row: Row, rule: Rule, min_snr: float) -> dict[str, Any]:
    """Return a row's summary; where a smallest SNR is asked for, over those true units alone."""
    summary = row.scores.get(rule, {}).get("summary", {})
    if not summary or min_snr <= 0:
        return dict(summary)
    units = row.scores[rule]["units"]
    kept = np.array(row.truth["snr"], np.float64) >= min_snr
    means = {
        name: float(np.array(units[name], np.float64)[kept].mean()) if kept.any() else None
        for name in ("accuracy", "precision", "recall", "f1")
    }
    accuracy = np.array(units["accuracy"], np.float64)
    return {
        **summary,
        **means,
        "n_true_units": int(kept.sum()),
        "n_well_detected": int((kept & (accuracy >= WELL_DETECTED_ACCURACY)).sum()),
    }


def _cell(line: dict[str, Any] | None, column: str) -> str:
    if line is None:
        return ""
    if line["outcome"] != "ok":
        return str(line["outcome"]).replace("_", " ")
    value = line[column]
    if value is None:
        return "–"
    return f"{value:.2f}" if column in SCORES else f"{value:.0f}"


def _partial_mean(mean: Interval, n_all: int) -> str:
    return str(mean) if mean.n in (0, n_all) else f"{mean}, {mean.n} of {n_all}"


def _mean(lines: Sequence[dict[str, Any]], name: str) -> float:
    values = _column(lines, name)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def _column(lines: Sequence[dict[str, Any]], name: str) -> Any:
    return np.array([np.nan if line[name] is None else line[name] for line in lines], np.float64)
