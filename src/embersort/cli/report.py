"""``embersort report``: the page of an earlier sort, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embersort.cli.terminal import Trust

if TYPE_CHECKING:
    from embersort.types import Recording, SortResult

app = typer.Typer(add_completion=False)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="Folder of embersort sort.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="HTML file; report.html in the folder if not given."),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(
            help="What was sorted, for snippets and traces; taken from run.json where it is "
            "still there."
        ),
    ] = None,
    sampling_rate: Annotated[
        float | None, typer.Option(help="Sampling rate in Hz, for .npy and flat binary.")
    ] = None,
    probe: Annotated[str | None, typer.Option(help="Probe, as for embersort sort.")] = None,
    truth: Annotated[
        Path | None, typer.Option(help="True spikes; adds the view of the accuracy.")
    ] = None,
    rule: Annotated[
        Literal["one_to_one", "spikeforest"],
        typer.Option(help="How true and found units are matched."),
    ] = "one_to_one",
    title: Annotated[str, typer.Option(help="Shown at the head of the page.")] = "Embersort report",
    trust: Trust = False,
) -> None:
    """Write the report of an earlier sort anew: one HTML file that opens with no network."""
    from embersort.evaluation.comparison import compare
    from embersort.output import read_result
    from embersort.recording import load_sorting
    from embersort.report import write_report

    sorted_result = read_result(result)
    how = {"sampling_rate_hz": sampling_rate, "probe": probe, "trust": trust or None}
    opened = _open(sorted_result, result, recording, **how)
    comparison = None
    if truth is not None:
        comparison = compare(load_sorting(truth, trust=trust), sorted_result.sorting, rule=rule)
    path = write_report(
        sorted_result,
        out if out is not None else result / "report.html",
        recording=opened,
        comparison=comparison,
        title=title,
    )
    typer.echo(str(path))


def _open(
    result: SortResult, folder: Path, recording: str | None, **how: float | str | bool | None
) -> Recording | None:
    """Open the recording that is named, or that was sorted; warn where it is not at hand."""
    from embersort.errors import BadInput
    from embersort.output import open_source

    try:
        opened = open_source(result, folder, recording, **how)
    except BadInput as error:
        if recording is not None and not Path(recording).exists():
            raise
        typer.echo(f"embersort: {error}; written without it", err=True)
        return None
    if opened is None:
        typer.echo(
            "embersort: no recording at hand, so no snippets and traces; name it by --recording",
            err=True,
        )
    return opened
