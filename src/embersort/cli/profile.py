"""``embersort sort --profile``: what each stage of a sort costs, and what start-up does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.cli.compilation import CompileWatch
from embersort.cli.terminal import format_table
from embersort.types import Geometry, Recording

Progress = Callable[[str, float, float], None]
N_PACKAGES = 12
"""Packages whose import is listed, the dearest first."""


@dataclass(kw_only=True, slots=True)
class StageCost:
    """What one stage of a sort cost.

    Attributes
    ----------
    stage : str
    cpu_s, wall_s : float
        Of this process with all its threads; without the compilation of kernels for ``wall_s``.
    compiling_s : float
        Wall time in which kernels were compiled.
    n_reads, n_bytes : int
        Reads of the recording, and the float32 samples that they gave.
    """

    stage: str
    cpu_s: float = 0.0
    wall_s: float = 0.0
    compiling_s: float = 0.0
    n_reads: int = 0
    n_bytes: int = 0


class CountedRecording:
    """A recording that counts what is read of it.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.Lock()
        self.n_reads = self.n_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recording, name)

    @property
    def n_samples(self) -> int:
        """As of the recording."""
        return self._recording.n_samples

    @property
    def sampling_rate_hz(self) -> float:
        """As of the recording."""
        return self._recording.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """As of the recording."""
        return self._recording.geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Read, and count it."""
        traces = self._recording.read(start_sample, stop_sample)
        with self._lock:
            self.n_reads += 1
            self.n_bytes += traces.nbytes
        return traces


class StageProfile:
    """Takes the cost of each stage from the marks by which a sort reports its progress.

    Parameters
    ----------
    progress : callable
        Told what the sort tells this.
    watch : CompileWatch
    recording : CountedRecording, optional
    """

    def __init__(
        self, progress: Progress, watch: CompileWatch, recording: CountedRecording | None = None
    ) -> None:
        self._progress, self._watch, self._recording = progress, watch, recording
        self._stage = "opening"
        self._costs: dict[str, StageCost] = {}
        self._last = self._now()

    def __call__(self, stage: str, done: float, total: float) -> None:
        """End a stage where another begins."""
        if stage != self._stage:
            self._charge()
            self._stage = stage
        self._progress(stage, done, total)

    def costs(self) -> list[StageCost]:
        """Return the cost of each stage so far, in order of first appearance."""
        self._charge()
        return list(self._costs.values())

    def _charge(self) -> None:
        now = self._now()
        wall_s, cpu_s, compiling_s, n_reads, n_bytes = now - self._last
        cost = self._costs.setdefault(self._stage, StageCost(stage=self._stage))
        cost.wall_s += wall_s - compiling_s
        cost.cpu_s += cpu_s
        cost.compiling_s += compiling_s
        cost.n_reads += int(n_reads)
        cost.n_bytes += int(n_bytes)
        self._last = now

    def _now(self) -> NDArray[np.float64]:
        read = self._recording
        counts = (read.n_reads, read.n_bytes) if read is not None else (0, 0)
        return np.array([time.perf_counter(), time.process_time(), self._watch.seconds, *counts])


def stage_table(costs: list[StageCost]) -> str:
    """Return the costs as a table."""
    head = ("stage", "CPU s", "wall s", "compiling s", "reads", "MB read")
    total = StageCost(stage="total")
    for cost in costs:
        for name, value in asdict(cost).items():
            if name != "stage":
                setattr(total, name, getattr(total, name) + value)
    rows = [
        (
            cost.stage,
            f"{cost.cpu_s:.2f}",
            f"{cost.wall_s:.2f}",
            f"{cost.compiling_s:.2f}",
            cost.n_reads,
            f"{cost.n_bytes / 1e6:.1f}",
        )
        for cost in [*costs, total]
    ]
    return format_table([head, *rows], numbers=True)


def import_table() -> str:
    """Return the time that importing the sorter takes by package, in a fresh interpreter."""
    called = [sys.executable, "-X", "importtime", "-c", "import embersort.sorting"]
    done = subprocess.run(called, capture_output=True, text=True, check=False)
    seconds = imports_by_package(done.stderr)
    dearest = sorted(seconds.items(), key=lambda item: -item[1])
    rest = sum(value for _, value in dearest[N_PACKAGES:])
    rows = [*dearest[:N_PACKAGES], ("all others", rest), ("total", sum(seconds.values()))]
    return format_table(
        [("import of", "wall s"), *((name, f"{value:.3f}") for name, value in rows)], numbers=True
    )


def imports_by_package(report: str) -> dict[str, float]:
    r"""Return the seconds that each top-level package's own modules take.

    Parameters
    ----------
    report : str
        What ``python -X importtime`` writes: self [us] | cumulative | module.

    Examples
    --------
    >>> imports_by_package("import time:  200 |  500 |   numpy.core\nimport time: 300 | 9 | numpy")
    {'numpy': 0.0005}
    """
    seconds: dict[str, float] = defaultdict(float)
    for line in report.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        if line.startswith("import time:") and own.strip().isdecimal():
            seconds[rest.partition("|")[2].strip().partition(".")[0]] += int(own) / 1e6
    return dict(seconds)
