"""``embersort settings``: what can be set, what it means, and where each default comes from."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from embersort.cli.terminal import format_table

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

app = typer.Typer(add_completion=False)

_WIDTH = 96


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown table.")] = False,
) -> None:
    """Print the public settings of a sort: name, default, unit, range, meaning and source.

    `embersort sort --set NAME=VALUE` changes one, `--config FILE` several.
    """
    from embersort.config import SortConfig

    declared = declared_settings(SortConfig)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A public setting as it is declared.

    Attributes
    ----------
    name : str
        ``section.name``, as ``--set`` takes it.
    default
    unit, limits, sentence, source : str
        See `embersort.config.setting`.
    """

    name: str
    default: Any
    unit: str
    limits: str
    sentence: str
    source: str


def declared_settings(model: type[BaseModel], prefix: str = "") -> list[Setting]:
    """Return all public settings of a config, those of its sections included, in order."""
    from embersort.config_errors import is_model

    found = []
    for name, field in model.model_fields.items():
        if is_model(field.annotation):
            found += declared_settings(field.annotation, f"{prefix}{name}.")  # type: ignore[arg-type]
            continue
        extra = field.json_schema_extra
        declared = extra if isinstance(extra, dict) else {}
        found.append(
            Setting(
                name=prefix + name,
                default=field.default,
                unit=str(declared.get("unit", "")),
                limits=_limits(field),
                sentence=field.description or "",
                source=str(declared.get("source", "")),
            )
        )
    return found


def _limits(field: FieldInfo) -> str:
    """Return the range of a field in signs, or its choices."""
    choices = [str(choice) for choice in get_args(field.annotation)]
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    bounds = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for name, sign in signs.items()
        if hasattr(limit, name)
    ]
    return " | ".join(choices) if choices else ", ".join(bounds)
