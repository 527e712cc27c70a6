"""Folders under way: their names, whose they are, and one step from there into place."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embersort.errors import BadInput

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LONGEST = 200
"""Bytes of a name that leave room for what is put around it, of the 255 that a name may have."""
_MOST_PATH = 3900
"""Bytes of a path that leave room for the files in it, of the 4,096 that a path may have."""
_number = itertools.count()
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
"""Linux, <fcntl.h> and <linux/fs.h>."""


def check_name(folder: Path) -> None:
    """Refuse a name that the file system cannot hold.

    Raises
    ------
    BadInput
        If it is too long.
    """
    above = _existing(folder.parent)
    try:
        longest = os.pathconf(above, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        longest = 255
    n_bytes = len(os.fsencode(folder.name))
    if n_bytes > longest:
        raise BadInput(f"the name of {folder} has {n_bytes} bytes, at most {longest} fit")
    if len(os.fsencode(folder.absolute())) > _MOST_PATH:
        raise BadInput(f"{folder} lies too deep: its path has more than {_MOST_PATH} bytes")


def check_writable(folder: Path) -> None:
    """Refuse a place where no folder can be made, by making one.

    Raises
    ------
    BadInput
        If that fails.
    """
    above = _existing(folder.parent)
    trial = above / f".embersort-trial-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be made: {above} is not a folder that you may write to "
            f"({error.strerror})"
        ) from None


@contextmanager
def staging_for(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside ``folder``; what is left of it at the end of the block goes.

    It is locked while this process lives, so that another can tell it from what a killed one left.
    """
    staging = folder.parent / f"{_prefix(folder)}.writing-{os.getpid()}-{next(_number)}"
    shutil.rmtree(staging, ignore_errors=True)
    lock = None
    try:
        staging.mkdir()
        lock = _lock(staging)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def clear_stale(folder: Path) -> None:
    """Remove what killed runs left of ``folder``, and put back an earlier one they had moved."""
    prefix = _prefix(folder)
    try:
        names = [entry.name for entry in os.scandir(folder.parent)]
    except OSError:
        return
    live = False
    for name in names:
        if name.startswith(f"{prefix}.writing-"):
            place = folder.parent / name
            lock = _lock(place)
            if lock is None:
                live = True
                continue
            shutil.rmtree(place, ignore_errors=True)
            os.close(lock)
    earlier = folder.parent / f"{prefix}.earlier"
    if not live and earlier.name in names:
        if os.path.lexists(folder):
            shutil.rmtree(earlier, ignore_errors=True)
        else:
            earlier.rename(folder)


def put_in_place(staging: Path, folder: Path) -> None:
    """Give a finished folder its name in one step; ``staging`` is then what had it before, if any.

    Where the system cannot exchange two names it takes two steps, and a run that is killed in
    between leaves the earlier folder for ``clear_stale`` to put back.
    """
    if not os.path.lexists(folder):
        staging.rename(folder)
    elif not _exchange(staging, folder):
        earlier = folder.parent / f"{_prefix(folder)}.earlier"
        folder.rename(earlier)
        try:
            staging.rename(folder)
        except BaseException:
            earlier.rename(folder)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
    flush_folder(folder.parent)


def flush(folder: Path) -> None:
    """Wait until all below a folder is on the disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(place))


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows has no handles of folders, and needs none.
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def beside(folder: Path, kind: str) -> Path:
    """Return a hidden place beside a folder for what belongs to it."""
    return folder.parent / f"{_prefix(folder)}.{kind}"


def _prefix(folder: Path) -> str:
    """Return how the names of what belongs to ``folder`` begin, hidden and never too long."""
    name = os.fsencode(folder.name)
    if len(name) > _LONGEST:
        name = name[: _LONGEST - 20] + b"-" + hashlib.sha256(name).hexdigest()[:12].encode()
    return f".{os.fsdecode(name)}"


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    above = folder.absolute()
    while not os.path.lexists(above):
        above = above.parent
    return above


def _lock(folder: Path) -> int | None:
    """Lock a folder until its handle is closed; None where another process has it."""
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Held by another process, or on a network disk that cannot say: then it is left alone.
        os.close(handle)
        return None
    return handle


def _exchange(first: Path, second: Path) -> bool:
    """Let two folders take each other's name in one step; False where the system cannot."""
    names = os.fsencode(first), os.fsencode(second)
    library: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        failed = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, _RENAME_EXCHANGE)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code))
