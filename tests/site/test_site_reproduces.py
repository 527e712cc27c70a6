"""The command that a result's page prints gives that result again."""

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parents[1] / "benchmark"))

from tiny_home import make_home

from embersort.benchmark.exchange import SORTING
from embersort.benchmark.home import HOME_VARIABLE
from embersort.benchmark.jobs import SORT_STAGE
from embersort.benchmark.site.model import slug
from embersort.benchmark.store import Store
from embersort.cli import app

NAME = "TINY/pair/a"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return make_home(tmp_path / "home")


def call(*arguments):
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_printed_command_gives_the_downloaded_sorting_again(home, tmp_path):
    run = ["bench", "run", NAME, "--sorters", "good", "--threads", "1", "--time-limit-s", "60"]
    call(*run, "-o", str(tmp_path / "results"))
    call("bench", "site", str(tmp_path / "results"), "-o", str(tmp_path / "site"))
    text = (tmp_path / "site" / "data" / "recordings" / f"{slug(NAME)}.js").read_text("utf-8")
    data = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    result = data["results"][0]
    assert result["has_data"]
    with np.load(next((tmp_path / "site" / "downloads" / "sortings").iterdir())) as arrays:
        shown = {name: arrays[name] for name in arrays}
    store = Store(folder=home.results)
    (entry,) = store.entries(SORT_STAGE)
    store.remove(SORT_STAGE, entry.key)
    call(*shlex.split(result["command"])[1:])
    (again,) = store.entries(SORT_STAGE)
    assert again.key == entry.key
    with np.load(again.folder / SORTING) as arrays:
        for name, array in shown.items():
            np.testing.assert_array_equal(arrays[name], array)
