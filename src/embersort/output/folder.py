"""New folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embersort.errors import BadInput

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_LEAST_FREE_BYTES = 10_000_000
"""With less than this no result fits, so it is better to say so before an hour of work."""


def check_new_folder(folder: str | Path, *, overwrite: bool = False, marker: str) -> None:
    """Refuse at once what ``new_folder`` would refuse after the work is done.

    Raises
    ------
    BadInput
        If ``folder`` exists and may not be replaced, or cannot be made where it is asked for.
    """
    folder = Path(folder).expanduser()
    _check_replaceable(folder, overwrite, marker)
    above = folder.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise BadInput(f"{folder} cannot be made: {above} is not a folder that you may write to")
    if shutil.disk_usage(above).free < _LEAST_FREE_BYTES:
        raise BadInput(f"{folder} cannot be written: the disk is full; free some space")


@contextmanager
def new_folder(folder: str | Path, *, overwrite: bool = False, marker: str) -> Iterator[Path]:
    """Give a temporary folder that becomes ``folder`` when the block ends without an error.

    The temporary folder lies beside ``folder``, so that it becomes the result by one rename.
    Whatever ends the block early (an error, Ctrl-C) removes it and leaves ``folder`` as it was.
    The block should only write: an OSError in it is taken for a failure to write.

    Parameters
    ----------
    folder : str or Path
    overwrite : bool
        Whether an earlier folder is replaced.
    marker : str
        An earlier folder is replaced only if it has this in it or is empty, so that a mistyped
        path never costs anybody their data.

    Raises
    ------
    BadInput
        If ``folder`` exists and may not be replaced, or the disk is full or not writable.
    """
    folder = Path(folder).expanduser()
    _check_replaceable(folder, overwrite, marker)
    staging = folder.parent / f".{folder.name}.writing-{os.getpid()}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
        _flush_to_disk(staging)
        _put_in_place(staging, folder)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {_reason(error)}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_replaceable(folder: Path, overwrite: bool, marker: str) -> None:
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise BadInput(f"{folder} exists; give --overwrite to replace it, or another name")
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give another name")
    if not (folder / marker).exists() and any(folder.iterdir()):
        raise BadInput(
            f"{folder} holds other things than a result (it has no {marker}); "
            "it is not replaced, give another name"
        )


def _put_in_place(staging: Path, folder: Path) -> None:
    """Rename the finished folder to its name; an earlier one is removed only after that."""
    if not folder.exists():
        staging.rename(folder)
    else:
        earlier = folder.parent / f".{folder.name}.earlier-{os.getpid()}"
        folder.rename(earlier)
        try:
            staging.rename(folder)
        except BaseException:
            earlier.rename(folder)
            raise
        shutil.rmtree(earlier, ignore_errors=True)
    _flush_folder(folder.parent)


def _flush_to_disk(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(place))


def _flush_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows has no handles of folders, and needs none.
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: OSError) -> str:
    # NumPy reports a short write without an error number.
    short_write = error.errno is None and "requested and" in str(error)
    if error.errno in _FULL_DISK or short_write:
        return "the disk is full; free some space or give another place (nothing was written)"
    return f"{error.strerror or error} (nothing was written)"
