"""``embersort doctor``: what is installed, which optional parts work, how fast the machine is."""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from embersort.cli.terminal import format_table

app = typer.Typer(add_completion=False)

_OPTIONAL = (
    ("training networks", ("torch",), "pip install 'embersort[train]'"),
    ("speech files", ("soundfile",), "pip install 'embersort[speech]'"),
    ("benchmarks", ("pyarrow", "dask", "distributed", "sklearn"), "pip install 'embersort[bench]'"),
    ("NWB and other HDF5 files", ("h5py",), "pip install 'embersort[hdf5]'"),
    ("MEArec files", ("MEArec",), "pip install MEArec"),
)
"""What it is for, the modules that it needs, and how to get them."""

_REQUIRED = (
    "numpy",
    "scipy",
    "numba",
    "spikeinterface",
    "probeinterface",
    "neo",
    "zarr",
    "pydantic",
    "safetensors",
    "tqdm",
    "psutil",
    "filelock",
    "pooch",
    "jinja2",
)

_BENCH_CHANNELS = 32
_BENCH_RATE_HZ = 30_000
_BENCH_MATRIX = 1024


@app.command()
def doctor(
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile all kernels now, and nothing else.")
    ] = False,
) -> None:
    """Say what is installed, what works, and how fast the machine is."""
    if compile:
        _compile()
        return
    from embersort import __version__
    from embersort.machine import describe_machine, package_version

    machine = describe_machine()
    typer.echo(
        format_table(
            [
                ("embersort", __version__),
                ("python", machine["python"]),
                ("platform", machine["platform"]),
                ("processor", machine["processor"]),
                ("cores", machine["n_cores"]),
                ("memory", f"{machine['memory_mb']} MB"),
            ]
        )
    )
    broken = [(name, problem) for name in _REQUIRED if (problem := _import_problem(name))]
    typer.echo("\nNeeded")
    typer.echo(
        format_table(
            (name, dict(broken).get(name) or package_version(name) or "ok") for name in _REQUIRED
        )
    )
    typer.echo(f"\nWeights of the encoder: {_weights_state()}")
    typer.echo("\nOptional")
    typer.echo(format_table((what, _state(modules, how)) for what, modules, how in _OPTIONAL))
    if broken:
        typer.echo("\nEmbersort cannot sort here: reinstall what is marked above.", err=True)
        raise typer.Exit(1)
    typer.echo("\nSpeed, one process")
    typer.echo(format_table(_speed()))


def _compile() -> None:
    from embersort.cli.compilation import compile_kernels, is_compiled
    from embersort.cli.terminal import Progress

    if is_compiled():
        typer.echo("all kernels are compiled")
        return
    with Progress() as progress:
        watch = compile_kernels(progress)
    typer.echo(f"{watch.n_kernels} kernels compiled in {watch.seconds:.0f} s")


def _import_problem(module: str) -> str | None:
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken installation raises anything
        return f"BROKEN: {type(error).__name__}: {error}"
    return None


def _weights_state() -> str:
    """Say whether the shipped weights are whole."""
    from embersort.embedding.weights import load_shipped
    from embersort.errors import BadWeights

    try:
        load_shipped()
    except (BadWeights, ImportError) as error:
        return f"BROKEN: {error}"
    return "whole, hash as expected"


def _state(modules: tuple[str, ...], how: str) -> str:
    missing = [name for name in modules if find_spec(name) is None]
    return "works" if not missing else f"lacks {', '.join(missing)}: {how}"


def _speed() -> list[tuple[str, Any]]:
    """Time the two things that a sort spends its time on: filtering, and products of matrices."""
    import numpy as np
    from scipy.signal import butter, sosfiltfilt

    rng = np.random.default_rng(0)
    second = rng.standard_normal((_BENCH_RATE_HZ, _BENCH_CHANNELS)).astype(np.float32)
    sos = butter(3, (300, 6000), btype="bandpass", fs=_BENCH_RATE_HZ, output="sos")
    filter_s = _best_of(lambda: sosfiltfilt(sos, second, axis=0))
    matrix = rng.standard_normal((_BENCH_MATRIX, _BENCH_MATRIX)).astype(np.float32)
    product_s = _best_of(lambda: matrix @ matrix)
    return [
        (f"SciPy band-pass of {_BENCH_CHANNELS} channels", f"{1 / filter_s:.0f} times real time"),
        ("product of matrices", f"{2 * _BENCH_MATRIX**3 / product_s / 1e9:.0f} GFLOP/s"),
    ]


def _best_of(work: Any, n_times: int = 3) -> float:
    times = []
    for _ in range(n_times):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
