"""How long each stage of a sort takes, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str, float, float], None]
"""Called with the name of the stage, and how much of how much of it is done."""


class StageClock:
    """Times the stages and reports how far each is."""

    def __init__(self, progress: Progress | None) -> None:
        self.timings_s: dict[str, float] = {}
        self._progress = progress
        self._stage = ""
        self._done = self._total = 0
        self._since = 0.0

    def start(self, stage: str, total: int) -> None:
        """End the stage before and begin another."""
        self.stop()
        self._stage, self._done, self._total = stage, 0, total
        self._since = time.perf_counter()
        self.advance(0)

    def advance(self, n: int) -> None:
        """Say that ``n`` more steps of the stage are done."""
        self._done += n
        if self._progress is not None:
            self._progress(self._stage, self._done, self._total)

    def stop(self) -> None:
        """End the stage, if there is one."""
        if self._stage:
            passed = time.perf_counter() - self._since
            self.timings_s[self._stage] = self.timings_s.get(self._stage, 0.0) + passed
            self._stage = ""
