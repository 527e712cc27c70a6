"""What changed between two snapshots of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embersort.benchmark.run import Row
from embersort.benchmark.site.model import Benchmark

SMALLEST_CHANGE = 1e-6
"""Differences of rounding are no change."""


def changes_between(before: Sequence[Row], benchmark: Benchmark) -> dict[str, Any]:
    """Compare an earlier snapshot with the present results, by the one-to-one rule.

    Returns
    -------
    dict
        ``added`` and ``removed`` pairs of recording and sorter, and ``changed``: each with
        outcome and mean accuracy before and now. Versions of one sorter count as one.
    """
    old = {(row.recording, row.sorter): row for row in before}
    new = {(row.recording, row.sorter): row for row in benchmark.rows.values()}
    changed = []
    for place in sorted(old.keys() & new.keys()):
        first, second = old[place], new[place]
        if first.outcome != second.outcome or _differ(_mean(first), _mean(second)):
            changed.append(
                {
                    "recording": place[0],
                    "sorter": place[1],
                    "before": _shown(first),
                    "now": _shown(second),
                }
            )
    return {
        "added": [list(place) for place in sorted(new.keys() - old.keys())],
        "removed": [list(place) for place in sorted(old.keys() - new.keys())],
        "changed": changed,
    }


def _mean(row: Row) -> float | None:
    value = row.scores.get("one_to_one", {}).get("summary", {}).get("accuracy")
    return None if value is None else float(value)


def _differ(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is not second
    return abs(first - second) > SMALLEST_CHANGE


def _shown(row: Row) -> dict[str, Any]:
    return {
        "outcome": row.outcome,
        "accuracy": _mean(row),
        "version": row.result.get("sorter_version", ""),
    }
