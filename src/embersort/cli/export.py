"""``embersort export``: a result as other tools read it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from embersort.cli.terminal import Overwrite, Quiet, Trust, Verbose, logging_to

if TYPE_CHECKING:
    from embersort.types import Recording, SortResult

app = typer.Typer(add_completion=False)

ZARR = "analyzer.zarr"

MARKERS = {"phy": "params.py", "spikeinterface": "spikeinterface_info.json", "zarr": ZARR}
"""What an exported folder of each kind has in it."""


@app.command()
def export(
    result: Annotated[Path, typer.Argument(help="Folder of embersort sort.")],
    to: Annotated[
        Literal["phy", "nwb", "spikeinterface", "zarr"],
        typer.Option(
            "--to",
            help="phy: a folder for Phy. nwb: an NWB file. spikeinterface, zarr: a SortingAnalyzer "
            "with templates and quality metrics, as plain files or as Zarr.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Folder (a file for nwb); beside RESULT if not given.",
            show_default=False,
        ),
    ] = None,
    recording: Annotated[
        str | None,
        typer.Option(help="What was sorted, where it is no longer where it was."),
    ] = None,
    copy_recording: Annotated[
        bool,
        typer.Option("--copy-recording", help="Put the traces into a Phy folder, to move it."),
    ] = False,
    session_start: Annotated[
        datetime | None,
        typer.Option(help="Start of the recording, for NWB; in UTC."),
    ] = None,
    trust: Trust = False,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Export a result to Phy, NWB or SpikeInterface."""
    with logging_to(verbose=verbose, quiet=quiet):
        from embersort.output import check_new_folder, read_result, write_folder

        sorted_result = read_result(result)
        place = out if out is not None else result.with_name(f"{result.resolve().name}-{to}")
        if to == "nwb":
            place = out if out is not None else result.with_name(f"{result.resolve().name}.nwb")
            start = session_start.replace(tzinfo=UTC) if session_start else None
            _write_nwb(sorted_result, place, start, overwrite=overwrite)
        else:
            marker = MARKERS[to]
            check_new_folder(place, overwrite=overwrite, marker=marker, inputs=[result])
            opened = _source(sorted_result, result, recording, trust=trust)
            place = write_folder(
                place,
                lambda staging: _write(to, sorted_result, opened, staging, copy_recording),
                overwrite=overwrite,
                marker=marker,
                inputs=[result],
            )
            place = place / ZARR if to == "zarr" else place
    typer.echo(str(place))


def _source(
    sorted_result: SortResult, folder: Path, recording: str | None, *, trust: bool
) -> Recording:
    from embersort.errors import BadInput
    from embersort.output import open_source

    opened = open_source(sorted_result, folder, recording, trust=trust or None)
    if opened is None:
        raise BadInput(
            f"the recording of {folder} is not where it was sorted; name it by --recording"
        )
    return opened


def _write(
    to: str, result: SortResult, recording: Recording, staging: Path, copy_recording: bool
) -> None:
    from embersort.export import export_analyzer, export_phy

    if to == "phy":
        # SpikeInterface makes the folder itself.
        export_phy(result, recording, staging / "phy", copy_recording=copy_recording)
        for path in (staging / "phy").iterdir():
            path.rename(staging / path.name)
        (staging / "phy").rmdir()
    elif to == "zarr":
        export_analyzer(result, recording, staging / ZARR, format="zarr")
    else:
        export_analyzer(result, recording, staging)


def _write_nwb(result: SortResult, path: Path, start: datetime | None, *, overwrite: bool) -> None:
    """Write an NWB file, whole or not at all."""
    from embersort.errors import BadInput
    from embersort.export import export_nwb

    if path.is_dir() or (path.exists() and not overwrite):
        raise BadInput(f"{path} exists; give --overwrite to replace it, or another name")
    partial = path.with_name(f".{path.name}.writing-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        export_nwb(result, partial, session_start=start)
        partial.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
