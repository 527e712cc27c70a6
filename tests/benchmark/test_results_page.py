"""The page of results is what its data say, and a change of either is seen."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def load_page():
    spec = importlib.util.spec_from_file_location("results_page", BENCHMARKS / "results_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


page = load_page()


@pytest.fixture
def folder(tmp_path):
    """Return a copy of page and data that may be changed."""
    copy = tmp_path / "benchmarks"
    for name in ("results/dev", "results/unseen", "studies"):
        shutil.copytree(BENCHMARKS / name, copy / name)
    for name in ("RESULTS.md", "results.svg", "results/figures.jsonl"):
        shutil.copy(BENCHMARKS / name, copy / name)
    return copy


def check(folder):
    return page.main(["--check", "--folder", str(folder)])


def test_page_equals_data():
    assert check(BENCHMARKS) == 0


def test_number_changed_on_the_page_is_seen(folder):
    path = folder / "RESULTS.md"
    path.write_text(path.read_text("utf-8").replace("0.945", "0.955"), "utf-8")
    assert check(folder) == 1


def test_score_changed_in_the_rows_is_seen_and_written(folder):
    path = folder / "results/dev/results.jsonl"
    first, *others = path.read_text("utf-8").splitlines()
    row = json.loads(first)
    row["scores"]["one_to_one"]["summary"]["accuracy"] -= 0.5
    path.write_text("\n".join([json.dumps(row), *others]) + "\n", "utf-8")
    assert check(folder) == 1
    assert page.main(["--folder", str(folder)]) == 0
    assert check(folder) == 0


def test_figure_that_its_study_does_not_hold_is_refused(folder, capsys):
    path = folder / "results/figures.jsonl"
    path.write_text(path.read_text("utf-8").replace('"0.945"', '"0.9459"'), "utf-8")
    assert check(folder) == 1
    assert "0.9459" in capsys.readouterr().err


def test_at_most_six_tables_and_one_figure():
    text = (BENCHMARKS / "RESULTS.md").read_text("utf-8")
    assert text.count("\n|---") <= 6
    assert text.count("![") == 1
