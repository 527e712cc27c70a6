"""``embersort compare``: the scores of a sorting against the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embersort.cli.terminal import Trust, format_table

if TYPE_CHECKING:
    from embersort.evaluation.comparison import Comparison

app = typer.Typer(add_completion=False)

_WHAT = "folder of embersort sort or simulate, SpikeInterface sorting folder, .npz, or Phy folder"


@app.command()
def compare(
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help=f"The true spikes: {_WHAT}.")],
    sorting: Annotated[Path, typer.Argument(metavar="SORTING", help="The sorting, likewise.")],
    rule: Annotated[
        Literal["one_to_one", "spikeforest"],
        typer.Option(
            help="one_to_one: each found unit answers one true unit, 0.4 ms (SpikeInterface). "
            "spikeforest: the best match of each true unit, 1 ms."
        ),
    ] = "one_to_one",
    tolerance_ms: Annotated[
        float | None, typer.Option(help="Largest distance of two spikes that match.")
    ] = None,
    units: Annotated[bool, typer.Option("--units", help="Also one line per true unit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    trust: Trust = False,
) -> None:
    """Compare a sorting with the truth."""
    from embersort.evaluation.comparison import compare as compare_sortings
    from embersort.recording import load_sorting

    comparison = compare_sortings(
        load_sorting(truth, trust=trust),
        load_sorting(sorting, trust=trust),
        rule=rule,
        tolerance_ms=tolerance_ms,
    )
    if as_json:
        typer.echo(json.dumps({**comparison.summary(), "units": unit_rows(comparison)}, indent=2))
        return
    typer.echo(format_table(summary_rows(comparison)))
    if units:
        rows = unit_rows(comparison)
        header = [list(rows[0])] if rows else []
        lines = [[_short(value) for value in row.values()] for row in rows]
        typer.echo("\n" + format_table([*header, *lines], numbers=True))


def summary_rows(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what a comparison found, as rows of name and value."""
    summary = comparison.summary()
    return [
        ("units found", f"{summary['n_found_units']} (true: {summary['n_true_units']})"),
        ("well detected (accuracy ≥ 0.8)", str(summary["n_well_detected"])),
        ("mean accuracy", f"{summary['accuracy']:.3f}"),
        ("mean precision", f"{summary['precision']:.3f}"),
        ("mean recall", f"{summary['recall']:.3f}"),
        ("false positive units", str(summary["n_false_positive"])),
        ("redundant units", str(summary["n_redundant"])),
        ("over-merged units", str(summary["n_overmerged"])),
    ]


def unit_rows(comparison: Comparison) -> list[dict[str, float | int | None]]:
    """Return one row per true unit, as plain values."""
    rows: list[dict[str, float | int | None]] = []
    for i, unit_id in enumerate(comparison.truth_ids):
        found = int(comparison.matched_index[i])
        rows.append(
            {
                "true_unit": int(unit_id),
                "found_unit": int(comparison.found_ids[found]) if found >= 0 else None,
                "n_spikes": int(comparison.n_truth[i]),
                "accuracy": float(comparison.accuracy[i]),
                "precision": float(comparison.precision[i]),
                "recall": float(comparison.recall[i]),
            }
        )
    return rows


def _short(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
