"""``embersort settings``: what can be set, what it means, and where each default comes from."""

from __future__ import annotations

import textwrap
from typing import Annotated

import typer

from embersort.cli.terminal import format_table

app = typer.Typer(add_completion=False)

_WIDTH = 96


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")] = False,
) -> None:
    """Print the public settings of a sort: name, default, unit, range, meaning and source.

    `embersort sort --set NAME=VALUE` changes one, `--config FILE` several.
    """
    from embersort.config import declared_settings

    declared = declared_settings()
    if markdown:
        typer.echo(
            "| setting | default | unit | range | meaning | source |\n|---|---|---|---|---|---|"
        )
        for one in declared:
            limits = one.limits.replace("|", "or")
            cells = (f"`{one.name}`", one.default, one.unit, limits, one.sentence, one.source)
            typer.echo("| " + " | ".join(str(cell) for cell in cells) + " |")
        return
    heads = format_table((s.name, s.default, s.unit, s.limits) for s in declared).splitlines()
    for head, one in zip(heads, declared, strict=True):
        typer.echo(head)
        said = f"{one.sentence} Default: {one.source}."
        typer.echo(textwrap.fill(said, _WIDTH, initial_indent="    ", subsequent_indent="    "))
