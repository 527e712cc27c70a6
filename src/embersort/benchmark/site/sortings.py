"""Which stored sort belongs to a row of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embersort.benchmark.hashing import hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.run import Row
from embersort.benchmark.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class SortingFiles:
    """The folders of the store's sorts, by the hash of their records."""

    folders: dict[str, Path]

    @classmethod
    def of(cls, home: Home) -> SortingFiles:
        """Look through a store once."""
        entries = Store(folder=home.results).entries(SORT_STAGE)
        return cls(folders={hash_json(entry.record): entry.folder for entry in entries})

    def folder(self, row: Row) -> Path | None:
        """Return the folder of the sort that a row reports, None where it is not stored here."""
        return self.folders.get(hash_json(row.result)) if row.result else None
