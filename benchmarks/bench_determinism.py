"""The same bits: one recording sorted in many ways, each in a process of its own.

``make determinism`` writes the table of docs/reproducibility.md; without ``--write`` it is printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parent.parent / "docs" / "reproducibility.md"
BEGIN, END = "<!-- measured -->", "<!-- end -->"
SAME_KIND = "same processor, other way"
OTHER_KIND = "other instructions"


@dataclass(frozen=True)
class Way:
    """A way to sort, by its options and environment."""

    name: str
    kind: str
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


WAYS = (
    Way("again", SAME_KIND),
    Way("1 worker", SAME_KIND, ("--set", "run.n_workers=1")),
    Way("2 workers", SAME_KIND, ("--set", "run.n_workers=2")),
    Way("5 workers", SAME_KIND, ("--set", "run.n_workers=5")),
    Way("chunks of 0.7 s", SAME_KIND, ("--set", "run.chunk_s=0.7")),
    Way("chunks of 30 s", SAME_KIND, ("--set", "run.chunk_s=30")),
    Way("nothing kept between passes", SAME_KIND, ("--set", "run.keep_mb=0")),
    Way("Dask, local", SAME_KIND, ("--scheduler", "local")),
    Way("4 threads of OpenBLAS", SAME_KIND, (), {"OPENBLAS_NUM_THREADS": "4"}),
    Way("OpenBLAS for Nehalem", OTHER_KIND, (), {"OPENBLAS_CORETYPE": "Nehalem"}),
    Way("OpenBLAS for Sandy Bridge", OTHER_KIND, (), {"OPENBLAS_CORETYPE": "Sandybridge"}),
    Way("OpenBLAS for Haswell", OTHER_KIND, (), {"OPENBLAS_CORETYPE": "Haswell"}),
    Way("OpenBLAS for Skylake-X", OTHER_KIND, (), {"OPENBLAS_CORETYPE": "SkylakeX"}),
    Way("NumPy without AVX-512", OTHER_KIND, (), {"NPY_DISABLE_CPU_FEATURES": "AVX512F"}),
    Way("Numba for Haswell", OTHER_KIND, (), {"NUMBA_CPU_NAME": "haswell"}),
    Way("Numba for any x86-64", OTHER_KIND, (), {"NUMBA_CPU_NAME": "generic"}),
)


def sort(recording: Path, out: Path, way: Way, cache: Path | None = None) -> dict[str, np.ndarray]:
    """Sort in a process of its own and return the arrays of ``spikes.npz``."""
    call = [
        sys.executable,
        "-m",
        "embersort.cli",
        "sort",
        recording,
        "-o",
        out,
        "--no-report",
        "-q",
    ]
    environment = {**os.environ, **way.environment}
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    done = subprocess.run(
        [*map(str, call), *way.options], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(said or f"it ended with status {done.returncode}")
    with np.load(out / "spikes.npz") as arrays:
        return dict(arrays)


def compared(first: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> str:
    """Say how two results differ."""
    if all(first[name].tobytes() == other[name].tobytes() for name in first):
        return "all bits"
    spikes = ("sample_index", "unit_index", "unit_ids")
    if any(not np.array_equal(first[name], other[name]) for name in spikes):
        n_spikes = len(first["sample_index"]), len(other["sample_index"])
        return f"**other spikes** ({n_spikes[0]} and {n_spikes[1]})"
    size = np.abs(first["amplitude"])
    differ = np.abs(first["amplitude"] - other["amplitude"]) / np.maximum(size, 1.0)
    return f"the same spikes; amplitudes differ by {differ.max():.0e} at most"


def measure(n_seconds: float) -> list[str]:
    """Return the rows of the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        call = [
            "simulate",
            "--family",
            "drift",
            "--duration",
            n_seconds,
            "-o",
            folder / "simulated",
        ]
        subprocess.run([sys.executable, "-m", "embersort.cli", *map(str, call), "-q"], check=True)
        recording = folder / "simulated" / "recording"
        first = sort(recording, folder / "first", Way("", ""))
        for number, way in enumerate(WAYS):
            # Kernels for other processors are compiled apart.
            cache = folder / f"kernels{number}" if "NUMBA_CPU_NAME" in way.environment else None
            try:
                said = compared(first, sort(recording, folder / f"out{number}", way, cache))
            except RuntimeError as error:
                said = f"not run here ({error})"
            rows.append(f"| {way.kind} | {way.name} | {said} |")
            print(rows[-1], flush=True)
    return rows


def write_page(rows: list[str], n_seconds: float) -> None:
    """Put the rows, and what they were measured on, into the page."""
    from embersort.machine import describe_machine

    machine = describe_machine()
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    table = [
        f"Measured on {machine['processor']} ({platform.system()}, Python {machine['python']}; "
        f"{packages}), {n_seconds:g} s of a drifting scene:",
        "",
        "| what differs | way | against the first sort |",
        "|---|---|---|",
        *rows,
    ]
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(table) + f"\n{END}{after}", "utf-8")


def main() -> None:
    """Measure, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    rows = measure(given.seconds)
    if given.write:
        write_page(rows, given.seconds)


if __name__ == "__main__":
    main()
