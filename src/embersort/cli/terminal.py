"""What commands share at the terminal: logging, progress bars, common options, tables."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from types import TracebackType
from typing import Annotated, Any, Self

import typer

Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say what is being done.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress bars; only errors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result there.")]

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Read files even where reading them could run code of whoever made them: pickles, "
        "Python objects, probes and folders that name code.",
    ),
]

_BAR = "{desc:<14} {percentage:3.0f}% |{bar:24}| {elapsed}, {remaining} left, {rate_fmt}"


@contextmanager
def logging_to(*, verbose: bool = False, quiet: bool = False) -> Iterator[StringIO]:
    """Send the log to stderr, as much as is asked for, and all of it to the text that is given.

    The text is what ``run.log`` holds.
    """
    text = StringIO()
    to_text = logging.StreamHandler(text)
    to_text.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    to_terminal = _TerminalHandler()
    to_terminal.setLevel(
        logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING,
    )
    logger = logging.getLogger("embersort")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(to_text)
    logger.addHandler(to_terminal)
    logging.captureWarnings(True)
    try:
        yield text
    except Exception as error:
        # A fault of ours is reported with all that led to it.
        error.add_note(f"The log until then:\n{text.getvalue()}")
        raise
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(to_text)
        logger.removeHandler(to_terminal)
        logger.setLevel(level)
        logger.propagate = propagate


class _TerminalHandler(logging.Handler):
    """Writes above the progress bar rather than through it."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        tqdm.write(f"{prefix}{record.getMessage()}", file=sys.stderr)


class Progress:
    """A progress bar per stage, on stderr; silent where that is not a terminal.

    Call it with the name of the stage, how much of it is done, and how much there is.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._silent = quiet or not sys.stderr.isatty()
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Show how far a stage is."""
        if self._silent:
            return
        if stage != self._stage:
            self._start(stage, total)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _start(self, stage: str, total: float) -> None:
        from tqdm import tqdm

        if self._bar is not None:
            # The next stage has begun, so this one is done, whatever it last said.
            self._bar.update(self._bar.total - self._bar.n)
        self.close()
        self._stage = stage
        self._bar = tqdm(desc=stage, total=total, bar_format=_BAR, file=sys.stderr)

    def close(self) -> None:
        """End the last bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def format_table(rows: Iterable[Sequence[Any]], *, numbers: bool = False) -> str:
    """Return rows of two or more cells as aligned columns.

    Parameters
    ----------
    rows : iterable of sequences
    numbers : bool
        Whether all columns but the first are numbers, aligned to the right.

    Examples
    --------
    >>> print(format_table([("units", 40), ("accuracy", 0.9)]))
    units     40
    accuracy  0.9
    """
    texts = [[str(cell) for cell in row] for row in rows]
    if not texts:
        return ""
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))]

    def line(row: list[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        pad = str.rjust if numbers else str.ljust
        return "  ".join([str.ljust(*first), *(pad(*cell) for cell in others)]).rstrip()

    return "\n".join(line(row) for row in texts)
