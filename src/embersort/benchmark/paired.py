"""Two sorters on the same recordings: every score and cost, and accuracy over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embersort.benchmark.run import Row
from embersort.benchmark.scores import TIME_BIN_S
from embersort.benchmark.statistics import Interval, paired_difference
from embersort.benchmark.tables import BOOTSTRAP_SEED, mean_over_time, recording_rows
from embersort.evaluation.comparison import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Paired:
    """One quantity of two sorters.

    Attributes
    ----------
    first, second : float
        Means over the recordings where both have it; NaN where there are none.
    difference : Interval
        Of first − second, over those recordings.
    pairs : list of (str, float, float)
        Those recordings, with the value of each sorter.
    """

    first: float
    second: float
    difference: Interval
    pairs: list[tuple[str, float, float]]


def difference(
    rows: Sequence[Row],
    first: str,
    second: str,
    column: str,
    rule: Rule = "one_to_one",
    min_snr: float = 0.0,
) -> Paired:
    """Return a score or cost of two sorters over the recordings that both sorted."""
    flat = recording_rows(rows, rule, min_snr)
    values = {
        (line["recording"], line["sorter"]): line[column]
        for line in flat
        if line["outcome"] == "ok" and line[column] is not None
    }
    names = dict.fromkeys(line["recording"] for line in flat)
    return _paired(
        [
            (name, float(values[name, first]), float(values[name, second]))
            for name in names
            if (name, first) in values and (name, second) in values
        ]
    )


def difference_over_time(
    rows: Sequence[Row], first: str, second: str, rule: Rule = "one_to_one"
) -> list[tuple[float, Paired]]:
    """Return the start of each bin of time and the mean accuracy of two sorters in it.

    A recording counts in the bins that it has.
    """
    courses = mean_over_time(rows, rule)
    names = [name for name, sorter in courses if sorter == first and (name, second) in courses]
    n_bins = max((len(courses[name, first]) for name in names), default=0)
    bins = []
    for index in range(n_bins):
        pairs = [
            (name, courses[name, first][index], courses[name, second][index])
            for name in names
            if index < min(len(courses[name, first]), len(courses[name, second]))
        ]
        whole = [pair for pair in pairs if np.isfinite(pair[1:]).all()]
        bins.append((index * TIME_BIN_S, _paired(whole)))
    return bins


def _paired(pairs: list[tuple[str, float, float]]) -> Paired:
    left = np.array([pair[1] for pair in pairs], np.float64)
    right = np.array([pair[2] for pair in pairs], np.float64)
    return Paired(
        first=float(left.mean()) if len(pairs) else float("nan"),
        second=float(right.mean()) if len(pairs) else float("nan"),
        difference=paired_difference(left, right, np.random.default_rng(BOOTSTRAP_SEED)),
        pairs=pairs,
    )
