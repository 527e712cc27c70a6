"""What ``embersort bench`` says about results that are there: tables, comparisons, exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from embersort.benchmark.run import Row

Rule = Annotated[Literal["one_to_one", "spikeforest"], typer.Option(help="How units are matched.")]
MinSnr = Annotated[float, typer.Option(help="Only true units of this SNR or more.")]
Results = Annotated[Path, typer.Argument(help="Folder with results.jsonl, as bench run wrote it.")]


def collect(
    names: Annotated[list[str], typer.Argument(help="Suites or recordings (* allowed).")],
    sorters: Annotated[str, typer.Option("--sorters", help="Sorters, separated by commas.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for results.jsonl.")],
) -> None:
    """Write the newest results that are there, of whatever version; runs nothing.

    Results of other settings than the recommended ones are left out.
    """
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.collect import collect_rows
    from embersort.benchmark.export import write_results
    from embersort.benchmark.home import find_home
    from embersort.benchmark.tables import markdown

    home = find_home()
    recordings, wanted = find_recordings(home, names), sorter_names(sorters)
    rows = collect_rows(recordings, wanted, home)
    typer.echo(markdown(rows))
    found = {(row.recording, row.sorter) for row in rows}
    for sorter in wanted:
        absent = [r.name for r in recordings if (r.name, sorter) not in found]
        if absent:
            none = len(absent) == len(recordings) > 1
            where = "any of the recordings" if none else ", ".join(absent)
            typer.echo(f"no result of {sorter} on {where}", err=True)
    typer.echo(f"written: {write_results(rows, output)}")


def table(
    results: Results,
    rule: Rule = "one_to_one",
    column: Annotated[str, typer.Option(help="Score or cost to show.")] = "accuracy",
    min_snr: MinSnr = 0.0,
    over_time: Annotated[
        bool, typer.Option("--over-time", help="Mean accuracy in each ten seconds instead.")
    ] = False,
) -> None:
    """Print recordings by sorters as a Markdown table."""
    from embersort.benchmark.export import read_results
    from embersort.benchmark.tables import markdown, mean_over_time, sorter_rows
    from embersort.cli.terminal import format_table

    rows = read_results(results)
    if over_time:
        typer.echo(_over_time(mean_over_time(rows, rule)))
        return
    typer.echo(markdown(rows, rule, _column(column), min_snr))
    lines = sorter_rows(rows, rule, min_snr)
    shown = [[_shown(value) for value in line.values()] for line in lines]
    typer.echo("\n" + format_table([list(lines[0]), *shown] if lines else [], numbers=True))


def compare(
    first: Annotated[str, typer.Argument(help="A sorter.")],
    second: Annotated[str, typer.Argument(help="Another sorter.")],
    results: Results,
    rule: Rule = "one_to_one",
    column: Annotated[str, typer.Option(help="Score to show of each recording.")] = "accuracy",
    min_snr: MinSnr = 0.0,
) -> None:
    """Print two sorters side by side, and their mean paired differences with their intervals.

    First the recordings one by one, then every score and cost, then accuracy over time.
    """
    from embersort.benchmark.export import read_results
    from embersort.benchmark.paired import difference, difference_over_time
    from embersort.benchmark.tables import SHOWN_COLUMNS
    from embersort.cli.terminal import format_table
    from embersort.errors import BadInput

    rows = read_results(results)
    _check_known(rows, first, second)
    shown = difference(rows, first, second, _column(column), rule, min_snr)
    if not shown.pairs:
        raise BadInput(f"no recording has a score of both {first} and {second}")
    lines = [(name, *_side_by_side(column, a, b)) for name, a, b in shown.pairs]
    typer.echo(format_table([("recording", first, second, "difference"), *lines], numbers=True))
    left_out = len({row.recording for row in rows}) - len(shown.pairs)
    without = f"; {left_out} left out that not both sorted" if left_out else ""
    over = f"over {shown.difference.n} recordings{without}"
    told = shown.difference.shown(_n_digits(column))
    typer.echo(f"\n{first} − {second}: {told} {over}")
    lines = []
    for name in SHOWN_COLUMNS:
        paired = difference(rows, first, second, name, rule, min_snr)
        means = _side_by_side(name, paired.first, paired.second)[:2]
        lines.append((name, *means, paired.difference.shown(_n_digits(name))))
    header = ("mean", first, second, "difference")
    typer.echo("\n" + format_table([header, *lines], numbers=True))
    lines = [
        (f"{start_s:.0f} s", f"{p.first:.3f}", f"{p.second:.3f}", str(p.difference))
        for start_s, p in difference_over_time(rows, first, second, rule)
    ]
    header = ("accuracy from", first, second, "difference")
    typer.echo("\n" + format_table([header, *lines], numbers=True))


def log(
    recording: Annotated[str, typer.Argument(help="SET/STUDY/NAME.")],
    sorter: Annotated[str, typer.Argument(help="Name of a sorter.")],
) -> None:
    """Print how a sorter's newest job on a recording ended, and the end of what it printed."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.collect import newest_result
    from embersort.benchmark.home import find_home
    from embersort.benchmark.jobs import LOG
    from embersort.benchmark.sorters.catalogue import find_sorter

    home = find_home()
    find_sorter(sorter, home)
    entry = newest_result(find_recordings(home, [recording])[0], sorter, home)
    facts = ("outcome", "exit_code", "sorter_version", "wall_s", "cpu_s", "peak_memory_mib")
    said = ", ".join(f"{name} {entry.record[name]}" for name in facts)
    typer.echo(f"{entry.folder}\n{said}\n")
    typer.echo((entry.folder / LOG).read_text("utf-8", errors="replace"))


def agree(
    recording: Annotated[str, typer.Argument(help="SET/STUDY/NAME.")],
    sorters: Annotated[str, typer.Option("--sorters", help="Sorters, separated by commas.")],
) -> None:
    """Print how far sorters agree on a recording, with or without truth.

    Each row's units are matched one to one with each column's; the mean of
    their agreements is shown, and how many units other sorters have as well.
    """
    from embersort.benchmark.agreement import mean_agreement, n_confirming
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.collect import newest_sortings
    from embersort.benchmark.home import find_home
    from embersort.cli.terminal import format_table

    home, names = find_home(), sorter_names(sorters)
    sortings = newest_sortings(find_recordings(home, [recording])[0], names, home)
    scores = mean_agreement(sortings)
    lines = [[name, *(f"{v:.3f}" for v in row)] for name, row in zip(names, scores, strict=True)]
    typer.echo(format_table([["units of", *names], *lines], numbers=True))
    counts = [["units of", "all", "another has", "all others have"]]
    for name in names:
        confirming = n_confirming(sortings, name)
        shared = (confirming > 0).sum(), (confirming == len(names) - 1).sum()
        counts.append([name, *map(str, (len(confirming), *shared))])
    typer.echo("\n" + format_table(counts, numbers=True))


def export(
    results: Results,
    folder: Annotated[Path, typer.Argument(help="Where the tables go.")],
    format: Annotated[Literal["csv", "parquet"], typer.Option(help="Kind of file.")] = "csv",
) -> None:
    """Write flat tables: one row per recording and sorter, one per true unit."""
    from embersort.benchmark.export import export as export_rows
    from embersort.benchmark.export import read_results

    for path in export_rows(read_results(results), folder, format):
        typer.echo(str(path))


def sorter_names(text: str) -> list[str]:
    """Return the names in a list that commas separate, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _over_time(courses: dict[tuple[str, str], list[float]]) -> str:
    """Return a table of recordings and sorters by bins of time."""
    from embersort.benchmark.scores import TIME_BIN_S
    from embersort.cli.terminal import format_table

    n_bins = max(map(len, courses.values()), default=0)
    bins = [f"{index * TIME_BIN_S:.0f} s" for index in range(n_bins)]
    lines = [
        [*place, *(f"{v:.2f}" for v in values), *[""] * (n_bins - len(values))]
        for place, values in courses.items()
    ]
    return format_table([["recording", "sorter", *bins], *lines], numbers=True)


def _side_by_side(column: str, first: float, second: float) -> tuple[str, str, str]:
    """Return two values and their difference with as many digits as the column is worth."""
    whole = _n_digits(column) == 1 and not (first % 1 or second % 1)
    digits = 0 if whole else _n_digits(column)
    return f"{first:.{digits}f}", f"{second:.{digits}f}", f"{first - second:+.{digits}f}"


def _n_digits(column: str) -> int:
    """Return how many digits after the point a column's mean is worth."""
    from embersort.benchmark.tables import SCORES

    return 3 if column in SCORES else 1


def _column(name: str) -> str:
    """Check the name of a column of the table of recordings."""
    from embersort.benchmark.tables import SHOWN_COLUMNS
    from embersort.errors import BadInput, nearest_name

    if name not in SHOWN_COLUMNS:
        raise BadInput(f"no column is named '{name}'{nearest_name(name, SHOWN_COLUMNS)}")
    return name


def _check_known(rows: list[Row], *sorters: str) -> None:
    from embersort.errors import BadInput, nearest_name

    names = {row.sorter for row in rows}
    for sorter in sorters:
        if sorter not in names:
            raise BadInput(f"no results of '{sorter}'{nearest_name(sorter, names)}")


def _shown(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
