"""What a run runs on, and how it uses it. Standard library only."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

RUNTIME_PACKAGES = ("numpy", "scipy", "numba", "spikeinterface", "probeinterface", "neo")
"""Packages whose version can change a result."""

NEW_OBJECTS = 10_000
"""So many make Python look for cyclic garbage among them; by itself it does at 700."""

_BYTES_PER_MB = 1_000_000

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
"""Names of settings in the GNU C library's malloc.h."""
_NEVER_TRIM = 2**31 - 1


def describe_machine() -> dict[str, object]:
    """Return platform, processor, cores, memory and versions, as plain values for JSON."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "n_cores": n_cores(),
        "memory_mb": memory_mb(),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in RUNTIME_PACKAGES},
    }


def package_version(name: str) -> str | None:
    """Return the installed version of a package, or None. Does not import it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def n_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_mb() -> float | None:
    """Return the largest resident memory of this process so far, or None where unknown."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kibibytes, macOS bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / _BYTES_PER_MB


def collect_rarely() -> None:
    """Look for cyclic garbage seldom, and not at all when the process ends.

    Packages and compiled kernels are 140,000 objects that live as long as the process. To look
    through them again and again, and once more at the end, takes a tenth of a sort of a minute.
    For a process that is ours alone.
    """
    gc.set_threshold(NEW_OBJECTS)
    atexit.register(gc.freeze)


def one_thread_of_linear_algebra() -> None:
    """Keep OpenBLAS from starting threads; to be called before NumPy is loaded.

    A sort runs its own threads and has no use for them, but they wait busily from the moment that
    they are started, those of NumPy's copy of OpenBLAS and those of SciPy's.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let the process use memory that it frees again, until the end of the block.

    The GNU C library hands every large array back to the system, which clears its pages one by one
    when the next is asked for: an eighth of the time of a sort of 384 channels. Threads share what
    is kept. With another C library nothing changes.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        yield
        return
    for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER_TRIM), (_ARENA_MAX, 1)):
        library.mallopt(name, value)
    try:
        yield
    finally:
        library.malloc_trim(0)


def memory_mb() -> float | None:
    """Return the machine's memory, where the system tells it."""
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(n_bytes / _BYTES_PER_MB)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 - not a file on a disk
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
