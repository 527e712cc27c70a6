"""What a run ran on: for run.json, the log and ``embersort doctor``. Standard library only."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

RUNTIME_PACKAGES = ("numpy", "scipy", "numba", "spikeinterface", "probeinterface", "neo")
"""Packages whose version can change a result."""

_BYTES_PER_MB = 1_000_000


def describe_machine() -> dict[str, object]:
    """Return platform, processor, cores, memory and versions, as plain values for JSON."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "n_cores": n_cores(),
        "memory_mb": _memory_mb(),
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


def _memory_mb() -> float | None:
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
