"""The study of options as tables and as a page of plots."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from embersort.figure_page import Figure, make_figure, render_page
from embersort.types import FloatArray

N_RESAMPLES = 2000
"""Resamplings behind an interval."""
INTERVAL = (2.5, 97.5)
"""Percentiles of an interval."""
PAGE_NAME = "options.html"

Rows = Sequence[dict[str, Any]]


def mean_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """Return mean and 95 % bootstrap interval (Efron 1979, percentile method).

    Examples
    --------
    >>> mean_interval([0.5, 0.5, 0.5])
    (0.5, 0.5, 0.5)
    """
    data: FloatArray = np.asarray(values, np.float64)
    if len(data) == 0:
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, len(data), (N_RESAMPLES, len(data)))].mean(axis=1)
    low, high = np.percentile(means, INTERVAL)
    return float(data.mean()), float(low), float(high)


def clustering_table(rows: Rows) -> list[list[str]]:
    """Return one line per features and clustering: scores, and the paired gain over PCA."""
    chosen = [row for row in rows if row["task"] == "clustering"]
    lines = [["features", "clustering", "ARI", "unit accuracy", "units found / true", "ARI - PCA"]]
    for features, clustering in _names(chosen, "features", "clustering"):
        here = [r for r in chosen if (r["features"], r["clustering"]) == (features, clustering)]
        pca = {_scene(r): r["ari"] for r in chosen if r["features"] == "pca"
               and r["clustering"] == clustering}  # fmt: skip
        gains = [r["ari"] - pca[_scene(r)] for r in here if _scene(r) in pca]
        found = sum(r["n_found"] for r in here) / max(1, sum(r["n_true"] for r in here))
        lines.append(
            [
                features,
                clustering,
                _shown([r["ari"] for r in here]),
                _shown([r["accuracy"] for r in here]),
                f"{found:.2f}",
                "" if features == "pca" else _shown(gains, signed=True),
            ]
        )
    return lines


def family_table(rows: Rows, clustering: str = "isosplit") -> list[list[str]]:
    """Return the adjusted Rand index of each kind of features by family."""
    chosen = [r for r in rows if r["task"] == "clustering" and r["clustering"] == clustering]
    features = [name for (name,) in _names(chosen, "features")]
    lines = [["family", *features]]
    for (family,) in _names(chosen, "family"):
        means = [
            [r["ari"] for r in chosen if (r["family"], r["features"]) == (family, name)]
            for name in features
        ]
        lines.append([family, *(_shown(values) for values in means)])
    return lines


def detection_table(rows: Rows) -> list[list[str]]:
    """Return one line per detector: area under precision against recall, recall at 95 %."""
    chosen = [row for row in rows if row["task"] == "detection"]
    lines = [["detector", "average precision", "recall at precision 0.95"]]
    for (name,) in _names(chosen, "features"):
        here = [row for row in chosen if row["features"] == name]
        lines.append(
            [
                name,
                _shown([row["average_precision"] for row in here]),
                _shown([row["recall_at_95"] for row in here]),
            ]
        )
    return lines


def whole_table(rows: Rows) -> list[list[str]]:
    """Return one line per features of the sorter: accuracy over true units, and the paired gain."""
    chosen = [row for row in rows if row["task"] == "whole"]
    pca = {_scene(row): row["accuracy"] for row in chosen if row["features"] == "pca"}
    lines = [["features", "accuracy", "well detected / true", "units found / true", "gain"]]
    for (name,) in _names(chosen, "features"):
        here = [row for row in chosen if row["features"] == name]
        gains = [r["accuracy"] - pca[_scene(r)] for r in here if _scene(r) in pca]
        n_true = max(1, sum(row["n_true"] for row in here))
        lines.append(
            [
                name,
                _shown([row["accuracy"] for row in here]),
                f"{sum(row['n_well'] for row in here) / n_true:.3f}",
                f"{sum(row['n_found'] for row in here) / n_true:.2f}",
                "" if name == "pca" else _shown(gains, signed=True),
            ]
        )
    return lines


def write_page(rows: Rows, path: Path) -> None:
    """Write tables and score-against-difficulty plots, one self-contained HTML file."""
    clustering = [r for r in rows if r["task"] == "clustering" and r["clustering"] == "isosplit"]
    figures = [
        _family_figure(family, [r for r in clustering if r["family"] == family])
        for (family,) in _names(clustering, "family")
    ]
    tables = "".join(
        f"<h2>{title}</h2>{_html_table(lines)}"
        for title, lines in (
            ("Pure clustering", clustering_table(rows)),
            ("By family, ISO-SPLIT", family_table(rows)),
            ("Pure detection", detection_table(rows)),
            ("The whole task", whole_table(rows)),
        )
    )
    path.write_text(render_page("What each option is worth", tables, figures), encoding="utf-8")


def _family_figure(family: str, rows: Rows) -> Figure:
    """Draw the adjusted Rand index against the difficulty, one line for each kind of features."""
    traces = []
    for (features,) in _names(rows, "features"):
        here = [r for r in rows if r["features"] == features]
        dial = sorted({r["difficulty"] for r in here})
        spread = [mean_interval([r["ari"] for r in here if r["difficulty"] == d]) for d in dial]
        error = {
            "type": "data",
            "symmetric": False,
            "array": [high - mean for mean, _, high in spread],
            "arrayminus": [mean - low for mean, low, _ in spread],
        }
        means = [mean for mean, _, _ in spread]
        traces.append({"x": dial, "y": means, "error_y": error, "name": features})
    title = f"{family}: ISO-SPLIT"
    return make_figure(traces, title=title, x="difficulty", y="adjusted Rand index", height=360)


def _names(rows: Rows, *columns: str) -> list[tuple[str, ...]]:
    """Return the distinct values of columns, in order of first appearance."""
    return list(dict.fromkeys(tuple(row[column] for column in columns) for row in rows))


def _scene(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["family"], row["difficulty"], row["seed"]


def _shown(values: Sequence[float], *, signed: bool = False) -> str:
    mean, low, high = mean_interval(values)
    sign = "+" if signed else ""
    return f"{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _html_table(lines: list[list[str]]) -> str:
    head, *body = lines
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in body
    )
    return f"<table><tr>{cells}</tr>{rows}</table>"
