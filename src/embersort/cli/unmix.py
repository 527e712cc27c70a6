"""``embersort unmix``: each neuron's own traces out of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from embersort.cli.terminal import Overwrite, Progress, Quiet, Verbose, format_table, logging_to

if TYPE_CHECKING:
    from embersort.unmixing.unmix import Networks

app = typer.Typer(add_completion=False)


@app.command()
def unmix(
    recording: Annotated[
        str,
        typer.Argument(
            metavar="RECORDING",
            help="Anything that 'embersort sort' reads without options, or the folder of "
            "'embersort simulate'.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the result; must not exist yet.")
    ],
    truth: Annotated[
        Path | None,
        typer.Option(help="Folder of 'embersort simulate': adds ideal masks and scores."),
    ] = None,
    start: Annotated[float | None, typer.Option(help="Start here (s).")] = None,
    duration: Annotated[float | None, typer.Option(help="Unmix this long (s).")] = None,
    shown_from: Annotated[
        float | None, typer.Option(help="Start of the picture's 200 ms (s); default: the middle.")
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="TOML file with settings, by section.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weight file of your own training; default: those shipped.")
    ] = None,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Unmix a recording: the bins of each neuron, its own traces, its spikes, and a picture.

    OUT will hold sorting/ and peak_traces/ (SpikeInterface folders; one channel per unit),
    unmixed.npz (masks and masked traces), unmixed.svg, run.json, and scores.json with --truth.
    """
    from embersort.config import read_toml, with_overrides
    from embersort.output import RUN_FILE, check_new_folder
    from embersort.recording import open_recording
    from embersort.simulate.files import RECORDING
    from embersort.unmixing.folder import PICTURE_FILE, score, shown_range, write_unmixing
    from embersort.unmixing.truth import read_truth
    from embersort.unmixing.unmix import UnmixConfig, masked, prepare

    check_new_folder(
        out, overwrite=overwrite, marker=RUN_FILE, inputs=[recording, truth, config_file, weights]
    )
    values = with_overrides(read_toml(config_file) if config_file else {}, settings or [])
    config = UnmixConfig.parse(values, str(config_file or "--set"))
    source = Path(recording) / RECORDING
    opened = open_recording(
        source if source.is_dir() else recording, start_s=start, duration_s=duration
    )
    shown = shown_range(opened, shown_from)
    simulation = None if truth is None else read_truth(truth, opened.n_samples)
    networks = _networks(weights)
    with logging_to(verbose=verbose, quiet=quiet), Progress(quiet=quiet) as progress:
        prepared = prepare(opened, networks, config, progress)
        unmixing = masked(prepared, progress)
        scored = None if simulation is None else score(prepared, unmixing, simulation, progress)
        facts = {
            "recording": Path(recording).name,
            "path": str(Path(recording).absolute()),
            "encoder_sha256": networks.encoder.sha256,
            "segment_sha256": networks.segment.sha256,
        }
        write_unmixing(prepared, unmixing, out, shown, facts, scored, overwrite=overwrite)
    if quiet:
        return
    typer.echo(f"{unmixing.sorting.n_units} units; see {out / PICTURE_FILE}")
    if scored is not None:
        typer.echo(format_table([(name, f"{value:.3g}") for name, value in scored.summary.items()]))


def _networks(weights: Path | None) -> Networks:
    """Read the networks: the encoder that finds neighbours, and the segment network asked for."""
    from embersort.embedding.segment_weights import (
        load_neighbour_encoder,
        load_segment_weights,
        load_shipped_segment,
    )
    from embersort.unmixing.unmix import Networks

    segment = load_shipped_segment() if weights is None else load_segment_weights(weights)
    return Networks(encoder=load_neighbour_encoder(), segment=segment)
