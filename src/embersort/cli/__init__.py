"""The command line. Nothing slow is imported here, so that an early Ctrl-C is answered, too."""

from __future__ import annotations

from typing import Any

from embersort.cli.ending import run_to_its_end

_LATER = ("COMMANDS", "EXIT_BAD_INPUT", "app")


def main() -> None:
    """Run the command line with the arguments of the process."""
    run_to_its_end(_run)


def _run() -> None:
    from embersort.machine import (
        check_environment,
        collect_rarely,
        keep_freed_memory,
        let_kernels_be_cached,
    )

    collect_rarely()
    keep_freed_memory()
    check_environment()
    let_kernels_be_cached()
    from embersort.cli.commands import app

    app(prog_name="embersort")


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from embersort.cli import commands

        return getattr(commands, name)
    raise AttributeError(f"module 'embersort.cli' has no attribute '{name}'")
