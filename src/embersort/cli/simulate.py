"""``embersort simulate``: recordings whose spikes are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from embersort.cli.terminal import Overwrite, Quiet

if TYPE_CHECKING:
    from embersort.simulate import Scene, Simulation


class _SceneFirst(TyperGroup):
    """Takes a first argument that is no command for the file of a scene."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> object:  # type: ignore[override]
        """Find the command; ``scene`` where none is named."""
        if args and args[0] not in self.commands:
            args = ["scene", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    add_completion=False,
    cls=_SceneFirst,
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)

_OUT = typer.Option("-o", "--out", help="Folder for recording and truth; must not exist yet.")


@app.command()
def scene(
    file: Annotated[
        Path | None, typer.Argument(help="TOML file of a scene; see docs/simulation.md.")
    ] = None,
    out: Annotated[Path, _OUT] = Path("simulated"),
    family: Annotated[
        str, typer.Option(help="A built-in family of scenes instead of a file, such as drift.")
    ] = "",
    difficulty: Annotated[
        float, typer.Option(help="Difficulty of a family's scene, 0 (easy) to 1 (very hard).")
    ] = 0.5,
    seed: Annotated[int | None, typer.Option(help="Replaces the scene's seed.")] = None,
    duration: Annotated[float | None, typer.Option(help="Replaces the scene's length (s).")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."),
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Also write pictures.html: traces, templates, drift.")
    ] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a scene: recording and truth into a folder (this is the default command)."""
    from embersort.output.folder import check_new_folder
    from embersort.simulate import simulate, write_simulation
    from embersort.simulate.files import RECORDING

    check_new_folder(out, overwrite=overwrite, marker=RECORDING, inputs=[file])
    simulation = simulate(_scene(file, family, difficulty, seed, duration, settings or []))
    write_simulation(simulation, out, overwrite=overwrite)
    if pictures:
        _write_pictures(simulation, out)
    if not quiet:
        _say(simulation, out)


@app.command()
def hybrid(
    recording: Annotated[Path, typer.Argument(help="A recording, in any format that sort reads.")],
    out: Annotated[Path, _OUT] = Path("hybrid"),
    config: Annotated[
        Path | None, typer.Option(help="TOML file: cells, placement, trains, amplitude, drift.")
    ] = None,
    donors: Annotated[
        Path | None,
        typer.Option(help="Result of embersort sort on it: its templates instead of the bank's."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces the config's seed.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Put known units into a real recording; the truth holds these only."""
    from embersort.config import read_toml, with_overrides
    from embersort.output import read_result
    from embersort.output.folder import check_new_folder
    from embersort.recording import open_recording
    from embersort.simulate import Injection, inject, write_simulation
    from embersort.simulate.files import RECORDING

    inputs = [recording, config, donors]
    check_new_folder(out, overwrite=overwrite, marker=RECORDING, inputs=inputs)
    changes = [*(settings or []), *([] if seed is None else [f"seed={seed}"])]
    values = read_toml(config) if config is not None else {}
    injection = Injection.parse(with_overrides(values, changes), where=str(config or "--set"))
    templates = read_result(donors).templates if donors is not None else None
    simulation = inject(open_recording(recording), injection, donors=templates)
    write_simulation(simulation, out, overwrite=overwrite)
    if not quiet:
        _say(simulation, out)


@app.command()
def bank() -> None:
    """List the built-in cells."""
    from embersort.simulate.cell_bank import load_bank

    cells = load_bank()
    for family in sorted({cell.family for cell in cells}):
        members = [cell for cell in cells if cell.family == family]
        typer.echo(f"{family:<24}{members[0].split:<10}{len(members):>4} cells")


def _scene(
    file: Path | None,
    family: str,
    difficulty: float,
    seed: int | None,
    duration_s: float | None,
    settings: list[str],
) -> Scene:
    from embersort.config import read_toml, with_overrides
    from embersort.errors import BadInput
    from embersort.simulate import Scene
    from embersort.simulate.families import family_scene

    if (file is None) == (not family):
        raise BadInput("give either the TOML file of a scene or --family")
    if file is not None:
        values, where = read_toml(file), str(file)
    else:
        values, where = family_scene(family, difficulty).model_dump(), f"--family {family}"
    if seed is not None:
        settings = [*settings, f"seed={seed}"]
    if duration_s is not None:
        settings = [*settings, f"duration_s={duration_s}"]
    return Scene.parse(with_overrides(values, settings), where=where)


def _write_pictures(simulation: Simulation, out: Path) -> None:
    from embersort.simulate.pictures import write_pictures

    write_pictures(simulation, out / "pictures.html")


def _say(simulation: Simulation, out: Path) -> None:
    sorting, geometry = simulation.truth.sorting, simulation.recording.geometry
    typer.echo(
        f"{out}: {sorting.duration_s:g} s of {geometry.n_channels} channels, "
        f"{sorting.n_units} units, {sorting.n_spikes} spikes"
    )
