"""``embersort train``: networks trained anew from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embersort.cli.terminal import Progress, Quiet, logging_to

app = typer.Typer(add_completion=False)


@app.command()
def train(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder; a stopped training there goes on.")
    ],
    recipe: Annotated[
        str,
        typer.Option(
            help="Name of a shipped recipe (default, context, quick, segment, confidence), "
            "or a TOML file."
        ),
    ] = "default",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto (the GPU where there is one), cpu or cuda.")
    ] = "auto",
    quiet: Quiet = False,
) -> None:
    """Train networks on simulated recordings; writes weights.safetensors and curves."""
    from embersort.config import read_toml, with_overrides
    from embersort.errors import MissingDependency

    try:
        from embersort.training.device import choose_device
        from embersort.training.recipe import Recipe, find_recipe
        from embersort.training.train_confidence import ConfidenceRecipe, train_confidence
        from embersort.training.train_context import ContextRecipe, train_context
        from embersort.training.train_segments import SegmentRecipe, train_segments
        from embersort.training.train_spikes import train_spikes
    except ImportError as error:
        raise MissingDependency(
            f"training needs PyTorch and scikit-learn ({error}); "
            "install them with: pip install 'embersort[train]'"
        ) from None

    where = choose_device(device)
    path = find_recipe(recipe)
    values = with_overrides(read_toml(path), settings or [])
    progress = Progress(quiet=quiet)
    with logging_to(verbose=not quiet, quiet=quiet):
        if values.get("network") == "segment":
            weights = train_segments(SegmentRecipe.parse(values, str(path)), out, progress, where)
        elif values.get("network") == "context":
            weights = train_context(ContextRecipe.parse(values, str(path)), out, progress, where)
        elif values.get("network") == "confidence":
            from embersort.sorting import sort_evidence

            found = ConfidenceRecipe.parse(values, str(path))
            weights = train_confidence(found, out, sort_evidence, progress)
        else:
            weights = train_spikes(Recipe.parse(values, str(path)), out, progress, where)
    progress.close()
    typer.echo(f"weights in {weights}")
