"""What a run runs on, and how it uses it. Standard library only."""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import platform
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from embersort.errors import BadConfig

RUNTIME_PACKAGES = ("numpy", "scipy", "numba", "spikeinterface", "probeinterface", "neo")
"""Packages whose version can change a result."""

NEW_OBJECTS = 10_000
"""So many make Python look for cyclic garbage among them; by itself it does at 700."""

_THREADS = "NUMBA_NUM_THREADS"
_LEAST_MEMORY_BYTES = 1_500_000_000
"""Address space without which the packages cannot be loaded: OpenBLAS waits for it for ever."""
_CACHE = "NUMBA_CACHE_DIR"

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


def check_environment() -> None:
    """Refuse settings of the environment that the libraries below could not start with.

    Raises
    ------
    BadConfig
        If the number of Numba's threads is none, or the process may have next to no memory.
    """
    limit = _memory_limit_bytes()
    if limit is not None and limit < _LEAST_MEMORY_BYTES:
        raise BadConfig(
            f"this process may have {limit / 1e6:.0f} MB of memory (ulimit -v), "
            f"at least {_LEAST_MEMORY_BYTES / 1e6:.0f} MB are needed to start; raise the limit"
        )
    said = os.environ.get(_THREADS)
    if said is not None and not (said.strip().isdecimal() and int(said) >= 1):
        raise BadConfig(f"{_THREADS} is '{said}', expected a whole number from 1; mend or unset it")


def _memory_limit_bytes() -> int | None:
    """Return how much address space this process may have; None where there is no limit."""
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit in (resource.RLIM_INFINITY, -1) else limit


def let_kernels_be_cached() -> None:
    """Give Numba a folder for compiled kernels where it finds none; call it before Numba is loaded.

    Beside the package and in the user's cache it looks itself, and stops the program if it may
    write to neither: a package of the system's, and a user without a home. The folder is this
    process's alone, since what is in it is run, and goes with it.
    """
    if os.environ.get(_CACHE) or _may_write(Path(__file__).parent) or _may_write(_user_cache()):
        return
    folder = tempfile.mkdtemp(prefix="embersort-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[_CACHE] = folder


def _user_cache() -> Path:
    """Return where Numba keeps kernels for a user."""
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else Path(os.path.expanduser("~")) / ".cache"  # noqa: PTH111


def _may_write(folder: Path) -> bool:
    """Say whether files can be made in a folder, or in the nearest above it that exists."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def one_thread_of_linear_algebra() -> None:
    """Keep OpenBLAS from starting threads; to be called before NumPy is loaded.

    A sort runs its own threads and has no use for them, but they wait busily from the moment that
    they are started, those of NumPy's copy of OpenBLAS and those of SciPy's.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"


def keep_freed_memory() -> None:
    """Let this process use memory that it frees again, until it ends.

    The GNU C library hands every large array back to the system, which clears its pages one by one
    when the next is asked for: an eighth of the time of a sort of 384 channels. Threads share what
    is kept. With another C library nothing changes. It holds for all that runs in the process and
    cannot be taken back, so it is for a process that is ours alone.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        return
    for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER_TRIM), (_ARENA_MAX, 1)):
        library.mallopt(name, value)


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
