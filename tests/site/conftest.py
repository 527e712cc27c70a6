"""A site with one recording that lies on this machine, and some that do not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from site_rows import STORED, make_rows

import browser as chrome
from embersort.benchmark.exchange import SORTING, store_recording, write_sorting
from embersort.benchmark.hashing import hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.run import Row
from embersort.benchmark.scores import score_result, truth_table
from embersort.benchmark.site import build_site, load_benchmark
from embersort.benchmark.store import Store
from embersort.types import Sorting
from report_scenes import make_recording, make_result, make_truth

SORTERS = [("alpha", "1"), ("beta", "2.0"), ("gamma", "0.1")]
NAMES = [f"{s}/{study}/r{i}" for s in ("ONE", "TWO") for study in ("easy", "hard") for i in (0, 1)]
NAMES += ["ODD/<script>alert(1)<b>/データ"]


@dataclass
class Built:
    """A site and what it was made from."""

    folder: Path
    rows: list[Row]
    benchmark: object
    truth: Sorting
    found: dict[str, Sorting]

    @property
    def address(self):
        return chrome.file_address(self.folder) + "/"


def shifted(sorting: Sorting, kept) -> Sorting:
    return Sorting(
        sample_index=sorting.sample_index[kept],
        unit_index=sorting.unit_index[kept],
        unit_ids=sorting.unit_ids,
        sampling_rate_hz=sorting.sampling_rate_hz,
        n_samples=sorting.n_samples,
    )


def stored_rows(home: Home, scratch: Path):
    """Store a recording and two sortings of it, as a run of the benchmark would."""
    result = make_result(5, duration_s=8, n_channels=8)
    truth = make_truth(result)
    stored = store_recording(make_recording(result), truth, home.recordings, drift_um=0.0)
    found = {
        "alpha": result.sorting,
        "beta": shifted(
            result.sorting, np.random.default_rng(0).random(result.sorting.n_spikes) > 0.3
        ),
    }
    rows = []
    for name, sorting in found.items():
        write_sorting(sorting, scratch / f"{name}.npz")
        (scratch / "log.txt").write_text(f"{name} says <script>nothing</script>")
        record = {
            "sorter": name,
            "sorter_version": dict(SORTERS)[name],
            "recording": stored.content,
            "outcome": "ok",
            "error": "",
            "parameters": {},
            "limits": {},
            "wall_s": 3.0,
            "cpu_s": 4.0,
            "peak_memory_mib": 300.0,
            "n_units": sorting.n_units,
            "n_spikes": sorting.n_spikes,
        }
        entry = Store(folder=home.results).write(
            SORT_STAGE,
            hash_json(record),
            record,
            {SORTING: scratch / f"{name}.npz", "log.txt": scratch / "log.txt"},
        )
        rows.append(
            Row(
                recording=STORED,
                sorter=name,
                outcome="ok",
                result=record,
                scores=score_result(stored, entry, home),
                truth=truth_table(stored, home),
            )
        )
    return rows, truth, found


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the site once for all tests."""
    folder = tmp_path_factory.mktemp("bench")
    home = Home(folder=folder / "home")
    scratch = folder / "scratch"
    scratch.mkdir()
    rows, truth, found = stored_rows(home, scratch)
    rows += make_rows(
        NAMES,
        SORTERS,
        n_units=6,
        outcome=lambda r, s: "out_of_memory" if (r, s) in ((1, 2), (8, 0)) else "ok",
    )
    rows = [row for row in rows if (row.recording, row.sorter) != ("TWO/easy/r0", "beta")]
    before = {"spring": [row for row in rows if row.recording != STORED]}
    site = build_site(rows, folder / "site", home=home, before=before)
    return Built(folder=site, rows=rows, benchmark=load_benchmark(rows), truth=truth, found=found)


@pytest.fixture(scope="module")
def launched():
    """A browser for one file: while one is open, no other code of the process may run a loop."""
    with chrome.launched() as browser:
        yield browser


@pytest.fixture
def look(launched, built):
    with chrome.window(launched, [built.address]) as look:
        yield look
