"""``embersort bench registry``: which recordings there are, and getting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)

Names = Annotated[
    list[str], typer.Argument(help="Suites or recordings (SET/STUDY/NAME, * allowed).")
]


@app.command(name="list")
def list_recordings(
    pattern: Annotated[str, typer.Argument(help="Suite or recordings, * allowed.")] = "*",
) -> None:
    """List recordings: kind of truth, how to get them, whether they are here."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.home import find_home
    from embersort.benchmark.materialise import find_made
    from embersort.cli.terminal import format_table

    home = find_home()
    lines = [
        (r.name, r.study_set.kind, r.entry.source.kind, "here" if find_made(r, home) else "–")
        for r in find_recordings(home, [pattern])
    ]
    typer.echo(format_table([("recording", "truth", "source", "made"), *lines]))


@app.command()
def show(name: Annotated[str, typer.Argument(help="SET/STUDY/NAME, or SET.")]) -> None:
    """Show everything that the registry says of a recording or study set."""
    from embersort.benchmark.catalogue import load_registry
    from embersort.benchmark.home import find_home
    from embersort.benchmark.registry import choose_recordings, read_study_set, shipped_entries

    registry = load_registry(find_home())
    of_set = {r.study_set.name: r.study_set for r in registry.values()}
    for path in shipped_entries().glob("*.toml"):
        study_set = read_study_set(path)
        of_set.setdefault(study_set.name, study_set)
    if name in of_set:
        typer.echo(json.dumps(of_set[name].model_dump(mode="json"), indent=1))
        return
    for recording in choose_recordings(registry, [name]):
        about = recording.study_set.model_dump(mode="json", exclude={"studies"})
        study = {"study": recording.study.name, "study_description": recording.study.description}
        source = recording.entry.source.model_dump(mode="json")
        typer.echo(json.dumps({"recording": recording.name, **about, **study, **source}, indent=1))


@app.command()
def add(path: Annotated[Path, typer.Argument(help="TOML file of a study set.")]) -> None:
    """Add a study set of your own."""
    from embersort.benchmark.catalogue import add_entry
    from embersort.benchmark.home import find_home

    for name in add_entry(path, find_home()):
        typer.echo(f"added {name}")


@app.command()
def fetch(names: Names) -> None:
    """Make or download recordings; report each one's failure and go on."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.home import find_home
    from embersort.benchmark.materialise import materialise
    from embersort.errors import BadInput, EmbersortError

    home, failed = find_home(), 0
    for recording in find_recordings(home, names):
        try:
            stored = materialise(recording, home)
        except EmbersortError as error:
            failed += 1
            typer.echo(str(error), err=True)
        else:
            typer.echo(f"{recording.name}: {stored.folder}")
    if failed:
        raise BadInput(f"{failed} recordings could not be made; see above")


@app.command()
def verify(names: Names) -> None:
    """Read every byte of the recordings that are here and compare with their hashes."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.exchange import verify_stored
    from embersort.benchmark.home import find_home
    from embersort.benchmark.materialise import find_made
    from embersort.errors import BadInput

    home, bad = find_home(), []
    for recording in find_recordings(home, names):
        stored = find_made(recording, home)
        state = "not here" if stored is None else "good" if verify_stored(stored) else "altered"
        typer.echo(f"{recording.name}: {state}")
        bad += [recording.name] if state == "altered" else []
    if bad:
        raise BadInput(f"{', '.join(bad)}: altered since made; delete the folder and fetch again")
