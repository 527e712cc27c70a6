"""What must run code to be read is refused, unless the user trusts whoever made it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embersort.errors import BadInput

_here = threading.local()
_installed = threading.Lock()


def untrusted(path: Path, what: str) -> BadInput:
    """Return the error for a file that could run code when it is read.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it holds, as the end of the sentence "PATH holds …".
    """
    return BadInput(
        f"{path} holds {what}; reading it could run code of whoever made it, so it is refused. "
        "If you trust them give --trust (in Python trust=True)"
    )


@contextmanager
def no_pickles(path: Path) -> Iterator[None]:
    """Let nothing in this block, on this thread, be made from a pickle.

    The second wall: files are looked at before a reader of somebody else gets them. Python says of
    each object that a pickle asks for; here the answer is an error.

    Raises
    ------
    BadInput
        In place of the first object.
    """
    if _installed.acquire(blocking=False):
        # An audit hook stays for the life of the process, so there is one.
        sys.addaudithook(_refuse)
    before, _here.path = getattr(_here, "path", None), path
    try:
        yield
    finally:
        _here.path = before


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event == "pickle.find_class":
        path = getattr(_here, "path", None)
        if path is not None:
            raise untrusted(path, "a pickle")
