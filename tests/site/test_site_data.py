"""What the website's files hold, without a browser."""

import json
import re

import numpy as np
import pytest
from site_rows import make_rows

from embersort.benchmark.run import Row
from embersort.benchmark.site import build_site, load_benchmark
from embersort.benchmark.site.changes import changes_between
from embersort.benchmark.site.index_data import pack_scores, pack_units, score_matrix
from embersort.benchmark.site.model import place_of, slug
from embersort.errors import BadInput
from embersort.report.pack import unpack

NAMES = ["A/one/x", "A/one/y", "A/two/z", "B/one/x"]
SORTERS = [("good", "1.9"), ("good", "1.10"), ("poor", "2")]


@pytest.fixture(scope="module")
def rows():
    return make_rows(NAMES, SORTERS, n_units=[3, 5, 1, 4])


def test_places_of_names():
    assert place_of("set/study/a/b") == ("set", "study", "a/b")
    assert place_of("set/a") == ("set", "set", "a")
    assert place_of("alone") == ("alone", "alone", "alone")
    assert slug("データ/<b>") != slug("データ/<i>")
    assert re.fullmatch("[0-9a-f]{16}", slug("データ/<b>"))


def test_versions_of_a_sorter_are_columns_of_their_own(rows):
    keys = [sorter.key for sorter in load_benchmark(rows).sorters]
    assert keys == ["good 1.10", "good 1.9", "poor 2"]


def test_a_row_that_never_ran_belongs_to_the_newest_version(rows):
    missing = Row(recording="A/one/new", sorter="good", outcome="not_installed", error="no")
    benchmark = load_benchmark([*rows, missing])
    place = next(place for place, row in benchmark.rows.items() if row is missing)
    assert benchmark.sorters[place[1]].key == "good 1.10"


def test_scores_are_kept_to_a_ten_thousandth_and_never_rounded_up(rows):
    benchmark = load_benchmark(rows)
    exact = score_matrix(benchmark, "spikeforest", "recall")
    bytes_, _ = unpack(pack_scores(benchmark, "spikeforest", "recall"))
    kept = (bytes_["low"].astype(int) + 256 * bytes_["high"].astype(int)) / 10_000
    assert kept.shape == (3, 13)
    assert (kept <= exact + 1e-9).all()
    assert (exact - kept < 1.0001e-4).all()


def test_missing_results_are_not_zero(rows):
    benchmark = load_benchmark([row for row in rows if row.recording != "A/one/y"] + [rows[3]])
    bytes_, _ = unpack(pack_scores(benchmark, "one_to_one", "accuracy"))
    stored = bytes_["low"].astype(int) + 256 * bytes_["high"].astype(int)
    assert (stored == 65_535).sum() == 2 * 5


def test_ratios_at_a_threshold_stay_at_it(rows):
    benchmark = load_benchmark(rows)
    benchmark.recordings[0].truth["snr"][0] = 5.0
    kept, _ = unpack(pack_units(benchmark, ("snr",)))
    assert kept["snr"][0] == pytest.approx(5.0, abs=1e-9)


def test_two_results_of_one_place_are_refused(rows):
    with pytest.raises(BadInput, match=r"two results of good 1\.9 on A/one/x"):
        load_benchmark([*rows, rows[0]])


def test_no_results_and_an_older_schema_are_refused(rows):
    with pytest.raises(BadInput, match="no results to show"):
        load_benchmark([])
    old = Row(**{**rows[0].as_dict(), "scores": {"one_to_one": {"accuracy": [0.5]}}})
    with pytest.raises(BadInput, match="of an older schema"):
        load_benchmark([old])
    short = rows[0].as_dict()
    short["truth"] = {**short["truth"], "unit_id": [0]}
    with pytest.raises(BadInput, match=r"scores \[3\] units, its truth has 1"):
        load_benchmark([Row(**short)])


def test_changes_between_snapshots(rows):
    before = list(rows[1:])
    changed = rows[4].as_dict()
    changed["outcome"], changed["scores"] = "time_out", {}
    before[3] = Row(**changed)
    gone = Row(recording="A/one/old", sorter="good", outcome="failed")
    found = changes_between([*before, gone], load_benchmark([r for r in rows if r.sorter != "x"]))
    # Both versions of "good" are one sorter here: the pair is there before and now.
    assert found["removed"] == [["A/one/old", "good"]]
    assert found["added"] == []
    assert [c["recording"] for c in found["changed"]].count("A/one/y") == 1


def test_names_are_text_in_every_file(tmp_path):
    evil = "SET/<script>alert(1)</script>/データ"
    site = build_site(make_rows([evil], [("<b>x</b>", "1")]), tmp_path / "site")
    for path in site.rglob("*.js"):
        if path.parent.name != "assets":
            assert "<script>" not in path.read_text("utf-8"), path
    html = (site / "index.html").read_text("utf-8")
    assert "alert(1)" not in html


def test_site_is_written_whole_or_not_at_all(rows, tmp_path):
    folder = tmp_path / "site"
    build_site(rows, folder)
    with pytest.raises(BadInput, match="--overwrite"):
        build_site(rows, folder)
    build_site(rows[:3], folder, overwrite=True)
    with pytest.raises(BadInput, match="no results"):
        build_site([], folder, overwrite=True)
    assert (folder / "index.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_is_no_site_is_left_alone(rows, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not a site"):
        build_site(rows, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_pages_name_nothing_outside_the_site(rows, tmp_path):
    site = build_site(rows, tmp_path / "site")
    for page in site.glob("*.html"):
        for target in re.findall(r'(?:src|href)="([^"#]*)', page.read_text("utf-8")):
            assert target.startswith("data:") or not target or (site / target).is_file(), target


def test_downloads_hold_every_row(rows, tmp_path):
    site = build_site(rows, tmp_path / "site")
    lines = (site / "downloads" / "results.jsonl").read_text().splitlines()
    assert len(lines) == len(rows)
    units = (site / "downloads" / "units.csv").read_text().splitlines()
    assert len(units) == 1 + 2 * 3 * 13
    assert (site / "downloads" / "units.parquet").is_file()
    listed = (site / "data" / "downloads.js").read_text()
    assert "results.jsonl" in listed


def test_the_command_that_reproduces_a_result_is_one_that_the_command_line_takes(rows, tmp_path):
    site = build_site(rows, tmp_path / "site")
    text = (site / "data" / "recordings" / f"{slug('A/one/x')}.js").read_text()
    data = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    command = data["results"][0]["command"]
    assert command == "embersort bench run-job A/one/x good"
    from typer.testing import CliRunner

    from embersort.cli.bench import app

    outcome = CliRunner().invoke(app, [*command.split()[2:], "--help"])
    assert outcome.exit_code == 0, outcome.output


def test_numbers_of_a_small_site_by_hand():
    rows = make_rows(["S/s/r"], [("a", "1")], n_units=2)
    rows[0].scores["one_to_one"]["units"]["accuracy"] = [0.8, 0.79999]
    bytes_, _ = unpack(pack_scores(load_benchmark(rows), "one_to_one", "accuracy"))
    stored = bytes_["low"].astype(int) + 256 * bytes_["high"].astype(int)
    assert stored.tolist() == [[8000, 7999]]
    assert np.isfinite(score_matrix(load_benchmark(rows), "one_to_one", "f1")).all()
