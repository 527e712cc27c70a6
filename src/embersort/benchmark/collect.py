"""The newest results that are there, without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from embersort.benchmark.exchange import SORTING, read_sorting
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.materialise import find_alike, find_all_made, find_made, made_as
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.run import Row, result_row
from embersort.benchmark.store import Entry, Store
from embersort.errors import BadInput
from embersort.types import Sorting


def collect_rows(
    recordings: Sequence[RegisteredRecording], sorters: Sequence[str], home: Home
) -> list[Row]:
    """Return the newest row of each sorter on each recording, of whatever version it is.

    Unlike ``bench run`` this never sorts, so it also finds what another
    version of a sorter gave, what was run elsewhere and copied here, and what
    was sorted before the simulator's code changed.
    """
    newest, made = newest_results(home), find_all_made(home)
    rows = []
    for recording in recordings:
        stored = find_made(recording, home) or made.get(made_as(recording))
        if stored is None:
            continue
        for sorter in sorters:
            latest = newest.get((stored.content, sorter))
            if latest is not None:
                rows.append(result_row(recording.name, stored, latest, home))
    return rows


def newest_results(home: Home) -> dict[tuple[str, str], Entry]:
    """Return the newest sort of each recording's content by each sorter."""
    newest: dict[tuple[str, str], Entry] = {}
    for entry in Store(folder=home.results).entries(SORT_STAGE):
        place = (str(entry.record["recording"]), str(entry.record["sorter"]))
        if place not in newest or entry.written_s() > newest[place].written_s():
            newest[place] = entry
    return newest


def newest_sortings(
    recording: RegisteredRecording, sorters: Sequence[str], home: Home
) -> dict[str, Sorting]:
    """Return the newest sortings of one recording by sorter.

    Raises
    ------
    BadInput
        If the recording is not here, or one of the sorters has no sorting of it.
    """
    stored = find_alike(recording, home)
    if stored is None:
        raise BadInput(f"{recording.name} is not here; run 'embersort bench run' first")
    newest, sortings = newest_results(home), {}
    for sorter in sorters:
        entry = newest.get((stored.content, sorter))
        if entry is None or entry.record["outcome"] != "ok":
            raise BadInput(f"{sorter} has no sorting of {recording.name}")
        sortings[sorter] = read_sorting(
            entry.folder / SORTING, stored.sampling_rate_hz, stored.n_samples
        )
    return sortings
