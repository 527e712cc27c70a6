"""``embersort bench sorters`` and ``bench install``: which sorters there are, and getting them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from embersort.benchmark.home import Home
    from embersort.benchmark.sorters.spec import SorterSpec

NOT_HERE = "–"


def sorters(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sorters to say everything of; default: list all.")
    ] = None,
) -> None:
    """List the sorters with the versions that are installed; with names, all about each.

    That is what it needs and lacks, how it is installed, its settings and where these come from.
    """
    from embersort.benchmark.home import find_home
    from embersort.benchmark.sorters.catalogue import all_sorters, find_sorter
    from embersort.cli.terminal import format_table

    home = find_home()
    if names:
        for name in names:
            typer.echo("\n".join(_described(find_sorter(name, home), home)))
        return
    lines = []
    n_missing = 0
    for spec in all_sorters(home).values():
        version, missing = _state(spec, home)
        n_missing += bool(missing)
        lines.append((spec.name, spec.title, version or NOT_HERE, spec.licence, spec.needs or "–"))
    typer.echo(format_table([("name", "title", "version", "licence", "needs"), *lines]))
    if n_missing:
        typer.echo("\nnot here: what is missing, 'embersort bench sorters NAME' says")


def install(
    names: Annotated[list[str], typer.Argument(help="Sorters, or mearec for the simulator.")],
) -> None:
    """Make the virtual environment (or container image) of each sorter.

    Reports each one's failure and goes on.
    """
    from embersort.benchmark.generators import MEAREC_ENVIRONMENT, MEAREC_REQUIREMENTS
    from embersort.benchmark.home import find_home
    from embersort.benchmark.sorters.catalogue import find_sorter
    from embersort.benchmark.sorters.environments import install as install_sorter
    from embersort.benchmark.sorters.environments import make_environment
    from embersort.errors import BadInput, EmbersortError

    home, failed = find_home(), 0
    for name in names:
        try:
            if name == MEAREC_ENVIRONMENT:
                make_environment(name, MEAREC_REQUIREMENTS, home, typer.echo)
                version = ""
            else:
                version = install_sorter(find_sorter(name, home), home, typer.echo).version
        except EmbersortError as error:
            failed += 1
            typer.echo(f"{name}: {error}", err=True)
        else:
            typer.echo(f"{' '.join(filter(None, (name, version)))} is installed")
    if failed:
        raise BadInput(f"{failed} of {len(names)} could not be installed; see above")


def _state(spec: SorterSpec, home: Home) -> tuple[str, str]:
    """Return the installed version, or what is missing."""
    from embersort.benchmark.sorters.environments import find_installation
    from embersort.errors import EmbersortError

    try:
        return find_installation(spec, home).version, ""
    except EmbersortError as error:
        return "", str(error)


def _described(spec: SorterSpec, home: Home) -> list[str]:
    """Return lines with everything that is known of a sorter."""
    from embersort.benchmark.sorters.spec import no_adaptation

    version, missing = _state(spec, home)
    given = json.dumps(spec.parameters) if spec.parameters else "its own defaults"
    facts = {
        "version": version or f"not here: {missing}",
        "licence": spec.licence,
        "homepage": spec.homepage,
        "runs in": _place(spec),
        "installs": _installs(spec),
        "needs": _needs(spec),
        "settings": given + (", and some by recording" if spec.adapt is not no_adaptation else ""),
        "as said by": spec.settings_source,
    }
    return [f"{spec.name}: {spec.title}", *(f"  {k:<11} {v}" for k, v in facts.items() if v)]


def _place(spec: SorterSpec) -> str:
    """Say where a sorter runs."""
    if spec.command:
        return " ".join(spec.command)
    if spec.image:
        return f"image {spec.image}"
    return f"environment {spec.environment}" if spec.environment else "Embersort's own interpreter"


def _installs(spec: SorterSpec) -> str:
    """Say what installing a sorter does."""
    from embersort.benchmark.sorters.engines import recipe_file

    if spec.image:
        return f"builds the image from {recipe_file(spec)}"
    return "; ".join(f"pip install {line}" for line in spec.requirements)


def _needs(spec: SorterSpec) -> str:
    """Say what a sorter needs, its number of channels too."""
    channels = f"at least {spec.min_channels} channels" if spec.min_channels > 1 else ""
    told = channels in spec.needs
    return spec.needs if told else "; ".join(filter(None, (spec.needs, channels)))
