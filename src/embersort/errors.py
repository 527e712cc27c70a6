"""The one family of errors that a user can cause.

Every error says what is wrong, where, and what to do. The command line turns
them into one line and exit code 2; nothing else is caught there, so a
traceback always means a bug of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EmbersortError(Exception):
    """Base of every error that the user, not the programmer, can mend."""


class BadInput(EmbersortError):
    """A file, array or folder that cannot be used as it is."""


class BadConfig(EmbersortError):
    """A setting that does not exist or is out of its range."""


class BadWeights(EmbersortError):
    """A weight file that is missing, truncated, or not the one expected."""


class MissingDependency(EmbersortError):
    """An optional part was asked for that is not installed."""


MAX_LISTED = 40
"""More valid names than these are no help in a message."""


def nearest_name(name: str, valid: Iterable[str]) -> str:
    """Return a hint such as ``; did you mean 'detect'?``, or all valid names if none is near.

    Where there are more than 40, none is listed.

    Examples
    --------
    >>> nearest_name("detct", ["detect", "filter"])
    "; did you mean 'detect'?"
    """
    valid = sorted(valid)
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; valid names are {', '.join(valid)}" if len(valid) <= MAX_LISTED else ""
