"""What is in a folder that we wrote: listed when it is made, compared before it is replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from embersort.errors import BadInput

LIST = ".embersort.json"
"""File with the path and size of every file that was written with it."""

_DERIVED = frozenset(
    {LIST, "report.html", "pictures.html", ".DS_Store", "Thumbs.db", "desktop.ini"}
)
"""What we write into a finished folder later and can write again, and what desktops leave."""
_SHOWN = 3
_MAX_LIST_BYTES = 100_000_000


def write_list(folder: Path, marker: str) -> None:
    """List what a folder holds, so that later all of it is known to be ours."""
    files = {name: (folder / name).lstat().st_size for name in _names(folder)}
    content = {"made_by": "embersort", "marker": marker, "files": files}
    (folder / LIST).write_text(json.dumps(content, indent=1) + "\n", "ascii")


def check_wholly_ours(folder: Path, marker: str) -> None:
    """Refuse a folder that is not a result, or holds anything else beside one.

    Parameters
    ----------
    folder : Path
    marker : str
        What a result of this kind has in it.

    Raises
    ------
    BadInput
        Naming what is not ours, or was changed.
    """
    if not any(folder.iterdir()):
        return
    if not (folder / marker).exists():
        raise BadInput(
            f"{folder} holds other things than a result (it has no {marker}); "
            "it is not replaced, give another name"
        )
    foreign = sorted(_foreign(folder))
    if foreign:
        shown = ", ".join(ascii(name)[1:-1] for name in foreign[:_SHOWN])
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise BadInput(
            f"{folder} holds other things than a result ({shown}{more}: added or changed since, or "
            "made by something else); it is not replaced, move them or give another name"
        )


def _foreign(folder: Path) -> Iterator[str]:
    """Yield the files that are not as a list of ours has them.

    A folder without a list is ours if all that it holds is.
    """
    listed = _listed(folder)
    if listed is None:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                below = (f"{entry.name}/{name}" for name in _foreign(Path(entry.path)))
                yield from () if _is_staging(entry.name) else below
            elif entry.name not in _DERIVED:
                yield entry.name
        return
    for name in _names(folder):
        if name not in _DERIVED and (folder / name).lstat().st_size != listed.get(name):
            yield name


def _listed(folder: Path) -> dict[str, int] | None:
    try:
        if (folder / LIST).stat().st_size > _MAX_LIST_BYTES:
            return None
        content = json.loads((folder / LIST).read_text("ascii"))
    except (OSError, ValueError, RecursionError):
        return None
    files = content.get("files") if isinstance(content, dict) else None
    return files if isinstance(files, dict) else None


def _names(folder: Path) -> Iterator[str]:
    """Yield every file and link below a folder, by its path in it."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        yield from ((here / name).relative_to(folder).as_posix() for name in [*files, *links])


def _is_staging(name: str) -> bool:
    """Say whether a name is that of a folder which a run had not finished."""
    return name.startswith(".") and ".writing-" in name
