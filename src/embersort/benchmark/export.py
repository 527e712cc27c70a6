"""Results as files that outlive this program: JSON lines, CSV, Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from embersort.benchmark.run import Row
from embersort.benchmark.tables import recording_rows, time_rows, unit_rows
from embersort.errors import BadInput, MissingDependency
from embersort.evaluation.comparison import Rule

RESULTS = "results.jsonl"


def write_results(rows: Iterable[Row], folder: Path) -> Path:
    """Write rows as JSON lines, one per recording and sorter, in place of an earlier file.

    Returns
    -------
    Path
        The file, from which ``read_results`` gives the same rows. A user's home, which tracebacks
        name, is written as ``~``: results are made to be shown to others.
    """
    home = json.dumps(str(Path.home()))[1:-1]
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{RESULTS}.part"
    with part.open("w", encoding="utf-8") as file:
        for row in sorted(rows, key=lambda row: (row.recording, row.sorter)):
            line = json.dumps(row.as_dict(), sort_keys=True)
            file.write(line.replace(f"{home}/", "~/") + "\n")
    return part.replace(folder / RESULTS)


def read_results(folder: Path) -> list[Row]:
    """Read the rows of a folder of results.

    Raises
    ------
    BadInput
        If there is no such file or a line is damaged; names the line.
    """
    path = folder / RESULTS if folder.is_dir() else folder
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; run 'embersort bench run' first") from None
    return [_read_row(line, f"{path}, line {index + 1}") for index, line in enumerate(lines)]


def _read_row(line: str, where: str) -> Row:
    try:
        return Row(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise BadInput(f"{where}: not a row of results: {error}") from None


def export(rows: Sequence[Row], folder: Path, format: str) -> list[Path]:
    """Write flat tables of recordings, true units and units over time, by both rules.

    Parameters
    ----------
    rows : sequence of Row
    folder : Path
    format : {"csv", "parquet"}

    Raises
    ------
    MissingDependency
        If Parquet is asked for and pyarrow is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "recordings": [line for rule in get_args(Rule) for line in recording_rows(rows, rule)],
        "units": [line for rule in get_args(Rule) for line in unit_rows(rows, rule)],
        "units_over_time": [line for rule in get_args(Rule) for line in time_rows(rows, rule)],
    }
    write = _write_csv if format == "csv" else _write_parquet
    return [write(table, folder / f"{name}.{format}") for name, table in tables.items()]


def _write_csv(table: list[dict[str, Any]], path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]) if table else [])
        writer.writeheader()
        writer.writerows(table)
    return path


def _write_parquet(table: list[dict[str, Any]], path: Path) -> Path:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingDependency(
            "Parquet needs pyarrow; install it with 'pip install embersort[bench]'"
        ) from None
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
    return path
