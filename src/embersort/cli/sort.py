"""``embersort sort``: a recording in, a folder of units out."""

from __future__ import annotations

import dataclasses
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embersort.cli.each import each_part
from embersort.cli.terminal import Overwrite, Progress, Quiet, Trust, Verbose, logging_to
from embersort.machine import one_thread_of_linear_algebra

if TYPE_CHECKING:
    from embersort.config import SortConfig
    from embersort.output.stages import StageStore
    from embersort.signal.tiles import TileMapper
    from embersort.types import Recording, SortResult

app = typer.Typer(add_completion=False)
_log = logging.getLogger(__name__)


@app.command()
def sort(
    recording: Annotated[
        list[str],
        typer.Argument(
            metavar="RECORDING...",
            help="SpikeInterface folder or Zarr, .npy, flat binary, or a file or folder of any "
            "format that SpikeInterface reads. Several are joined in time, in this order.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the result; must not exist yet.")
    ],
    sampling_rate: Annotated[
        float | None, typer.Option(help="Sampling rate in Hz, for .npy and flat binary.")
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(
            help="probeinterface JSON, 'tetrode', 'linear:PITCH' (µm), or a name such as "
            "neuropixels1, np2-4shank or utah. "
            "Replaces the probe that the recording carries."
        ),
    ] = None,
    channels_first: Annotated[
        bool | None,
        typer.Option(
            "--channels-first/--channels-last",
            help="Axis order of .npy, where shape and probe do not tell.",
            show_default=False,
        ),
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Sample type of flat binary, such as int16.")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="Channels in flat binary.")] = None,
    skip_bytes: Annotated[
        int | None, typer.Option(help="Length of the header before the samples of flat binary.")
    ] = None,
    gain: Annotated[
        float | None, typer.Option(help="Microvolt per count of .npy and flat binary, if known.")
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="auto, npy, binary, spikeglx, openephys, intan, blackrock, nwb, mearec, or any "
            "other name that SpikeInterface knows."
        ),
    ] = "auto",
    stream: Annotated[str | None, typer.Option(help="Which of several streams.")] = None,
    segment: Annotated[
        int | None, typer.Option(help="Which of several segments; left out, all are joined.")
    ] = None,
    each: Annotated[
        bool,
        typer.Option("--each", help="Sort each file and segment by itself, into folders in OUT."),
    ] = False,
    start: Annotated[
        float | None, typer.Option(help="Start here (s); times of spikes count from it.")
    ] = None,
    duration: Annotated[float | None, typer.Option(help="Sort this long (s).")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings, by section.")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="pca or encoder: short for --set feature.method=…", metavar="METHOD"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="cpu or cuda, where the networks run: short for --set feature.device=…"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.KEY=VALUE",
            help="One setting, such as detect.threshold=5.5; may be given again.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Compute on Dask: local, slurm, or the address of a scheduler whose workers see "
            "RECORDING under the same path.",
            metavar="tcp://HOST:PORT",
        ),
    ] = None,
    trust: Trust = False,
    overwrite: Overwrite = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Say what start and stages cost: CPU, reads, bytes."),
    ] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Leave report.html out.")] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Sort a recording into units.

    OUT will hold sorting/ (a SpikeInterface folder), units.csv, spikes.npz, templates.npz,
    run.json, run.log and report.html.
    """
    one_thread_of_linear_algebra()
    with logging_to(verbose=verbose, quiet=quiet) as log:
        from embersort.output import RUN_FILE, check_new_folder

        paths = [str(Path(one).expanduser().absolute()) for one in recording]
        inputs = [*paths, config, *([probe] if probe and Path(probe).exists() else [])]
        if not each:
            check_new_folder(out, overwrite=overwrite, marker=RUN_FILE, inputs=inputs)
        short = {"feature.method": features, "feature.device": device}
        chosen = [f"{name}={value}" for name, value in short.items() if value]
        sort_config = read_settings(config, [*(settings or []), *chosen])
        options: dict[str, Any] = {
            "sampling_rate_hz": sampling_rate,
            "probe": str(Path(probe).absolute()) if probe and Path(probe).is_file() else probe,
            "channels_first": channels_first,
            "dtype": dtype,
            "n_channels": channels,
            "skip_bytes": skip_bytes,
            "gain_uv": gain,
            "format": format,
            "stream": stream,
            "segment": segment,
            "start_s": start,
            "duration_s": duration,
        }
        how = {name: value for name, value in options.items() if value is not None}
        run = _Run(
            config=sort_config,
            trust=trust,
            scheduler=scheduler,
            overwrite=overwrite,
            inputs=inputs,
            report=not no_report,
            profile=profile,
            quiet=quiet,
            log=log,
        )
        if not each:
            _sort_into(out, paths[0] if len(paths) == 1 else paths, how, run)
            return
        for name, path, one_how in each_part(paths, how, trust=trust):
            _sort_into(out / name, path, one_how, run)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """What is common to all sorts of one command."""

    config: SortConfig
    trust: bool
    scheduler: str | None
    overwrite: bool
    inputs: list[Any]
    report: bool
    profile: bool
    quiet: bool
    log: StringIO


def _sort_into(out: Path, path: str | list[str], how: dict[str, Any], run: _Run) -> None:
    """Sort a recording, or several joined, and write the result."""
    from embersort.output import (
        RUN_FILE,
        check_new_folder,
        relative_source,
        write_files,
        write_folder,
    )
    from embersort.recording import ReopenedRecording

    check_new_folder(out, overwrite=run.overwrite, marker=RUN_FILE, inputs=run.inputs)
    opened = ReopenedRecording(path, {**how, "trust": run.trust})
    first = path if isinstance(path, str) else path[0]
    source = {
        "path": path,
        "relative_path": relative_source(first, out),
        "opened_with": how,
        "start_s": how.get("start_s", 0.0),
    }
    with _stages(out, opened, run.config, source) as stages:
        result = _timed_sort(
            opened,
            run.config,
            source,
            run.scheduler,
            stages,
            quiet=run.quiet,
            profile=run.profile,
        )

    def write(folder: Path) -> None:
        write_files(result, folder)
        if run.report:
            _write_report(result, opened, folder / "report.html")
        text = run.log.getvalue()
        (folder / "run.log").write_text(text, "utf-8", errors="backslashreplace")

    write_folder(out, write, overwrite=run.overwrite, marker=RUN_FILE, inputs=run.inputs)
    if not run.quiet:
        typer.echo(_summary(result, out))
    if run.profile:
        from embersort.cli.profile import StageCost, import_table, stage_table

        costs = [StageCost(**cost) for cost in result.provenance["stages"]]
        typer.echo(f"\n{stage_table(costs)}\n\n{import_table()}")


def read_settings(config: Path | None, overrides: list[str]) -> SortConfig:
    """Return the settings of a TOML file (or the defaults) with single ones changed.

    Raises
    ------
    BadConfig
        If a name is unknown or a value out of range.
    """
    from embersort.config import SortConfig, read_toml, with_overrides

    values = read_toml(config) if config is not None else {}
    changed = with_overrides(values, overrides)
    return SortConfig.parse(changed, where=str(config) if config and not overrides else "settings")


@contextmanager
def _stages(
    out: Path, recording: Recording, config: SortConfig, source: dict[str, Any]
) -> Iterator[StageStore]:
    """Give the store of finished stages, beside OUT; gone once the sort is done."""
    from embersort.machine import describe_machine
    from embersort.output.stages import stages_beside
    from embersort.recording.watch import Watch

    machine = describe_machine()
    paths = [source["path"]] if isinstance(source["path"], str) else source["path"]
    decisive = {
        "config": config.model_dump(exclude={"run"}),
        "opened_with": source["opened_with"],
        "files": [Watch.of(Path(path)).states() for path in paths],
        "n_samples": recording.n_samples,
        "positions_um": recording.geometry.positions_um.tolist(),
        "machine": [machine[name] for name in ("processor", "python", "packages")],
    }
    stages = stages_beside(out, decisive)
    try:
        yield stages
    except BaseException:
        if stages.holds_any():
            _log.warning(
                "finished stages are kept in %s; the same command goes on from there", stages.folder
            )
        raise
    stages.remove()


def _timed_sort(
    recording: Recording,
    config: SortConfig,
    source: dict[str, Any],
    scheduler: str | None,
    stages: StageStore,
    *,
    quiet: bool,
    profile: bool = False,
) -> SortResult:
    """Sort, and add to the provenance what was sorted, how fast, and in how much memory.

    The compilation of kernels, which happens once per installation, is no part of the speed.
    """
    from embersort.cli.compilation import CompileWatch
    from embersort.cli.profile import CountedRecording, StageProfile
    from embersort.machine import describe_machine, peak_memory_mb
    from embersort.recording import account_of
    from embersort.sorting import sort as sort_recording

    duration_s = recording.n_samples / recording.sampling_rate_hz
    described = {
        **source,
        "n_samples": recording.n_samples,
        "n_channels": recording.geometry.n_channels,
        "sampling_rate_hz": recording.sampling_rate_hz,
    }
    _log.info(
        "%s: %d channels, %.1f s at %g Hz",
        source["path"] if isinstance(source["path"], str) else ", ".join(source["path"]),
        recording.geometry.n_channels,
        duration_s,
        recording.sampling_rate_hz,
    )
    with Progress(quiet=quiet) as progress:
        _compile_first(progress, quiet=quiet)
    started, cpu_started = time.perf_counter(), time.process_time()
    # What Dask's workers read is counted where they are.
    counted = CountedRecording(recording) if profile and scheduler is None else None
    with (
        _mapper(scheduler, config) as mapper,
        Progress(quiet=quiet) as progress,
        CompileWatch() as watch,
    ):
        clock = StageProfile(progress, watch, counted)
        result = sort_recording(
            counted or recording, config, progress=clock, mapper=mapper, stages=stages
        )
        costs = clock.costs()
    total_s = time.perf_counter() - started - watch.seconds
    if not result.sorting.n_units:
        _log.warning("no units were found in %.1f s of recording", duration_s)
    provenance = {
        **result.provenance,
        "recording": {**described, **account_of(recording)},
        "parameters": config.model_dump(),
        "machine": describe_machine(),
        "peak_memory_mb": peak_memory_mb(),
        "cpu_time_s": time.process_time() - cpu_started,
        "times_real_time": duration_s / total_s,
        "stages": [dataclasses.asdict(cost) for cost in costs],
        "command": sys.argv,
    }
    compiling = {cost.stage: cost.compiling_s for cost in costs}
    timings = {name: s - compiling.get(name, 0.0) for name, s in result.timings_s.items()}
    timings["total"] = total_s
    return dataclasses.replace(result, provenance=provenance, timings_s=timings)


def _compile_first(progress: Progress, *, quiet: bool) -> None:
    """Compile the kernels where that was not done before, and say so."""
    from embersort.cli.compilation import compile_kernels, is_compiled

    if is_compiled():
        return
    if not quiet:
        typer.echo("compiling kernels, once per installation; later sorts start at once", err=True)
    watch = compile_kernels(progress)
    _log.info("compiled %d kernels in %.1f s", watch.n_kernels, watch.seconds)


def _mapper(scheduler: str | None, config: SortConfig) -> AbstractContextManager[TileMapper]:
    """Return where the tiles are computed: threads of ours, or a Dask cluster."""
    if scheduler is None:
        from embersort.signal.tiles import map_tiles

        return nullcontext(map_tiles)
    from embersort.sorting.dask_tiles import dask_tiles

    return dask_tiles(scheduler, config.run)


def _write_report(result: SortResult, recording: Recording, path: Path) -> None:
    """Write the report; a fault in it must not cost the user the sorting."""
    from embersort.report import write_report

    try:
        write_report(result, path, recording=recording)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the sorting is worth more
        _log.exception("the report could not be written; the sorting is whole")


def _summary(result: SortResult, out: Path) -> str:
    sorting, page = result.sorting, out.expanduser() / "report.html"
    unit = result.provenance["recording"]["unit"]
    counts = "; amplitudes in counts, the gain is not known" if unit == "counts" else ""
    units = "1 unit" if sorting.n_units == 1 else f"{sorting.n_units} units"
    return (
        f"{units}, {sorting.n_spikes} spikes in {sorting.duration_s:.1f} s of recording; "
        f"sorted in {result.timings_s['total']:.1f} s "
        f"({result.provenance['times_real_time']:.1f} times real time){counts}\n"
        f"{page if page.is_file() else out}"
    )
