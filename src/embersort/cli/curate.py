"""``embersort curate``: what a person decided, applied to a result."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embersort.cli.terminal import Overwrite, Quiet, Verbose, logging_to

if TYPE_CHECKING:
    from embersort.manual import Step
    from embersort.types import SortResult

app = typer.Typer(add_completion=False)
_log = logging.getLogger(__name__)


@app.command()
def curate(
    result: Annotated[Path, typer.Argument(help="Folder of embersort sort.")],
    apply: Annotated[
        Path | None,
        typer.Option(
            "--apply",
            metavar="FILE",
            help="What was decided: curation.json of the report or of SpikeInterface, Phy's "
            "cluster_group.tsv or its folder, or a CSV of units and labels.",
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last step back.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Another folder for the curated result."),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Leave report.html out.")] = False,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Apply labels, merges and splits to a result.

    The result stays what it is, with its history: original/ holds the sort as it was, curation/
    each step, and --undo takes the last one back.
    """
    with logging_to(verbose=verbose, quiet=quiet):
        from embersort.errors import BadInput
        from embersort.manual import curate_result, read_step, read_steps, write_curated
        from embersort.manual import undo as undo_step
        from embersort.output import RUN_FILE, check_new_folder, read_result, write_folder

        if (apply is None) == (not undo):
            raise BadInput("give --apply FILE or --undo")
        place = out if out is not None else result
        replaces = overwrite or out is None
        before = read_result(result)
        check_new_folder(place, overwrite=replaces, marker=RUN_FILE, inputs=[apply])
        if apply is None:
            after, steps = undo_step(result)
        else:
            step = read_step(apply, before.sorting)
            after, steps = curate_result(before, step, apply), [*read_steps(result), step]

        def write(folder: Path) -> None:
            write_curated(after, steps, result, folder)
            if not no_report:
                _write_report(after, result, folder)

        write_folder(place, write, overwrite=replaces, marker=RUN_FILE, inputs=[apply])
    if not quiet:
        typer.echo(_summary(before, after, steps))
        typer.echo(str(place))


def _write_report(result: SortResult, folder: Path, staging: Path) -> None:
    """Write the report anew; a fault in it must not cost the user the curation."""
    from embersort.errors import EmbersortError
    from embersort.output import open_source
    from embersort.report import write_report

    try:
        recording = open_source(result, folder)
    except EmbersortError as error:
        _log.warning("%s; the report is written without it", error)
        recording = None
    try:
        write_report(result, staging / "report.html", recording=recording)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the curation is worth more
        _log.exception("the report could not be written; the result is whole")


def _summary(before: SortResult, after: SortResult, steps: list[Step]) -> str:
    old, new = (set(r.sorting.unit_ids.tolist()) for r in (before, after))
    gone, made = sorted(old - new), sorted(new - old)
    changed = f"; {_listed(gone)} became {_listed(made)}" if gone or made else ""
    labels = after.unit_table.get("label")
    n_labels = int((labels != "").sum()) if labels is not None else 0
    return (
        f"{len(new)} units (before: {len(old)}){changed}; {n_labels} labelled; "
        f"{len(steps)} steps of curation"
    )


def _listed(units: list[int]) -> str:
    most = 8
    shown = ", ".join(map(str, units[:most])) + (" …" if len(units) > most else "")
    return f"units {shown}" if units else "no unit"
