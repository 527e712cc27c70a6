"""The newest results that are there, without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from embersort.benchmark.exchange import SORTING, StoredRecording, open_stored, read_sorting
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.materialise import find_alike, find_all_made, find_made, made_as
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.run import Row, result_row
from embersort.benchmark.sorters.catalogue import find_sorter
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.benchmark.store import Entry, Store
from embersort.errors import BadInput
from embersort.types import Sorting


def collect_rows(
    recordings: Sequence[RegisteredRecording], sorters: Sequence[str], home: Home
) -> list[Row]:
    """Return the newest row of each sorter on each recording, of whatever version it is.

    Unlike ``bench run`` this never sorts, so it also finds what another
    version of a sorter gave, what was run elsewhere and copied here, and what
    was sorted before the simulator's code changed. What was sorted with other
    settings than the recommended ones is left out.

    Raises
    ------
    BadInput
        If a sorter is not known.
    """
    specs = [find_sorter(name, home) for name in sorters]
    entries, made = list(Store(folder=home.results).entries(SORT_STAGE)), find_all_made(home)
    rows = []
    for recording in recordings:
        stored = find_made(recording, home) or made.get(made_as(recording))
        if stored is None:
            continue
        for spec in specs:
            latest = _newest(entries, stored, spec)
            if latest is not None:
                rows.append(result_row(recording.name, stored, latest, home))
    return rows


def newest_result(recording: RegisteredRecording, sorter: str, home: Home) -> Entry:
    """Return a sorter's newest result on a recording, with its recommended settings.

    Raises
    ------
    BadInput
        If the recording is not here, the sorter is not known, or there is no result.
    """
    stored = find_alike(recording, home)
    if stored is None:
        raise BadInput(f"{recording.name} is not here; run 'embersort bench run' first")
    entries = Store(folder=home.results).entries(SORT_STAGE)
    entry = _newest(list(entries), stored, find_sorter(sorter, home))
    if entry is None:
        raise BadInput(f"{sorter} has no result on {recording.name}; run 'embersort bench run'")
    return entry


def _newest(entries: Sequence[Entry], stored: StoredRecording, spec: SorterSpec) -> Entry | None:
    parameters = spec.parameters_for(stored, {})
    own = [
        entry
        for entry in entries
        if (entry.record["recording"], entry.record["sorter"]) == (stored.content, spec.name)
        and entry.record["parameters"] == parameters
    ]
    return max(own, key=Entry.written_s, default=None)


def newest_sortings(
    recording: RegisteredRecording, sorters: Sequence[str], home: Home
) -> dict[str, Sorting]:
    """Return the newest sortings of one recording by sorter.

    Raises
    ------
    BadInput
        If the recording is not here, or one of the sorters has no sorting of it.
    """
    sortings = {}
    for sorter in sorters:
        entry = newest_result(recording, sorter, home)
        if entry.record["outcome"] != "ok":
            raise BadInput(f"{sorter} has no sorting of {recording.name}; it failed")
        stored = open_stored(home.recordings / str(entry.record["recording"]))
        sortings[sorter] = read_sorting(
            entry.folder / SORTING, stored.sampling_rate_hz, stored.n_samples
        )
    return sortings
