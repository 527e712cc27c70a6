"""``embersort demo``: from nothing to scored units, by the commands that a user would give."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embersort.cli.compare import summary_rows
from embersort.cli.terminal import Quiet, format_table

if TYPE_CHECKING:
    from embersort.evaluation.comparison import Comparison

app = typer.Typer(add_completion=False)

_REPORT = "report.html"


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for everything.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed, another recording.")] = 0,
    duration: Annotated[float | None, typer.Option(help="Length in s, instead of 60.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier demo there.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Simulate 60 s of 32 channels and 40 units, sort it, and compare with the truth.

    OUT will hold simulated/ (recording and truth), sorted/ (the result) and report.html.
    """
    from embersort.output import check_new_folder

    # The marker is what comes first, so that a demo that was cut off can be replaced.
    check_new_folder(out, overwrite=overwrite, marker="simulated")
    simulated, result = out / "simulated", out / "sorted"
    _say(f"simulating a recording with known truth into {simulated}", quiet)
    truth_snr = _simulate(simulated, seed, duration, overwrite=overwrite)
    _sort(simulated / "recording", result, overwrite=overwrite, quiet=quiet)
    comparison = _report(simulated, result, out / _REPORT, truth_snr)
    _say("", quiet)
    typer.echo(format_table([*summary_rows(comparison), *_cost_rows(result)]))
    typer.echo(f"\nThe report is in {out / _REPORT}: open it with a double-click.")


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(text)


def _simulate(folder: Path, seed: int, duration_s: float | None, *, overwrite: bool) -> Any:
    """Write recording and truth; return the signal-to-noise ratio of each true unit."""
    from embersort.simulate import demo_scene, simulate, write_simulation

    scene = demo_scene(seed)
    if duration_s is not None:
        scene = type(scene).parse({**scene.model_dump(), "duration_s": duration_s}, "--duration")
    simulation = simulate(scene)
    write_simulation(simulation, folder, overwrite=overwrite)
    return simulation.truth.unit_snr


def _sort(recording: Path, result: Path, *, overwrite: bool, quiet: bool) -> None:
    """Sort in a process of its own, so that time and memory are those of the sort alone."""
    arguments = ["sort", str(recording), "-o", str(result)]
    _say(f"\n$ embersort {' '.join(arguments)}", quiet)
    sys.stdout.flush()
    extra = [*(["--overwrite"] if overwrite else []), *(["--quiet"] if quiet else [])]
    command = [sys.executable, "-m", "embersort.cli", *arguments, *extra]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise typer.Exit(code)


def _report(simulated: Path, folder: Path, path: Path, truth_snr: Any) -> Comparison:
    """Compare with the truth, and write the report that shows both."""
    from embersort.evaluation.comparison import compare
    from embersort.output import read_result
    from embersort.recording import load_sorting, open_recording
    from embersort.report import write_report

    result = read_result(folder)
    comparison = compare(load_sorting(simulated), result.sorting)
    write_report(
        result,
        path,
        recording=open_recording(simulated / "recording"),
        comparison=comparison,
        truth_snr=truth_snr,
        title="Embersort demo",
    )
    return comparison


def _cost_rows(folder: Path) -> list[tuple[str, str]]:
    run = json.loads((folder / "run.json").read_text("utf-8"))
    memory = run["peak_memory_mb"]
    return [
        ("time to sort", f"{run['timings_s']['total']:.1f} s"),
        ("processor time of the sort", f"{run['cpu_time_s']:.1f} s"),
        ("times faster than real time", f"{run['times_real_time']:.1f}"),
        ("peak memory of the sort", "unknown" if memory is None else f"{memory:.0f} MB"),
    ]
