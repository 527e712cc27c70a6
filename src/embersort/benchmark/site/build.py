"""The website written: static pages, data that they load by name, files to download."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from embersort.benchmark.exchange import SORTING, StoredRecording, open_stored
from embersort.benchmark.export import export, write_results
from embersort.benchmark.home import Home
from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.run import Row
from embersort.benchmark.site.changes import changes_between
from embersort.benchmark.site.index_data import (
    METRICS,
    RULES,
    UNIT_COLUMNS,
    index_facts,
    pack_scores,
    pack_units,
)
from embersort.benchmark.site.model import Benchmark, load_benchmark, slug
from embersort.benchmark.site.pages import recording_page, result_page
from embersort.benchmark.site.recording_data import recording_facts
from embersort.benchmark.site.sortings import SortingFiles
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadInput, MissingDependency
from embersort.report.pack import json_for_script
from embersort.report.page import SHARED_SCRIPTS, SHARED_STYLES, VENDORED_SCRIPTS, VENDORED_STYLES

SCHEMA = 1
"""Version of the data files; raised when their meaning changes."""
PAGES = {
    "index": "Benchmark of spike sorters",
    "study": "Study",
    "recording": "Recording",
    "result": "Result",
    "unit": "Unit",
    "sorter": "Sorter",
    "compare": "Compare two sorters",
    "methods": "Data and methods",
}
MARKER = "embersort-site.json"
"""File by which a folder is known to be a site, and may be replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """What of a benchmark lies on this machine.

    Attributes
    ----------
    home : Home
    recordings : dict of int to StoredRecording
        By their index in the benchmark.
    """

    home: Home
    recordings: dict[int, StoredRecording]


def build_site(
    rows: Sequence[Row],
    folder: Path,
    *,
    registry: Mapping[str, RegisteredRecording] | None = None,
    sorters: Mapping[str, SorterSpec] | None = None,
    home: Home | None = None,
    before: Mapping[str, Sequence[Row]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the website of a benchmark's results.

    Parameters
    ----------
    rows : sequence of Row
    folder : Path
        Written whole or not at all.
    registry, sorters : mapping, optional
        What is known of recordings and sorters.
    home : Home, optional
        Where recordings and sortings lie; adds what must be read from them (templates,
        traces, spikes by class). What is not there is left out of its page.
    before : mapping of str to rows, optional
        Earlier snapshots by name, to show what changed.
    overwrite : bool
        Whether an earlier site may be replaced.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    BadInput
        If there are no results, or the folder exists and is not a site to be replaced.
    """
    _check_folder(folder, overwrite=overwrite)
    benchmark = load_benchmark(rows, registry, sorters)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_pages(made)
        _write_index(benchmark, made, before or {})
        here = _find_here(benchmark, home) if home is not None else None
        detailed = _write_results(benchmark, made, here) if here is not None else set()
        _write_recordings(benchmark, made, here, dict(sorters or {}), detailed)
        _write_downloads(rows, made / "downloads")
        (made / MARKER).write_text(json.dumps({"schema": SCHEMA}), "utf-8")
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write over anything that is not a site."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MARKER).is_file():
        raise BadInput(f"{folder} exists and is not a site; choose another folder")
    if not overwrite:
        raise BadInput(f"{folder} exists; give --overwrite to replace it")


def _write_pages(folder: Path) -> None:
    """Write one HTML file per kind of page, and what they share."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader

    environment = Environment(
        loader=ChoiceLoader([PackageLoader("embersort.benchmark.site", "templates")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    for name, title in PAGES.items():
        html = template.render(name=name, title=title, scripts=scripts_of(name))
        (folder / f"{name}.html").write_text(html, "utf-8")
    assets = folder / "assets"
    assets.mkdir()
    report, site = files("embersort.report"), files("embersort.benchmark.site")
    own = [entry.name for entry in (site / "assets").iterdir() if entry.name[-3:] in (".js", "css")]
    for root, part, names in (
        (report, "assets", (*SHARED_SCRIPTS, *SHARED_STYLES)),
        (report, "vendor", (*VENDORED_SCRIPTS, *VENDORED_STYLES)),
        (site, "assets", own),
    ):
        for name in names:
            (assets / name).write_text((root / part / name).read_text("utf-8"), "utf-8")


def scripts_of(page: str) -> list[str]:
    """Return the scripts of a page; the home page, seen first, does without the large ones."""
    light = ["pack.js", "page.js", "site.js", "scoring.js"]
    if page == "index":
        return [*light, "paired.js", "index.js"]
    return [*VENDORED_SCRIPTS, *SHARED_SCRIPTS, *light[2:], "unit_points.js", f"{page}.js"]


def write_data(folder: Path, name: str, value: Any) -> None:
    """Write a value so that a page can load it by name, from a file as well as from a server."""
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'Site.receive("{name}",{json_for_script(value)});\n', "utf-8")


def _write_index(benchmark: Benchmark, folder: Path, before: Mapping[str, Sequence[Row]]) -> None:
    """Write what every page needs, each score apart."""
    facts = {
        "schema": SCHEMA,
        **index_facts(benchmark),
        "packs": {"snr": pack_units(benchmark, ("snr",))},
    }
    write_data(folder, "index", facts)
    write_data(folder, "units", {"packs": {"units": pack_units(benchmark, UNIT_COLUMNS)}})
    for rule in RULES:
        for metric in METRICS:
            packed = {"packs": {"scores": pack_scores(benchmark, rule, metric)}}
            write_data(folder, f"scores-{rule}-{metric}", packed)
    changes = {name: changes_between(rows, benchmark) for name, rows in before.items()}
    write_data(folder, "changes", changes)


def _find_here(benchmark: Benchmark, home: Home) -> Here:
    """Find the recordings that lie on this machine."""
    found = {}
    for index, recording in enumerate(benchmark.recordings):
        folder = home.recordings / recording.facts["content"]
        if recording.facts["content"] and folder.is_dir():
            found[index] = open_stored(folder)
    return Here(home=home, recordings=found)


def _write_recordings(
    benchmark: Benchmark,
    folder: Path,
    here: Here | None,
    specs: dict[str, SorterSpec],
    detailed: set[tuple[int, int]],
) -> None:
    """Write the data of every recording's page, which says what results have data of their own."""
    for index, recording in enumerate(benchmark.recordings):
        stored = here.recordings.get(index) if here is not None else None
        facts = recording_facts(benchmark, index, stored, specs)
        for result in facts["results"]:
            result["has_data"] = (index, result["sorter"]) in detailed
        if here is not None and stored is not None:
            facts |= recording_page(stored, here.home)
        write_data(folder, f"recordings/{recording.slug}", facts)


def _write_results(benchmark: Benchmark, folder: Path, here: Here) -> set[tuple[int, int]]:
    """Write data and files of every result that lies on this machine; return their places."""
    written = set()
    for place, path in _sortings(benchmark, here.home):
        recording, sorter = benchmark.recordings[place[0]], benchmark.sorters[place[1]]
        name = f"{recording.slug}-{slug(sorter.key)}"
        log = path.parent / "log.txt"
        data: dict[str, Any] = {
            "log": log.read_text("utf-8", errors="replace") if log.is_file() else ""
        }
        if path.is_file():
            downloads = folder / "downloads" / "sortings"
            downloads.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, downloads / f"{name}.npz")
            data["download"] = f"downloads/sortings/{name}.npz"
        stored = here.recordings.get(place[0])
        if path.is_file() and stored is not None and stored.has_truth:
            data |= result_page(stored, path, here.home)
        write_data(folder, f"results/{name}", data)
        written.add(place)
    return written


def _sortings(benchmark: Benchmark, home: Home) -> Iterator[tuple[tuple[int, int], Path]]:
    """Yield every row whose stored result is on this machine, and where its sorting is or were."""
    files_by_result = SortingFiles.of(home)
    for place, row in benchmark.rows.items():
        folder = files_by_result.folder(row)
        if folder is not None:
            yield place, folder / SORTING


def _write_downloads(rows: Sequence[Row], folder: Path) -> None:
    """Write every table as CSV, JSON lines and, where pyarrow is, Parquet."""
    write_results(rows, folder)
    export(rows, folder, "csv")
    # CSV and JSON lines hold the same; the page lists the files that are there.
    with suppress(MissingDependency):
        export(rows, folder, "parquet")
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    sizes = {name: (folder / name).stat().st_size for name in names}
    write_data(folder.parent, "downloads", {"files": sizes})
