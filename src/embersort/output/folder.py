"""New folders that appear whole or not at all, and never at the cost of anything else."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from embersort.errors import BadInput
from embersort.output.contents import check_wholly_ours, write_list
from embersort.output.staging import (
    check_name,
    check_writable,
    clear_stale,
    flush,
    put_in_place,
    staging_for,
)

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_LEAST_FREE_BYTES = 10_000_000
"""With less than this no result fits, so it is better to say so before an hour of work."""

Inputs = Iterable[str | Path | None]


class CannotWrite(BadInput):
    """A folder could not be written; nothing of it is left."""


class KeptElsewhere(BadInput):
    """A finished folder could not take its name; the message says where it is."""


def check_new_folder(
    folder: str | Path, *, overwrite: bool = False, marker: str, inputs: Inputs = ()
) -> None:
    """Refuse at once what ``new_folder`` would refuse after the work is done.

    What killed runs left of the same folder is removed.

    Parameters
    ----------
    inputs : iterable of str or Path
        What is read; a folder that holds any of it is never replaced.

    Raises
    ------
    BadInput
        If ``folder`` exists and may not be replaced, or cannot be made where it is asked for.
    """
    check_name(Path(folder).expanduser())
    folder = _place(folder)
    clear_stale(folder)
    _check_replaceable(folder, overwrite, marker, inputs)
    check_writable(folder)
    above = folder.absolute().parent
    while not above.exists():
        above = above.parent
    if shutil.disk_usage(above).free < _LEAST_FREE_BYTES:
        raise BadInput(f"{folder} cannot be written: the disk is full; free some space")


@contextmanager
def new_folder(
    folder: str | Path, *, overwrite: bool = False, marker: str, inputs: Inputs = ()
) -> Iterator[Path]:
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
        What a folder of this kind has in it. An earlier one is replaced only if all in it was
        written by us, so that a mistyped path never costs anybody their data.
    inputs : iterable of str or Path
        What was read; a folder that holds any of it is never replaced.

    Raises
    ------
    BadInput
        If ``folder`` exists and may not be replaced.
    CannotWrite
        If the disk is full or not writable.
    KeptElsewhere
        If ``folder`` came to be, or changed, meanwhile: the new one is beside it.
    """
    folder = _place(folder)
    clear_stale(folder)
    _check_replaceable(folder, overwrite, marker, inputs)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staging_for(folder) as staging:
            yield staging
            write_list(staging, marker)
            flush(staging)
            try:
                _check_replaceable(folder, overwrite, marker, inputs)
                put_in_place(staging, folder)
            except (BadInput, OSError) as error:
                raise _keep_beside(staging, folder, error) from error
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {_reason(error)}") from error


def write_folder(
    folder: str | Path,
    write: Callable[[Path], None],
    *,
    overwrite: bool = False,
    marker: str,
    inputs: Inputs = (),
) -> Path:
    """Let ``write`` fill a new folder, elsewhere if the disk is full, and return its place.

    Raises
    ------
    BadInput
        As `new_folder`. Where a folder of a temporary or home folder could be written instead,
        the message names it.
    """
    folder = _place(folder)
    try:
        with new_folder(folder, overwrite=overwrite, marker=marker, inputs=inputs) as staging:
            write(staging)
    except CannotWrite as error:
        for other in _other_places(folder):
            try:
                with new_folder(other, marker=marker) as staging:
                    write(staging)
            except (BadInput, OSError):
                continue
            raise KeptElsewhere(f"{error}; the result is kept in {other}") from None
        raise
    return folder


def _place(folder: str | Path) -> Path:
    """Return the folder itself where a link leads to it."""
    place = Path(folder).expanduser()
    return place.resolve() if place.is_symlink() and place.is_dir() else place


def _check_replaceable(folder: Path, overwrite: bool, marker: str, inputs: Inputs) -> None:
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise BadInput(f"{folder} exists; give --overwrite to replace it, or another name")
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give another name")
    for read in inputs:
        if read is not None and Path(read).resolve().is_relative_to(folder.resolve()):
            raise BadInput(
                f"{folder} holds {read}, which is read; give another name for the result"
            )
    check_wholly_ours(folder, marker)


def _keep_beside(staging: Path, folder: Path, error: Exception) -> KeptElsewhere:
    """Give a finished folder the first free name beside the one that it cannot have."""
    n_bytes = 200 - len("-kept-999")
    short = os.fsdecode(os.fsencode(folder.name)[:n_bytes])
    number = 1
    while os.path.lexists(kept := folder.with_name(f"{short}-kept-{number}")):
        number += 1
    staging.rename(kept)
    why = error.strerror if isinstance(error, OSError) else error
    return KeptElsewhere(f"the result is kept in {kept}, since its name is taken: {why}")


def _other_places(folder: Path) -> list[Path]:
    """Return where a result may go that finds no room in its own place."""
    short = os.fsdecode(os.fsencode(folder.name)[:150])
    homes = [Path(tempfile.gettempdir()), Path("~").expanduser(), Path.cwd()]
    return [home / f"{short}-kept-{os.getpid()}" for home in homes if home != folder.parent]


def _reason(error: OSError) -> str:
    # NumPy reports a short write without an error number.
    short_write = error.errno is None and "requested and" in str(error)
    if error.errno in _FULL_DISK or short_write:
        return "the disk is full; free some space or give another place (nothing was written)"
    return f"{error.strerror or error} (nothing was written)"
