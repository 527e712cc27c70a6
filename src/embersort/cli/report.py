"""``embersort report``: the page of an earlier sort, written anew."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from embersort.cli.terminal import Trust

if TYPE_CHECKING:
    from embersort.types import Recording, SortResult

app = typer.Typer(add_completion=False)
_log = logging.getLogger(__name__)

_OPTIONS: dict[str, Any] = {
    "sampling_rate_hz": int | float,
    "probe": str,
    "channels_first": bool,
    "dtype": str,
    "n_channels": int,
    "gain_uv": int | float,
    "format": str,
    "stream": str,
    "segment": int,
    "start_s": int | float,
    "duration_s": int | float,
}
"""What a result may say of how its recording was opened."""


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
    source = sorted_result.provenance.get("recording", {})
    opened = _open(recording, source, sampling_rate_hz=sampling_rate, probe=probe, trust=trust)
    comparison = None
    if truth is not None:
        comparison = compare(load_sorting(truth, trust=trust), sorted_result.sorting, rule=rule)
    path = write_report(
        sorted_result,
        out if out is not None else result / "report.html",
        recording=opened if _belongs(opened, sorted_result) else None,
        comparison=comparison,
        title=title,
    )
    typer.echo(str(path))


def _open(
    recording: str | None, source: dict[str, Any], **how: float | str | None
) -> Recording | None:
    """Open the recording that is named, or the one that was sorted if it can still be opened."""
    from embersort.errors import EmbersortError
    from embersort.recording import open_recording

    if recording is not None:
        return open_recording(recording, **how)  # type: ignore[arg-type]
    path = source.get("path")
    if not path or not Path(path).exists():
        return None
    given = {name: value for name, value in how.items() if value is not None}
    try:
        return open_recording(path, **{**opened_with(source), **given})
    except EmbersortError as error:
        typer.echo(f"embersort: {error}", err=True)
        return None


def opened_with(source: dict[str, Any]) -> dict[str, Any]:
    """Return the options with which a result says that its recording was opened.

    A result may come from anybody: what it does not need to say, such as that it is to be
    trusted, it does not get to say.
    """
    said = source.get("opened_with", {})
    kinds = _OPTIONS if isinstance(said, dict) else {}
    return {name: said[name] for name, kind in kinds.items() if isinstance(said.get(name), kind)}


def _belongs(recording: Recording | None, result: SortResult) -> bool:
    """Say whether a recording is the one that was sorted; warn if a given one is not."""
    if recording is None:
        typer.echo(
            "embersort: no recording at hand, so no snippets and traces; name it by --recording",
            err=True,
        )
        return False
    fits = (
        recording.geometry.n_channels == result.geometry.n_channels
        and recording.n_samples == result.sorting.n_samples
    )
    if not fits:
        typer.echo(
            f"embersort: the recording has {recording.geometry.n_channels} channels and "
            f"{recording.n_samples} samples, the result {result.geometry.n_channels} and "
            f"{result.sorting.n_samples}; written without it",
            err=True,
        )
    return fits
