"""The newest results that are there, without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from embersort.benchmark.home import Home
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.materialise import find_made
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.run import Row, result_row
from embersort.benchmark.store import Entry, Store


def collect_rows(
    recordings: Sequence[RegisteredRecording], sorters: Sequence[str], home: Home
) -> list[Row]:
    """Return the newest row of each sorter on each recording, of whatever version it is.

    Unlike ``bench run`` this never sorts, so it also finds what another
    version of a sorter gave, or what was run elsewhere and copied here.
    """
    newest: dict[tuple[str, str], Entry] = {}
    for entry in Store(folder=home.results).entries(SORT_STAGE):
        place = (str(entry.record["recording"]), str(entry.record["sorter"]))
        if place not in newest or _written(entry) > _written(newest[place]):
            newest[place] = entry
    rows = []
    for recording in recordings:
        stored = find_made(recording, home)
        if stored is None:
            continue
        for sorter in sorters:
            latest = newest.get((stored.content, sorter))
            if latest is not None:
                rows.append(result_row(recording.name, stored, latest, home))
    return rows


def _written(entry: Entry) -> float:
    return (entry.folder / "record.json").stat().st_mtime
