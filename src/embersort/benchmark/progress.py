"""How far a suite is, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MINUTES_FROM_S = 100.0
HOURS_FROM_S = 100.0 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long one job took.

    Attributes
    ----------
    sorter : str
    wall_s : float
    """

    sorter: str
    wall_s: float


def time_left_s(waiting: Iterable[str], known: Sequence[Timing], n_at_a_time: int) -> float | None:
    """Return how long the jobs of some sorters may take.

    Parameters
    ----------
    waiting : iterable of str
        The sorter of each job that is not done.
    known : sequence of Timing
        Of jobs that are done, now or in an earlier run.
    n_at_a_time : int
        Jobs that run side by side.

    Returns
    -------
    float or None
        Each job counts as its sorter's mean so far, or where that is not known as the mean of all;
        None where nothing is known.
    """
    if not known:
        return None
    of_all = float(np.mean([timing.wall_s for timing in known]))
    total = 0.0
    for sorter in waiting:
        own = [timing.wall_s for timing in known if timing.sorter == sorter]
        total += float(np.mean(own)) if own else of_all
    return total / max(1, n_at_a_time)


def say_duration(seconds: float) -> str:
    """Return a length of time for people.

    Examples
    --------
    >>> say_duration(45), say_duration(600), say_duration(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < MINUTES_FROM_S:
        return f"{seconds:.0f} s"
    if seconds < HOURS_FROM_S:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
