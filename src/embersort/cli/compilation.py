"""When kernels are compiled, and for how long: never a part of a sort's speed."""

from __future__ import annotations

import hashlib
import logging
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numba.core import event
from numpy.typing import NDArray

_EVENT = "numba:compile"
_MARKER = "embersort-compiled"
RATE_HZ = 20_000.0
DURATION_S = 10.0
N_CHANNELS, N_CELLS, N_SPIKES = 12, 6, 120
PITCH_UM, DRIFT_UM = 25.0, 40.0
KERNEL_FOLDERS = (
    "clustering",
    "confidence",
    "curation",
    "embedding",
    "matching",
    "motion",
    "quality",
    "signal",
    "templates",
)
"""Where the kernels of a sort stand: what is compiled depends on the files there."""
N_KERNELS = 360
"""About so many compilations a sort needs, each kernel by its types: the length of the bar."""

_log = logging.getLogger(__name__)


class CompileWatch(event.Listener):
    """Counts the kernels that Numba compiles within a block, and the seconds that it takes.

    What is read from Numba's cache does not count. Several threads that compile at once count once.

    Parameters
    ----------
    tell : callable, optional
        Called with the number of kernels compiled so far, after each.
    """

    def __init__(self, tell: Callable[[int], None] | None = None) -> None:
        self.n_kernels = 0
        self._tell = tell
        self._lock = threading.Lock()
        self._n_open, self._since, self._ended_s = 0, 0.0, 0.0

    @property
    def seconds(self) -> float:
        """Wall time of all compilation so far."""
        with self._lock:
            running = time.perf_counter() - self._since if self._n_open else 0.0
            return self._ended_s + running

    def on_start(self, _: Any) -> None:
        """Take note that a kernel's compilation begins; kernels that it calls come inside."""
        with self._lock:
            if not self._n_open:
                self._since = time.perf_counter()
            self._n_open += 1

    def on_end(self, _: Any) -> None:
        """Take note that one ended."""
        with self._lock:
            self._n_open -= 1
            self.n_kernels += 1
            if not self._n_open:
                self._ended_s += time.perf_counter() - self._since
        if self._tell is not None:
            self._tell(self.n_kernels)

    def __enter__(self) -> Self:
        event.register(_EVENT, self)
        return self

    def __exit__(self, *_: object) -> None:
        event.unregister(_EVENT, self)


def is_compiled() -> bool:
    """Say whether kernels were compiled for this version of the code, Numba and processor."""
    marker = _marker()
    try:
        return marker is not None and marker.read_text("utf-8") == _installation()
    except OSError:
        return False


def compile_kernels(tell: Callable[[str, float, float], None]) -> CompileWatch:
    """Compile what sorts need, by sorting a short scene that drifts.

    Parameters
    ----------
    tell : callable
        Told ``("compiling", done, total)`` after each kernel; the total is a guess.
    """
    from embersort.sorting import sort

    def count(done: int) -> None:
        tell("compiling", done, max(N_KERNELS, done))

    level = logging.getLogger("embersort").level
    with CompileWatch(count) as watch:
        tell("compiling", 0, N_KERNELS)
        logging.getLogger("embersort").setLevel(logging.ERROR)
        try:
            traces, positions_um = warm_up_traces()
            sort(traces, sampling_rate_hz=RATE_HZ, positions_um=positions_um)
        finally:
            logging.getLogger("embersort").setLevel(level)
    marker = _marker()
    if marker is not None:
        try:
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.write_text(_installation(), "utf-8")
        except OSError as error:
            _log.info("compiled kernels could not be marked as such: %s", error)
    return watch


def warm_up_traces() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return traces of a few cells that move along a linear probe, and the channels' positions.

    Not the simulator's, which takes longer to start than this to sort.

    Returns
    -------
    ndarray, shape (n_samples, n_channels), float32
        In microvolt.
    ndarray, shape (n_channels, 2), float64
        In micrometres.
    """
    rng = np.random.default_rng(0)
    n_samples = round(DURATION_S * RATE_HZ)
    depth_um = np.arange(N_CHANNELS) * PITCH_UM
    traces = rng.normal(0, 8, (n_samples, N_CHANNELS)).astype(np.float32)
    time_ms = np.arange(40) / RATE_HZ * 1e3 - 0.5
    for cell in range(N_CELLS):
        width_ms = 0.1 + 0.03 * cell
        shape = -np.exp(-((time_ms / width_ms) ** 2))
        shape += 0.4 * np.exp(-(((time_ms - 3 * width_ms) / (2 * width_ms)) ** 2))
        for start in np.sort(rng.integers(0, n_samples - len(shape), N_SPIKES)):
            moved_um = DRIFT_UM * np.sin(2 * np.pi * start / n_samples)
            distance_um = depth_um - (cell + 0.5) * depth_um[-1] / N_CELLS - moved_um
            height_uv = (80 + 15 * cell) * np.exp(-((distance_um / 30) ** 2))
            traces[start : start + len(shape)] += np.outer(shape, height_uv)
    return traces, np.column_stack([np.zeros(N_CHANNELS), depth_um])


def _marker() -> Path | None:
    """Return the file beside compiled kernels that says of which code they are."""
    from embersort.confidence.trees import _sum

    folder = _sum.stats.cache_path
    return None if folder is None else Path(folder) / _MARKER


def _installation() -> str:
    """Return a hash of what Numba's cache depends on: code, versions, processor."""
    import numba
    from llvmlite.binding import get_host_cpu_name

    import embersort

    package = Path(embersort.__file__).parent
    parts = [numba.__version__, platform.python_version(), get_host_cpu_name()]
    for path in sorted(path for name in KERNEL_FOLDERS for path in (package / name).glob("*.py")):
        facts = path.stat()
        parts.append(f"{path.relative_to(package)} {facts.st_mtime_ns} {facts.st_size}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
