"""Samples that cannot be voltages: read as 0, counted, and listed by place."""

from __future__ import annotations

import logging
import threading

import numpy as np
from numpy.typing import NDArray

from embersort.types import IntArray

IMPOSSIBLE_UV = 1e7
"""Ten volts: no amplifier for electrodes gives more, so a larger value is none."""
MOST_RANGES = 20_000
"""More places than these are counted, but not listed."""

_log = logging.getLogger(__name__)


class MissingSamples:
    """Replaces samples that are NaN, infinite or impossible by zero, and remembers where.

    Parameters
    ----------
    limit_uv : float
        The largest value that is possible.
    """

    def __init__(self, limit_uv: float = IMPOSSIBLE_UV) -> None:
        self.limit_uv = limit_uv
        self._lock = threading.Lock()
        self._ranges = np.zeros((0, 3), np.int64)
        self._warned = self.more = False

    def cleaned(self, traces: NDArray[np.float32], start_sample: int) -> NDArray[np.float32]:
        """Return ``traces`` with every sample possible; the same array if they all were."""
        if not traces.size:
            return traces
        # A comparison with NaN is false, so one minimum and one maximum miss nothing.
        if traces.min() >= -self.limit_uv and traces.max() <= self.limit_uv:
            return traces
        with np.errstate(invalid="ignore"):
            good = np.abs(traces) <= self.limit_uv
        self._remember(traces, good, start_sample)
        return np.where(good, traces, np.float32(0))

    def ranges(self) -> IntArray:
        """Return channel, first sample and end of each range, shape (n_ranges, 3)."""
        with self._lock:
            return self._ranges

    def _remember(
        self, traces: NDArray[np.float32], good: NDArray[np.bool_], start_sample: int
    ) -> None:
        found = _runs(~good)
        found[:, 1:] += start_sample
        with self._lock:
            first, self._warned = not self._warned, True
            if len(self._ranges) < MOST_RANGES:
                self._ranges = _merged(np.concatenate([self._ranges, found]))
            else:
                self.more = True
        if first:
            channel, begin, _ = found[np.argmin(found[:, 1])]
            _log.warning(
                "%d of the values in samples %d to %d are NaN, infinite or beyond ±%g V (the "
                "first in channel %d at sample %d: %g); they, and any others like them, are read "
                "as 0 and listed in run.json",
                int((~good).sum()),
                start_sample,
                start_sample + len(traces),
                self.limit_uv * 1e-6,
                channel,
                begin,
                traces[begin - start_sample, channel],
            )


def _runs(bad: NDArray[np.bool_]) -> IntArray:
    """Return channel, first row and end of each run of true values down a column."""
    edges = np.diff(np.pad(bad, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    channel, begin = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    return np.stack([channel, begin, end], axis=1).astype(np.int64)


def _merged(ranges: IntArray) -> IntArray:
    """Return ranges of each channel in order, those that touch or overlap as one."""
    ranges = ranges[np.lexsort((ranges[:, 2], ranges[:, 1], ranges[:, 0]))]
    kept: list[list[int]] = []
    for channel, begin, end in ranges.tolist():
        if kept and kept[-1][0] == channel and begin <= kept[-1][2]:
            kept[-1][2] = max(kept[-1][2], end)
        else:
            kept.append([channel, begin, end])
    return np.array(kept, np.int64).reshape(-1, 3)
