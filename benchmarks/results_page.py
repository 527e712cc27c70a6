"""The page of results, written from stored data.

``python benchmarks/results_page.py`` writes ``RESULTS.md`` and ``results.svg``, from the
rows of ``results/*/results.jsonl`` and from ``results/figures.jsonl``, which holds measured figures
that have no such rows. ``--check`` writes nothing and ends with exit code 1 where page and data
differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from embersort.benchmark.export import RESULTS, read_results
from embersort.benchmark.run import Row
from embersort.benchmark.tables import sorter_rows

HERE = Path(__file__).parent
FIGURES = "figures.jsonl"
FIELDS = ("section", "what", "value", "revision", "date", "command", "study")
OWN = "embersort"
LABEL_PX, BAR_PX, LINE_PX = 150, 400, 22


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or compare it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--folder", type=Path, default=HERE, help="holds results/ and studies/")
    options = parser.parse_args(arguments)
    try:
        pages = make_pages(options.folder)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return 0
    differing = [
        path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    for path in differing:
        print(f"{path} differs from its data: run 'python benchmarks/results_page.py'")
    return int(bool(differing))


def make_pages(folder: Path) -> dict[Path, str]:
    """Return the text of page and figure by path, from the data below a folder.

    Raises
    ------
    ValueError
        If a figure lacks a field, or its study does not hold its value.
    """
    results = folder / "results"
    suites = {
        name: read_results(results / name)
        for name in ("dev", "unseen", "real")
        if (results / name / RESULTS).exists()
    }
    figures = read_figures(folder)
    parts = [
        _head(suites),
        "## Development suite\nSettings were chosen on some of these recordings "
        "([study](studies/benchmark.md)).\n\n![Mean accuracy with intervals](results.svg)\n\n"
        + _accuracy_table(suites["dev"]),
        "## Unseen\nOther seeds of the same simulators; two of the ten were looked at later "
        "([study](studies/benchmark.md)).\n\n" + _accuracy_table(suites["unseen"]),
    ]
    if "real" in suites:
        parts.append("## Real hybrids\n" + _accuracy_table(suites["real"]))
    parts += [
        "## Speed and memory\nWhole processes on the development suite, two threads, machines "
        "shared: processor times are upper bounds. Embersort's were taken on a machine half as "
        "fast as that of the others.\n\n" + _cost_table(suites["dev"]),
        "Embersort alone, one thread where nothing else is said:\n\n"
        + _figure_list(figures, "speed"),
        "## Confidence\n" + _figure_table(figures, "confidence"),
        "## What the networks bring\n" + _figure_table(figures, "networks"),
    ]
    return {
        folder / "RESULTS.md": "\n\n".join(parts) + "\n",
        folder / "results.svg": _bars(suites["dev"]),
    }


def read_figures(folder: Path) -> list[dict[str, str]]:
    """Return the measured figures, each checked against the study that it was taken from.

    Raises
    ------
    ValueError
        Naming the line, if a field is missing or the study does not hold the value.
    """
    path = folder / "results" / FIGURES
    figures = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        figure = json.loads(line)
        if tuple(figure) != FIELDS:
            raise ValueError(f"{path}, line {number}: fields must be {', '.join(FIELDS)}")
        study = folder / "studies" / f"{figure['study']}.md"
        if not study.exists() or figure["value"] not in study.read_text("utf-8"):
            raise ValueError(f"{path}, line {number}: {study} does not hold {figure['value']}")
        figures.append(figure)
    return figures


def _head(suites: dict[str, list[Row]]) -> str:
    rows = [row for suite in suites.values() for row in suite]
    digests = sorted({row.result["sorter_digest"][:12] for row in rows if row.sorter == OWN})
    machines = sorted({row.result["machine"] for row in rows if row.result.get("machine")})
    return (
        "# Results\n\nWritten by `python benchmarks/results_page.py` from the rows below "
        "[results](results), and checked by `make check`. "
        f"Embersort's digest: {', '.join(digests)}; machine: {', '.join(machines)}. "
        "Accuracy is the mean over true units, one-to-one rule, 0.4 ms, with its 95 % bootstrap "
        "interval over recordings; `oracle` is given the true templates; sorters that ran on a "
        "part of a suite are left out. Stored rows may be older than the code beside them: the "
        "digest tells. Everything else that was measured stands in [studies](studies), what was "
        "tried in [LOG.md](LOG.md)."
    )


def _table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    rule = "|" + "---|" * len(head)
    return "\n".join(
        ["| " + " | ".join(head) + " |", rule]
        + ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
    )


def _whole_suite(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the sorters that ran on every recording, the best first."""
    n_all = len({row.recording for row in rows})
    lines = [line for line in sorter_rows(rows) if line["n_recordings"] == n_all]
    return sorted(lines, key=lambda line: (-line["accuracy"].mean, line["sorter"]))


def _accuracy_table(rows: Sequence[Row]) -> str:
    head = ("sorter", "recordings", "accuracy [95 %]", "well detected", "false", "redundant")
    return _table(
        (*head, "over-merged"),
        [
            (
                line["sorter"],
                line["n_recordings"] - line["n_failed"],
                line["accuracy"],
                line["n_well_detected"],
                line["n_false_positive"],
                line["n_redundant"],
                line["n_overmerged"],
            )
            for line in _whole_suite(rows)
        ],
    )


def _cost_table(rows: Sequence[Row]) -> str:
    return _table(
        ("sorter", "mean CPU s", "peak MiB"),
        [
            (line["sorter"], f"{line['mean_cpu_s']:.0f}", f"{line['peak_memory_mib']:.0f}")
            for line in _whole_suite(rows)
        ],
    )


def _source(figure: dict[str, str]) -> str:
    stated = [figure[name] for name in ("revision", "date") if figure[name]]
    return ", ".join([*stated, f"[{figure['study']}](studies/{figure['study']}.md)"])


def _figure_list(figures: Sequence[dict[str, str]], section: str) -> str:
    return "\n".join(
        f"- {figure['what']}: {figure['value']} ({_source(figure)}; `{figure['command']}`)"
        for figure in figures
        if figure["section"] == section
    )


def _figure_table(figures: Sequence[dict[str, str]], section: str) -> str:
    own = [figure for figure in figures if figure["section"] == section]
    commands = dict.fromkeys(f"`{figure['command']}`" for figure in own)
    table = _table(
        ("what", "figure", "from"),
        [(figure["what"], figure["value"], _source(figure)) for figure in own],
    )
    return f"Printed by {', '.join(commands)}.\n\n{table}"


def _bars(rows: Sequence[Row]) -> str:
    """Return mean accuracy by sorter as an SVG of bars, each with its interval."""
    lines = _whole_suite(rows)
    shapes = []
    for index, line in enumerate(lines):
        y = index * LINE_PX
        mean, low, high = (
            LABEL_PX + BAR_PX * value
            for value in (line["accuracy"].mean, line["accuracy"].low, line["accuracy"].high)
        )
        colour = "#d1495b" if line["sorter"] == OWN else "#8d99ae"
        shapes += [
            f'<text x="{LABEL_PX - 6}" y="{y + 15}" text-anchor="end">{line["sorter"]}</text>',
            f'<rect x="{LABEL_PX}" y="{y + 4}" width="{mean - LABEL_PX:.1f}" height="14" '
            f'fill="{colour}"/>',
            f'<path d="M{low:.1f} {y + 11}H{high:.1f}" stroke="#222"/>',
            f'<text x="{high + 6:.1f}" y="{y + 15}">{line["accuracy"].mean:.3f}</text>',
        ]
    size = f'width="{LABEL_PX + BAR_PX + 60}" height="{len(lines) * LINE_PX + 4}"'
    style = '<rect width="100%" height="100%" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
        + "\n".join([style, *shapes])
        + "</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
