"""Which sorter for my recording? Known units are put into it and every sorter looks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from embersort.benchmark.exchange import StoredRecording, store_recording
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import Job, run_job
from embersort.benchmark.process import Limits
from embersort.benchmark.scores import score_result
from embersort.benchmark.sorters.catalogue import all_sorters, find_sorter
from embersort.benchmark.sorters.environments import find_installation
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.benchmark.statistics import Interval, bootstrap_mean, paired_difference
from embersort.config import Config
from embersort.errors import BadInput, EmbersortError
from embersort.recording import Excerpt
from embersort.types import Recording
from embersort.units import s_to_samples

BOOTSTRAP_SEED = 0
NEAR_BEST = 0.05
"""A sorter whose mean accuracy is further behind the best one's is not recommended for its speed,
however wide the interval."""
MIN_SNR, MAX_SNR = 4.0, 15.0
"""Range of the injected units' SNR: below, no sorter finds much; above, every one does."""


class Hybrids(Config):
    """How the recording is tried: parts of it with known units put in."""

    n_units: int = Field(10, ge=1)
    """Units put in per hybrid; they change the recording least where they are few."""
    seconds: float = Field(60.0, gt=0)
    """Length of the part of the recording that is used, from its middle."""
    n_repeats: int = Field(3, ge=1)
    """Hybrids, each with other units at other places."""
    seed: int = Field(0, ge=0)
    """Of the first hybrid; each further one has the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """How one sorter did.

    Attributes
    ----------
    sorter : str
    accuracy : Interval
        Over the injected units of all hybrids.
    behind : Interval
        The best sorter's accuracy less this one's, paired by injected unit.
    wall_s : float
        Mean per hybrid; infinite for one that failed on every hybrid.
    n_failed : int
    """

    sorter: str
    accuracy: Interval
    behind: Interval
    wall_s: float
    n_failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The recommendation and what it rests on.

    Attributes
    ----------
    recommended : str
        The fastest of the sorters that are near the best and not measurably behind it.
    candidates : list of Candidate
        Best first.
    """

    recommended: str
    candidates: list[Candidate]

    def table(self) -> list[tuple[str, ...]]:
        """Return a line of names and one line per sorter, for people."""
        lines: list[tuple[str, ...]] = [
            ("sorter", "accuracy", "behind the best by", "wall time, s", "failed")
        ]
        for c in self.candidates:
            figures = str(c.accuracy), str(c.behind), f"{c.wall_s:.0f}"
            shown = figures if np.isfinite(c.wall_s) else ("–",) * len(figures)
            lines.append((c.sorter, *shown, str(c.n_failed)))
        return lines

    def advice(self) -> str:
        """Return the recommendation and what it rests on, for people."""
        return (
            f"recommended: {self.recommended}, the fastest within {NEAR_BEST} of the best and not "
            f"measurably behind it, on {self.candidates[0].accuracy.n} injected units; "
            "what a sorter invents is not counted"
        )


def installed_sorters(home: Home) -> list[str]:
    """Return the sorters that can be run here, the user's own among them, but not the reference."""
    names = []
    for spec in all_sorters(home).values():
        try:
            find_installation(spec, home)
        except EmbersortError:
            continue
        if not spec.gets_truth:
            names.append(spec.name)
    return names


def choose_sorter(
    recording: Recording,
    sorters: Sequence[str],
    home: Home,
    *,
    hybrids: Hybrids | None = None,
    limits: Limits | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Choice:
    """Put known units into a recording and recommend the sorter that finds them best.

    Parameters
    ----------
    recording : Recording
    sorters : sequence of str
    home : Home
    hybrids : Hybrids, optional
    limits : Limits, optional
    say : callable
        Takes one line per job.

    Raises
    ------
    BadInput
        If there is no sorter to choose from, or all of them fail.

    Notes
    -----
    Injected units are scored, the recording's own ones are not known: false
    units cannot be counted here. A sorter that does well on simulated cells in
    this recording's noise need not do as well on its own cells.
    """
    if not sorters:
        raise BadInput("no sorter is installed; see 'embersort bench sorters'")
    specs = [find_sorter(name, home) for name in sorters]
    hybrids, limits = hybrids or Hybrids(), limits or Limits()
    made = make_hybrids(recording, hybrids, home)
    accuracy = np.full((len(specs), hybrids.n_repeats, hybrids.n_units), np.nan)
    wall_s = np.full((len(specs), hybrids.n_repeats), np.nan)
    for row, spec in enumerate(specs):
        for column, hybrid in enumerate(made):
            where = f"{spec.name}, hybrid {column + 1}"
            try:
                accuracy[row, column], wall_s[row, column] = _score(hybrid, spec, limits, home)
            except EmbersortError as error:
                say(f"{where}: {error}")
            else:
                say(f"{where}: accuracy {accuracy[row, column].mean():.3f}")
    return recommend(list(sorters), accuracy, wall_s)


def make_hybrids(recording: Recording, hybrids: Hybrids, home: Home) -> list[StoredRecording]:
    """Return stored copies of a recording's middle part, each with other known units in it."""
    from embersort.simulate import inject
    from embersort.simulate.scene import Injection

    length = min(recording.n_samples, s_to_samples(hybrids.seconds, recording.sampling_rate_hz))
    start = (recording.n_samples - length) // 2
    part = Excerpt(recording=recording, start_sample=start, n_samples=length)
    cells = {"n_units": hybrids.n_units, "min_snr": MIN_SNR, "max_snr": MAX_SNR}
    stored = []
    for seed in range(hybrids.seed, hybrids.seed + hybrids.n_repeats):
        injection = Injection.parse({"cells": cells, "seed": seed}, where="hybrid")
        hybrid = inject(part, injection)
        stored.append(store_recording(hybrid.recording, hybrid.truth.sorting, home.recordings))
    return stored


def recommend(sorters: Sequence[str], accuracy: np.ndarray, wall_s: np.ndarray) -> Choice:
    """Recommend the fastest of the sorters that are near the best and not measurably behind it.

    Parameters
    ----------
    sorters : sequence of str
    accuracy : ndarray, shape (n_sorters, n_hybrids, n_units)
        Of each injected unit; NaN where a sorter failed.
    wall_s : ndarray, shape (n_sorters, n_hybrids)

    Raises
    ------
    BadInput
        If every sorter failed on every hybrid.

    Notes
    -----
    Intervals are over injected units, not over hybrids: each unit is a draw
    of its own, and all hybrids are the same recording.
    """
    if np.isnan(accuracy).all():
        raise BadInput("every sorter failed on this recording; see 'embersort bench sorters'")
    # A failure finds nothing: it must not count as a recording left out.
    scored = np.nan_to_num(accuracy).reshape(len(sorters), -1)
    best = int(scored.mean(axis=1).argmax())
    candidates = [
        Candidate(
            sorter=name,
            accuracy=bootstrap_mean(scored[row], np.random.default_rng(BOOTSTRAP_SEED)),
            behind=paired_difference(
                scored[best], scored[row], np.random.default_rng(BOOTSTRAP_SEED)
            ),
            wall_s=float(np.nanmean(wall_s[row])) if np.isfinite(wall_s[row]).any() else np.inf,
            n_failed=int(np.isnan(accuracy[row]).any(axis=1).sum()),
        )
        for row, name in enumerate(sorters)
    ]
    level = [c for c in candidates if c.behind.low <= 0 and c.behind.mean <= NEAR_BEST]
    fastest = min(level, key=lambda candidate: candidate.wall_s)
    ranked = sorted(candidates, key=lambda candidate: -candidate.accuracy.mean)
    return Choice(recommended=fastest.sorter, candidates=ranked)


def _score(
    hybrid: StoredRecording, spec: SorterSpec, limits: Limits, home: Home
) -> tuple[list[float], float]:
    """Return the accuracy of each injected unit, and the wall time of the sort.

    Raises
    ------
    BadInput
        If the sorter failed; says why.
    """
    if hybrid.n_channels < spec.min_channels:
        raise BadInput(f"needs at least {spec.min_channels} channels")
    result = run_job(Job(recording=hybrid, spec=spec, limits=limits), home)
    scores = score_result(hybrid, result, home)
    if not scores:
        last = result.record["error"].strip().rpartition("\n")[2]
        raise BadInput(f"{result.record['outcome'].replace('_', ' ')}: {last}")
    return scores["one_to_one"]["units"]["accuracy"], float(result.record["wall_s"])
