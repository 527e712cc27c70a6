"""The command line: what people type, and one line for what they mistype."""

import json
import re

import pytest
from typer.testing import CliRunner

from embersort.cli import app

LIMITS = ["--threads", "1", "--time-limit-s", "30"]


@pytest.fixture
def bench(home):
    def call(*arguments, code=0):
        result = CliRunner().invoke(app, ["bench", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    return call


def test_run_table_compare_export_collect(bench, tmp_path):
    out = str(tmp_path / "out")
    for sorter in ("good", "phy", "crash"):
        for name in ("a", "b"):
            bench("run-job", f"TINY/pair/{name}", sorter, *LIMITS)
    said = bench("run", "TINY/*/*", "--sorters", "good,phy,crash", "-o", out, *LIMITS)
    assert "| TINY/pair/a | 1.00 | 1.00 | failed |" in said
    assert "this is why" in said
    assert "1.000 [1.000, 1.000]" in bench("table", out)
    assert "good − phy: 0.000 [0.000, 0.000] over 2 recordings" in bench(
        "compare", "good", "phy", out
    )
    said = bench("compare", "good", "phy", out)
    assert "recall_overlapping" in said
    assert "0 s            1.000  1.000  0.000 [0.000, 0.000]" in said
    assert "recordings.csv" in bench("export", out, str(tmp_path / "tables"))
    said = bench("agree", "TINY/pair/a", "--sorters", "good,phy")
    assert "phy       1.000  1.000" in said
    assert "phy         3            3                3" in said
    assert "TINY/pair/a    good  1.00" in bench("table", out, "--over-time")
    assert "no recording has a score of both" in bench("compare", "good", "crash", out, code=2)
    again = str(tmp_path / "again")
    assert "| TINY/pair/b | 1.00 | failed |" in bench(
        "collect", "TINY/*/*", "--sorters", "good,crash", "-o", again
    )
    assert "no result of slow on TINY/pair/a" in bench(
        "collect", "TINY/pair/a", "--sorters", "good,slow", "-o", again
    )


def test_collect_takes_no_results_of_other_settings(bench, home, tmp_path):
    bench("run-job", "TINY/pair/a", "good", *LIMITS)
    other = home.sorters / "good.toml"
    changed = other.read_text() + "parameters = { a = 1 }\n"
    bench("run-job", "TINY/pair/b", "good", "--set", "a=1", *LIMITS)
    out = str(tmp_path / "out")
    said = bench("collect", "TINY", "--sorters", "good, good", "-o", out)
    assert "no result of good on TINY/pair/b" in said
    other.write_text(changed)
    assert "no result of good on TINY/pair/a" in bench(
        "collect", "TINY", "--sorters", "good", "-o", out
    )
    assert "no sorter is named 'goood'" in bench(
        "collect", "TINY", "--sorters", "goood", "-o", out, code=2
    )


def test_the_log_of_a_job_is_shown(bench):
    bench("run-job", "TINY/pair/a", "crash", *LIMITS)
    said = bench("log", "TINY/pair/a", "crash")
    assert "outcome failed, exit_code 1, sorter_version 1" in said
    assert "step one\nthis is why" in said
    assert "has no result" in bench("log", "TINY/pair/a", "good", code=2)


def test_a_job_without_recording_or_sorter_ends_with_code_2(bench, home):
    (home.registry / "b" / "truth.npz").unlink()
    said = json.loads(bench("run-job", "TINY/pair/b", "good", *LIMITS, code=2))
    assert said["outcome"] == "no_recording"
    said = json.loads(bench("run-job", "TINY/pair/a", "lupin", *LIMITS, code=2))
    assert said["outcome"] == "not_installed"
    assert "embersort bench install lupin" in said["error"]
    said = json.loads(bench("run-job", "TINY/pair/a", "crash", *LIMITS))
    assert said["outcome"] == "failed"


def test_run_job_and_plan(bench):
    lines = bench("plan", "TINY/pair/a", "--sorters", "good", *LIMITS).splitlines()
    assert lines == ["embersort bench run-job TINY/pair/a good --time-limit-s 30.0 --threads 1"]
    said = json.loads(bench("run-job", "TINY/pair/a", "good", *LIMITS))
    assert (said["outcome"], said["accuracy"]) == ("ok", 1.0)


def test_registry(bench, home, tmp_path):
    assert "TINY/pair/a  real   local   –" in bench("registry", "list", "TINY")
    assert re.search(r"^smoke +2 +Two recordings", bench("registry", "suites"), re.MULTILINE)
    assert '"folder": "a"' in bench("registry", "show", "TINY/pair/a")
    shown = json.loads(bench("registry", "show", "PAIRED_BOYDEN"))
    assert shown["species"] == "mouse"
    assert shown["studies"][0]["sources"] == ["dandi"]
    assert "1103_1_1" in shown["studies"][0]["recordings"]
    assert "not here" in bench("registry", "verify", "TINY/pair/a")
    assert "recordings" in bench("registry", "fetch", "TINY/pair/a")
    assert "good" in bench("registry", "verify", "TINY/pair/a")
    assert "local   here\n" in bench("registry", "list", "TINY/pair/a")
    traces = next(home.recordings.glob("*/traces.raw"))
    traces.write_bytes(b"\0" + traces.read_bytes()[1:])
    assert "altered" in bench("registry", "verify", "TINY/pair/a", code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "TINY/pair/zz"], "no recording is named"),
        (["run", "TINY/pair/a", "--sorters", "lupine"], "did you mean 'lupin'"),
        (["choose", "x.npy", "--units", "0"], "n_units"),
        (["choose", "x.npy", "--repeats", "0"], "n_repeats"),
        (["choose", "x.npy", "--seconds", "-1"], "seconds"),
        (["run", "TINY/pair/a", "--threads", "0"], "n_threads"),
        (["run", "TINY/pair/a", "--set", "x"], "KEY=VALUE"),
        (["table", "nowhere"], "does not exist"),
        (["registry", "add", "nowhere.toml"], "does not exist"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(bench, arguments, message):
    said = bench(*arguments, code=2)
    assert message in said
    assert "Traceback" not in said


def test_sorters_are_listed_the_users_own_among_them(bench, home):
    (home.sorters / "odd.toml").write_text("title = [")
    said = bench("sorters")
    assert "embersort              Embersort                       0.1.0" in said
    assert "kilosort4              Kilosort 4 (newest)             –" in said
    assert "crash                  crash                           1" in said
    said = bench("sorters", "kilosort4", "good")
    assert "not here: the environment 'kilosort4' is not in" in said
    assert "run 'embersort bench install kilosort4'" in said
    assert "pip install torch" in said
    assert "settings    its own defaults, and some by recording" in said
    assert "stand_in.py good {job_file}" in said


def test_what_a_sorter_runs_in_and_needs_is_told(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "runs in     Embersort's own interpreter" in bench("sorters", "embersort")
    said = bench("sorters", "ironclust", "herdingspikes", "spikesift")
    assert "not here: no container engine found" in said
    assert re.search(r"installs    builds the image from .*ironclust\.Dockerfile\n", said)
    assert "it sorts by location; at least 4 channels\n" in said
    assert "needs       at least 4 channels and a C compiler to install\n" in said


def test_a_sorter_that_cannot_be_installed_does_not_stop_the_others(bench, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = bench("install", "ironclust", "embersort", "lupine", code=2)
    assert "ironclust: no container engine found" in said
    assert re.search(r"^embersort \S+ is installed$", said, re.MULTILINE)
    assert "did you mean 'lupin'" in said
    assert "2 of 3 could not be installed" in said
