"""The command line: one file per command, each loaded only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from embersort import __version__
from embersort.errors import EmbersortError

COMMANDS = {
    "demo": "Simulate, sort, compare with the truth, write a report.",
    "sort": "Sort a recording into units.",
    "report": "Write the report of an earlier sort anew.",
    "export": "Export a result to Phy, NWB or SpikeInterface.",
    "curate": "Apply labels, merges and splits to a result.",
    "unmix": "Separate the neurons of a recording into their own traces.",
    "simulate": "Simulate a recording whose spikes are known.",
    "compare": "Compare a sorting with the truth.",
    "bench": "Run sorters on recordings with known truth, and compare them.",
    "train": "Train the networks.",
    "options": "Compare the ways to embed and to cluster.",
    "speech": "Separate the voices of a mixture.",
    "settings": "Print the settings of a sort, what they mean, and where defaults come from.",
    "doctor": "Say what is installed, what works, and how fast the machine is.",
}
"""Name and one line of each command; its file has the same name."""

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


class LazyGroup(TyperGroup):
    """The top of the command line: knows its commands by name, loads the one that is run."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        here = Path(__file__).parent
        for name, summary in COMMANDS.items():
            if (here / f"{name}.py").is_file():
                self.commands[name] = TyperCommand(name, help=summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command by name (or suggest a near one), and load its file."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            command = typer.main.get_command(import_module(f"embersort.cli.{name}").app)
            command.help = command.help or COMMANDS[name]
            _write_plainly(command)
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what the user can mend becomes one line and exit code 2."""
        try:
            return super().invoke(ctx)
        except EmbersortError as error:
            typer.echo(f"embersort: {error}", err=True)
            raise typer.Exit(EXIT_BAD_INPUT) from error
        except KeyboardInterrupt:
            typer.echo("\nembersort: interrupted; nothing half-written is left", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _write_plainly(command: Any) -> None:
    """Let a command and those below it write plain help: faster, and the same in a log."""
    command.rich_markup_mode = None
    for below in getattr(command, "commands", {}).values():
        _write_plainly(below)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"embersort {__version__}")
        raise typer.Exit


@app.callback()
def embersort(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Spike sorting by deep clustering: from a raw recording to scored units."""
