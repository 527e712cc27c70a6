"""How a command ends: well, told to, or by a fault. One line each, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

EXIT_FAULT = 1
EXIT_BAD_INPUT = 2
_PRINTING = (errno.ENOSPC, errno.EPIPE, errno.EIO)
"""What a full, closed or broken standard output gives; with files, the error names the file."""
_TOLD = ("SIGINT", "SIGTERM", "SIGHUP")
_NAMES = {"SIGINT": "interrupted", "SIGTERM": "told to end (SIGTERM)", "SIGHUP": "hung up"}


class Ended(BaseException):
    """The process was told to end; no handler of errors is to catch it.

    Attributes
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_to_its_end(run: Callable[[], None]) -> None:
    """Run a command and exit: by its own code, 128 + n for signal n, 1 for a fault of ours.

    What the user can mend, too little memory and a full terminal's pipe among it, is one sentence
    and exit code 2. A fault of ours is one sentence, too; its traceback goes to a file.
    """
    code: Any = EXIT_FAULT
    try:
        try:
            _listen()
            run()
            code = 0
        except SystemExit as ended:
            code = ended.code
        except Ended:
            raise
        except BaseException as error:  # noqa: BLE001 - the last resort: whatever it is, one sentence
            code = _say_fault(error)
    except Ended as ended:
        code = 128 + ended.number
        name = _NAMES[signal.Signals(ended.number).name]
        _say(f"{name}; nothing half-written is left")
    if not _flushed():
        code = code or EXIT_BAD_INPUT
    sys.exit(code)


def _listen() -> None:
    """Turn the signals that tell a process to end into an exception that tidies up."""
    for name in _TOLD:
        number = getattr(signal, name, None)
        # Under nohup a hang-up is ignored, and stays so. So does an interrupt in the background.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A file may have a name that is no text.
            stream.reconfigure(errors="backslashreplace")


def _end(number: int, _: FrameType | None) -> None:
    # Told again, it ends at once.
    signal.signal(number, lambda number, _: os._exit(128 + number))
    raise Ended(number)


def _say_fault(error: BaseException) -> int:
    """Say in one sentence what went wrong; return the exit code."""
    from embersort.errors import EmbersortError

    if isinstance(error, EmbersortError):
        _say(str(error))
        return EXIT_BAD_INPUT
    if isinstance(error, MemoryError) or _lacks_memory(error):
        _say(
            "there is not enough memory; give the process more (ulimit -v), or sort less at a time "
            "(--duration)"
        )
        return EXIT_BAD_INPUT
    if isinstance(error, OSError) and error.filename is None and error.errno in _PRINTING:
        _say(f"what is printed cannot be written: {error.strerror or error}")
        return EXIT_BAD_INPUT
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    _say(f"a fault of Embersort's own ({what}); {_keep_traceback(error)}")
    return EXIT_FAULT


def _lacks_memory(error: BaseException) -> bool:
    """Say whether an error is one of those that too little memory takes the form of."""
    text = str(error)
    signs = ("Cannot allocate memory", "failed to map segment", "can't start new thread")
    return any(sign in text for sign in signs)


def _keep_traceback(error: BaseException) -> str:
    """Write the traceback to a file; return where it is, as the end of a sentence."""
    import tempfile
    import traceback

    from embersort import __version__

    text = "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="embersort-fault-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"embersort {__version__}\n{sys.argv}\n\n{text}")
    except OSError:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        return f"please report it, with this place: {last}"
    return f"please report it with the log {path}"


def _say(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"embersort: {text}\n")
        sys.stderr.flush()


def _flushed() -> bool:
    """Write out what was printed; where that fails, drop it, so that Python does not stumble."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
