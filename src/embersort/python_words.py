"""The functions of ``import embersort``, which answer in the words of Python.

Messages are written in the words of the command line. Whoever calls a function is told
``gain_uv=`` in place of ``--gain``, and of an argument that does not exist the nearest name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from embersort.errors import EmbersortError, nearest_name

_ARGUMENTS = {
    "sampling-rate": "sampling_rate_hz=",
    "channels": "n_channels=",
    "skip-bytes": "skip_bytes=",
    "gain": "gain_uv=",
    "start": "start_s=",
    "duration": "duration_s=",
    "channels-first": "channels_first=True",
    "channels-last": "channels_first=False",
    "trust": "trust=True",
    "each": "segment=",
    "recording": "recording=",
    **{name: f"{name}=" for name in ("probe", "dtype", "format", "stream", "segment")},
}
_ASIDE = re.compile(r" \((?:in Python )?\w+=(?:True|False)?\)|; in Python [^.;]*")
_OPTION = re.compile(
    rf"--({'|'.join(sorted(map(re.escape, _ARGUMENTS), key=len, reverse=True))})\b( is\b)?"
    r"(?: ('[^']*'|FILE\.json|tetrode|linear:\w+|neuropixels1\b))?"
)


def in_python_words(text: str) -> str:
    """Return a message with arguments of Python in place of options of the command line.

    Examples
    --------
    >>> in_python_words("give --sampling-rate (sampling_rate_hz=) in Hz")
    'give sampling_rate_hz= in Hz'
    >>> in_python_words("give --probe tetrode; --start is -1 s")
    "give probe='tetrode'; start_s is -1 s"
    """
    return _OPTION.sub(_argument, _ASIDE.sub("", text))


def _argument(found: re.Match[str]) -> str:
    name = _ARGUMENTS[found[1]]
    if found[2]:
        return name.rstrip("=") + found[2]
    value = found[3]
    if not value:
        return name
    return f"{name}{value}" if value.startswith("'") else f"{name}'{value}'"


def for_python(function: Callable[..., Any], elsewhere: Iterable[str] = ()) -> Callable[..., Any]:
    """Return a function that answers a wrong call in the words of Python.

    Parameters
    ----------
    function : callable
    elsewhere : iterable of str
        Arguments that it does not have, but ``open_recording`` does.
    """
    known = list(inspect.signature(function).parameters)

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in known:
                raise TypeError(f"{function.__name__}() has no argument '{name}'{_hint(name)}")
        try:
            return function(*args, **kwargs)
        except EmbersortError as error:
            error.args = (in_python_words(str(error)),)
            raise

    def _hint(name: str) -> str:
        if name in elsewhere:
            return f"; open the recording with it: embersort.open_recording(…, {name}=…)"
        return nearest_name(name, known)

    return checked
