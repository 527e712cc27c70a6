"""``embersort bench``: every sorter on recordings with known truth, cached and compared."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embersort.cli.bench_registry import app as registry_app
from embersort.cli.bench_results import (
    agree,
    collect,
    compare,
    export,
    log,
    sorter_names,
    table,
)
from embersort.cli.bench_site import serve, site
from embersort.cli.bench_sorters import install, sorters

if TYPE_CHECKING:
    from embersort.benchmark.process import Limits
    from embersort.benchmark.run import Request

EXIT_NO_RESULT = 2

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(registry_app, name="registry", help="List, show, add, fetch and verify recordings.")
for _command in (sorters, install, table, compare, agree, log, collect, export, site, serve):
    app.command()(_command)

Names = Annotated[
    list[str], typer.Argument(help="Suites or recordings (SET/STUDY/NAME, * allowed).")
]
Sorters = Annotated[str, typer.Option("--sorters", help="Sorters, separated by commas.")]
TimeLimit = Annotated[float, typer.Option(help="Wall time per job.")]
MemoryLimit = Annotated[float, typer.Option(help="Memory per job.")]
DiskLimit = Annotated[float, typer.Option(help="Size of a job's working folder.")]
Threads = Annotated[int, typer.Option(help="Threads and processors per job.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="KEY=VALUE: a sorter's setting, value as JSON.")
]
RerunFailed = Annotated[bool, typer.Option("--rerun-failed", help="Run failed jobs again.")]


@app.command()
def run(
    names: Names,
    sorters: Sorters = "embersort",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for results.jsonl.")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="Jobs at a time.")] = 1,
    dask: Annotated[str, typer.Option(help="local, slurm, or nothing.")] = "",
    scheduler: Annotated[str, typer.Option(help="Address of a Dask scheduler.")] = "",
    time_limit_s: TimeLimit = 3600.0,
    memory_limit_gib: MemoryLimit = 16.0,
    disk_limit_gib: DiskLimit = 50.0,
    threads: Threads = 2,
    settings: Settings = None,
    rerun_failed: RerunFailed = False,
) -> None:
    """Run sorters on recordings; what was computed before is not computed again."""
    from embersort.benchmark.dask_engine import dask_executor
    from embersort.benchmark.export import write_results
    from embersort.benchmark.home import find_home
    from embersort.benchmark.run import run_requests
    from embersort.benchmark.tables import markdown

    home = find_home()
    limits = _limits(time_limit_s, memory_limit_gib, disk_limit_gib, threads)
    requests = _requests(names, sorters, limits, settings, rerun_failed)
    kind = scheduler or dask
    with dask_executor(kind, n_jobs=jobs) if kind else nullcontext(None) as executor:
        rows = run_requests(requests, home, executor=executor, n_jobs=jobs, say=typer.echo)
    typer.echo(markdown(rows))
    for row in rows:
        if row.outcome != "ok":
            place = f"{row.recording} {row.sorter}: {row.outcome.replace('_', ' ')}"
            typer.echo(f"{place}: {' | '.join(row.error.splitlines())}", err=True)
    if output is not None:
        typer.echo(f"written: {write_results(rows, output)}")


@app.command()
def plan(
    names: Names,
    sorters: Sorters = "embersort",
    time_limit_s: TimeLimit = 3600.0,
    memory_limit_gib: MemoryLimit = 16.0,
    disk_limit_gib: DiskLimit = 50.0,
    threads: Threads = 2,
    settings: Settings = None,
    rerun_failed: RerunFailed = False,
) -> None:
    """Print one command per job, for any scheduler; running one twice does no harm."""
    from embersort.benchmark.run import plan as plan_requests

    limits = _limits(time_limit_s, memory_limit_gib, disk_limit_gib, threads)
    for line in plan_requests(_requests(names, sorters, limits, settings, rerun_failed)):
        typer.echo(line)


@app.command(name="run-job")
def run_job(
    recording: Annotated[str, typer.Argument(help="SET/STUDY/NAME.")],
    sorter: Annotated[str, typer.Argument(help="Name of a sorter.")],
    time_limit_s: TimeLimit = 3600.0,
    memory_limit_gib: MemoryLimit = 16.0,
    disk_limit_gib: DiskLimit = 50.0,
    threads: Threads = 2,
    settings: Settings = None,
    rerun_failed: RerunFailed = False,
) -> None:
    """Run one job and score it, unless that was done before; say so as one line of JSON.

    Exit code 2 if there is no result, since the recording or the sorter is not there.
    """
    from embersort.benchmark.home import find_home
    from embersort.benchmark.launch import end_with_parent
    from embersort.benchmark.run import carry_out

    end_with_parent()
    limits = _limits(time_limit_s, memory_limit_gib, disk_limit_gib, threads)
    for request in _requests([recording], sorter, limits, settings, rerun_failed):
        row = carry_out(request, find_home())
        summary = row.scores.get("one_to_one", {}).get("summary", {})
        typer.echo(json.dumps({"outcome": row.outcome, "error": row.error, **summary}))
        if not row.result and row.outcome != "failed":
            raise typer.Exit(EXIT_NO_RESULT)


@app.command()
def choose(
    recording: Annotated[Path, typer.Argument(help="Your recording, in any format.")],
    sorters: Annotated[str, typer.Option("--sorters", help="Default: all installed.")] = "",
    units: Annotated[int, typer.Option(help="Known units to put in.")] = 10,
    seconds: Annotated[float, typer.Option(help="Length of the part to use.")] = 60.0,
    repeats: Annotated[int, typer.Option(help="Hybrids, each with other units.")] = 3,
    rate_hz: Annotated[
        float | None, typer.Option(help="Sampling rate, if not in the file.")
    ] = None,
    probe: Annotated[str | None, typer.Option(help="Probe file, if not in the recording.")] = None,
    dtype: Annotated[str | None, typer.Option(help="Sample type of a binary file.")] = None,
    channels: Annotated[int | None, typer.Option(help="Channels of a binary file.")] = None,
) -> None:
    """Say which sorter suits your recording: known units are put in and looked for."""
    from embersort.benchmark.choose import Hybrids, choose_sorter, installed_sorters
    from embersort.benchmark.home import find_home
    from embersort.cli.terminal import format_table
    from embersort.recording import open_recording

    values = {"n_units": units, "seconds": seconds, "n_repeats": repeats}
    hybrids = Hybrids.parse(values, where="hybrids")
    source = open_recording(
        recording,
        sampling_rate_hz=rate_hz,
        probe=probe,
        dtype=dtype,
        n_channels=channels,
    )
    names = sorter_names(sorters) or installed_sorters(find_home())
    choice = choose_sorter(source, names, find_home(), hybrids=hybrids, say=typer.echo)
    typer.echo("\n" + format_table(choice.table(), numbers=True))
    typer.echo(f"\n{choice.advice()}")


def _limits(time_s: float, memory_gib: float, disk_gib: float, n_threads: int) -> Limits:
    from embersort.benchmark.process import Limits

    values = {"time_s": time_s, "memory_gib": memory_gib, "disk_gib": disk_gib}
    return Limits.parse({**values, "n_threads": n_threads}, where="limits")


def _requests(
    names: list[str],
    sorters: str,
    limits: Limits,
    settings: list[str] | None,
    rerun_failed: bool,
) -> list[Request]:
    from embersort.benchmark.catalogue import find_recordings, make_requests
    from embersort.benchmark.home import find_home
    from embersort.benchmark.sorters.catalogue import find_sorter
    from embersort.errors import BadInput

    home = find_home()
    recordings = find_recordings(home, names)
    specs = [find_sorter(name, home) for name in sorter_names(sorters)]
    if not specs:
        raise BadInput("no sorter is named; give --sorters A,B; 'embersort bench sorters' has them")
    overrides = _overrides(settings or [])
    return make_requests(recordings, specs, limits, overrides, rerun_failed=rerun_failed)


def _overrides(settings: list[str]) -> dict[str, Any]:
    from embersort.errors import BadConfig

    overrides = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise BadConfig(f"'{setting}' is not of the form KEY=VALUE")
        try:
            overrides[key] = json.loads(text)
        except json.JSONDecodeError:
            overrides[key] = text
    return overrides
