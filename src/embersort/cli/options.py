"""``embersort options``: the ways to embed and to cluster, compared on scenes with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embersort.cli.terminal import Progress, Quiet, format_table

app = typer.Typer(add_completion=False)


@app.command()
def options(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder; what it has already is not done again.")
    ],
    config_file: Annotated[
        Path | None, typer.Option("--config", help="TOML file with settings of the study.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value; may be repeated.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weight file of your own training; default: those shipped.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Compare features and clusterings on simulated scenes; prints tables, writes options.html."""
    from embersort.config import read_toml, with_overrides
    from embersort.embedding.segment_weights import load_neighbour_encoder, load_shipped_segment
    from embersort.embedding.weights import load_shipped, load_weights
    from embersort.errors import BadConfig
    from embersort.training import options_page
    from embersort.training.options import OptionsConfig, run_options
    from embersort.training.segment_options import Networks

    values = with_overrides(read_toml(config_file) if config_file else {}, settings or [])
    config = OptionsConfig.parse(values, str(config_file or "--set"))
    if weights and set(config.sorts) - {"pca"}:
        raise BadConfig(
            "the whole task is sorted with the shipped weights, --weights names others; "
            "add --set 'sorts=[]'"
        )
    has_segment = "segment" in config.features
    networks = Networks(
        encoder=load_weights(weights) if weights else load_shipped(),
        segment=load_shipped_segment() if has_segment else None,
        neighbours=load_neighbour_encoder() if has_segment else None,
    )
    progress = Progress(quiet=quiet)
    rows = run_options(config, networks, out, progress)
    progress.close()
    for title, table in (
        ("Pure clustering", options_page.clustering_table(rows)),
        ("Adjusted Rand index by family, ISO-SPLIT", options_page.family_table(rows)),
        ("Pure detection", options_page.detection_table(rows)),
        ("The whole task", options_page.whole_table(rows)),
    ):
        typer.echo(f"\n{title}")
        typer.echo(format_table(table))
    options_page.write_page(rows, out / options_page.PAGE_NAME)
    typer.echo(f"\nplots in {out / options_page.PAGE_NAME}")
