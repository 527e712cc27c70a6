"""``embersort bench registry``: which recordings there are, and getting them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from embersort.cli.terminal import Trust

app = typer.Typer(add_completion=False, no_args_is_help=True)

Names = Annotated[
    list[str],
    typer.Argument(help="Suites, study sets or recordings (SET/STUDY/NAME, * allowed)."),
]


@app.command(name="list")
def list_recordings(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Suites, study sets or recordings, * allowed; default all."),
    ] = None,
) -> None:
    """List recordings: kind of truth, how to get them, whether they are here."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.home import find_home
    from embersort.benchmark.materialise import find_all_made, find_made, made_as
    from embersort.cli.terminal import format_table

    home = find_home()
    made = find_all_made(home)
    lines = []
    for recording in find_recordings(home, names or ["*"]):
        state = "here" if find_made(recording, home) else "–"
        if state == "–" and made_as(recording) in made:
            state = "here, made by an earlier version"
        lines.append((recording.name, recording.study_set.kind, recording.entry.source.kind, state))
    typer.echo(format_table([("recording", "truth", "source", "made"), *lines]))


@app.command()
def suites() -> None:
    """List the suites: named choices of recordings, shipped or yours."""
    from embersort.benchmark.catalogue import find_recordings, load_suites
    from embersort.benchmark.home import find_home
    from embersort.cli.terminal import format_table

    home = find_home()
    lines = [
        (suite.name, str(len(find_recordings(home, [suite.name]))), suite.description)
        for suite in load_suites(home).values()
    ]
    typer.echo(format_table([("suite", "recordings", "for"), *lines]))


@app.command()
def show(name: Annotated[str, typer.Argument(help="SET/STUDY/NAME, or SET.")]) -> None:
    """Show everything that is known of a recording, or a study set and its studies, as JSON."""
    from embersort.benchmark.catalogue import describe_recording, describe_set, load_registry
    from embersort.benchmark.home import find_home
    from embersort.benchmark.registry import choose_recordings, read_study_set, shipped_entries

    home = find_home()
    registry = load_registry(home)
    of_set = {r.study_set.name: r.study_set for r in registry.values()}
    for path in shipped_entries().glob("*.toml"):
        study_set = read_study_set(path)
        of_set.setdefault(study_set.name, study_set)
    if name in of_set:
        typer.echo(json.dumps(describe_set(of_set[name]), indent=1))
        return
    for recording in choose_recordings(registry, [name]):
        typer.echo(json.dumps(describe_recording(recording, home), indent=1))


@app.command()
def add(
    path: Annotated[Path, typer.Argument(help="TOML file of a study set.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of a file of that name, added before.")
    ] = False,
) -> None:
    """Add a study set of your own."""
    from embersort.benchmark.catalogue import add_entry
    from embersort.benchmark.home import find_home

    home = find_home()
    for name in add_entry(path, home, replace=replace):
        typer.echo(f"added {name}")
    typer.echo(f"to {home.registry / path.name}")


@app.command()
def fetch(names: Names, trust: Trust = False) -> None:
    """Make or download recordings; report each one's failure and go on."""
    from embersort.benchmark.catalogue import find_recordings
    from embersort.benchmark.home import find_home
    from embersort.benchmark.materialise import materialise
    from embersort.errors import BadInput, EmbersortError

    home, failed = find_home(), 0
    for recording in find_recordings(home, names):
        try:
            stored = materialise(recording, home, trust=trust)
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
    from embersort.benchmark.materialise import find_all_made, find_made, made_as
    from embersort.errors import BadInput

    home, bad = find_home(), []
    made = find_all_made(home)
    for recording in find_recordings(home, names):
        stored = find_made(recording, home) or made.get(made_as(recording))
        state = "not here" if stored is None else "good" if verify_stored(stored) else "altered"
        typer.echo(f"{recording.name}: {state}")
        bad += [recording.name] if state == "altered" else []
    if bad:
        raise BadInput(f"{', '.join(bad)}: altered since made; delete the folder and fetch again")
