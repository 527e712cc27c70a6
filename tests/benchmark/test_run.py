"""Jobs: cached, isolated, every failure on its own row."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_home import tiny_truth

from embersort.benchmark.catalogue import find_recordings, make_requests
from embersort.benchmark.exchange import write_sorting
from embersort.benchmark.export import read_results, write_results
from embersort.benchmark.process import Limits
from embersort.benchmark.run import Row, carry_out, find_row, plan, run_requests
from embersort.benchmark.sorters.catalogue import find_sorter
from embersort.errors import BadConfig, BadInput

LIMITS = Limits(time_s=20, memory_gib=2, disk_gib=1, n_threads=1)


def requests(home, *sorters, names=("TINY/*/*",), limits=LIMITS, **options):
    specs = [find_sorter(name, home) for name in sorters]
    return make_requests(find_recordings(home, names), specs, limits, **options)


def run_here(todo, home):
    """Carry out requests in this process: quicker, where the process is not the point."""
    return [carry_out(request, home) for request in todo]


def test_a_perfect_sorter_scores_1_and_runs_once(home, calls):
    todo = requests(home, "good")
    rows = run_requests(todo, home)
    assert [row.outcome for row in rows] == ["ok", "ok"]
    for row in rows:
        assert row.scores["one_to_one"]["summary"]["accuracy"] == 1.0
        assert row.scores["spikeforest"]["summary"]["n_well_detected"] == 3
        assert row.result["n_units"] == 3
        assert row.units["peak_channel"] == [0, 1, 2]
        assert row.units["n_spikes"] == row.truth["n_spikes"]
        # One-sample troughs of 150 µV in noise of 10 µV; the band takes more off the trough.
        assert all(5 < snr < 16 for snr in row.truth["snr"])
        assert row.truth["peak_channel"] == [0, 1, 2]
        assert row.result["peak_memory_mib"] > 10
    assert calls() == ["good", "good"]
    assert run_requests(todo, home) == rows
    assert calls() == ["good", "good"]


def test_phy_output_is_read_too(home):
    row = carry_out(requests(home, "phy", names=["TINY/pair/a"])[0], home)
    assert row.scores["one_to_one"]["summary"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("behaviour", "outcome", "message"),
    [
        ("nothing", "failed", "sorting.npz was not written"),
        ("garbage", "failed", "sorting.npz cannot be read"),
        ("pickle", "failed", "Python objects, which could run code"),
        ("beyond", "failed", "outside the recording"),
        ("crash", "failed", "this is why"),
    ],
)
def test_bad_sorters_are_reported_on_their_row(home, behaviour, outcome, message):
    rows = run_here(requests(home, behaviour, "good", names=["TINY/pair/a"]), home)
    assert rows[0].outcome == outcome
    assert message in rows[0].error
    assert rows[1].outcome == "ok"


@pytest.mark.parametrize(
    ("behaviour", "limits", "outcome", "message"),
    [
        ("hang", {"time_s": 1.0}, "time_out", "ended at the time limit of 1 s"),
        ("memory", {"memory_gib": 0.2}, "out_of_memory", "ended at the memory limit of 0.2 GiB"),
        ("disk", {"disk_gib": 0.02}, "disk_full", "held more than 0.02 GiB"),
    ],
)
def test_limits_end_a_sorter(home, behaviour, limits, outcome, message):
    tight = Limits(**{**LIMITS.model_dump(), **limits})
    todo = requests(home, behaviour, names=["TINY/pair/a"], limits=tight)
    start = time.monotonic()
    row = carry_out(todo[0], home)
    assert row.outcome == outcome
    assert message in row.error
    assert time.monotonic() - start < 15


def test_a_higher_limit_tries_again_what_a_lower_one_ended(home, calls):
    def asked(seconds):
        limits = Limits(**{**LIMITS.model_dump(), "time_s": seconds})
        return requests(home, "slow", names=["TINY/pair/a"], limits=limits)[0]

    assert carry_out(asked(0.1), home).outcome == "time_out"
    n_calls = len(calls())
    assert find_row(asked(0.05), home).outcome == "time_out"
    assert find_row(asked(20), home) is None
    assert carry_out(asked(20), home).outcome == "ok"
    assert carry_out(asked(0.1), home).outcome == "ok"
    assert len(calls()) == n_calls + 1


def test_too_few_channels_start_no_process(home, calls):
    path = home.sorters / "good.toml"
    path.write_text(path.read_text() + "min_channels = 5\n")
    todo = requests(home, "good", names=["TINY/pair/a"])
    carry_out(todo[0], home)
    row = find_row(todo[0], home)
    assert (row.outcome, row.error) == ("failed", "good needs at least 5 channels")
    assert calls() == []


def test_a_job_whose_process_crashed_says_its_last_line(home, monkeypatch):
    class Done:
        returncode = 1

        def communicate(self, timeout):
            return "", "Traceback\nOSError: No space left on device\n"

    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: Done())
    row = run_requests(requests(home, "good", names=["TINY/pair/a"]), home)[0]
    assert row.outcome == "failed"
    assert row.error == "the job's process ended with status 1: OSError: No space left on device"


def test_progress_counts_and_estimates(home):
    said = []
    todo = requests(home, "crash", "good", names=["TINY/pair/a"])
    run_requests(todo[:1], home)
    run_requests(todo, home, say=said.append)
    assert said[0].startswith("2 jobs, 1 done before, 1 to do, about ")
    assert said[0].endswith(" s left")
    assert said[1].startswith("[2/2 done, 0 running, 1 failed] TINY/pair/a good: accuracy 1.000, ")


def test_a_failure_is_a_result_and_rerun_only_on_request(home, calls):
    todo = requests(home, "crash", names=["TINY/pair/a"])
    carry_out(todo[0], home)
    assert carry_out(todo[0], home).result["exit_code"] == 1
    assert calls() == ["crash"]
    again = requests(home, "crash", names=["TINY/pair/a"], rerun_failed=True)
    assert run_requests(again, home)[0].outcome == "failed"
    assert calls() == ["crash", "crash"]


def test_parameters_and_threads_make_another_job_but_the_name_of_the_folder_does_not(home, calls):
    first = requests(home, "good", names=["TINY/pair/a"])[0]
    carry_out(first, home)
    assert find_row(first, home) is not None
    other = requests(home, "good", names=["TINY/pair/a"], overrides={"x": 1})[0]
    assert find_row(other, home) is None
    two = Limits(**{**LIMITS.model_dump(), "n_threads": 2})
    assert find_row(requests(home, "good", names=["TINY/pair/a"], limits=two)[0], home) is None
    longer = Limits(**{**LIMITS.model_dump(), "time_s": 99})
    assert find_row(requests(home, "good", names=["TINY/pair/a"], limits=longer)[0], home)
    # The same content under another name is the same job.
    entry = (home.registry / "tiny.toml").read_text()
    (home.registry / "other.toml").write_text(entry.replace('"TINY"', '"OTHER"'))
    assert carry_out(requests(home, "good", names=["OTHER/pair/a"])[0], home).outcome == "ok"
    assert calls() == ["good"]


def test_a_missing_program_says_so(home):
    (home.sorters / "gone.toml").write_text(
        'title = "Gone"\nversion = "1"\ncommand = ["no-such-program-anywhere"]\n'
    )
    row = carry_out(requests(home, "gone", names=["TINY/pair/a"])[0], home)
    assert row.outcome == "not_installed"
    assert "no-such-program-anywhere" in row.error
    row = carry_out(requests(home, "kilosort4", names=["TINY/pair/a"])[0], home)
    assert row.outcome == "not_installed"
    assert "embersort bench install" in row.error


def test_a_bad_recording_does_not_stop_the_others(home):
    (home.registry / "a" / "truth.npz").write_bytes(b"garbage")
    rows = run_here(requests(home, "good"), home)
    assert [row.outcome for row in rows] == ["no_recording", "ok"]
    assert "TINY/pair/a: " in rows[0].error
    assert "truth.npz cannot be read" in rows[0].error


def test_a_truth_beyond_the_end_does_not_stop_the_others(home):
    longer = tiny_truth(n_samples=40_000)
    assert longer.sample_index[-1] > 20_000
    write_sorting(longer, home.registry / "a" / "truth.npz")
    rows = run_here(requests(home, "good"), home)
    assert [row.outcome for row in rows] == ["no_recording", "ok"]
    assert "TINY/pair/a: truth.npz: " in rows[0].error
    assert "outside the recording" in rows[0].error


def test_user_sorters_are_checked(home):
    (home.sorters / "odd.toml").write_text(
        'title = "x"\nversion = "1"\ncommand = ["x", "{recordng}"]\n'
    )
    with pytest.raises(BadConfig, match="unknown placeholder 'recordng'"):
        find_sorter("odd", home)
    with pytest.raises(BadInput, match="did you mean 'good'"):
        find_sorter("goood", home)


def test_the_plan_is_one_line_per_job(home):
    lines = plan(requests(home, "good", "slow", overrides={"a": [1, "x y"]}))
    assert len(lines) == 4
    assert lines[0].startswith("embersort bench run-job TINY/pair/a good --time-limit-s 20.0")
    assert "--set 'a=[1, \"x y\"]'" in lines[0]


def test_a_suite_with_nothing_to_do_starts_no_process(home, monkeypatch):
    todo = requests(home, "good")
    rows = run_here(todo, home)

    def refuse(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert run_requests(todo, home) == rows


def test_results_round_trip_and_name_a_damaged_line(home, tmp_path):
    rows = run_here(requests(home, "good", "crash"), home)
    path = write_results(rows, tmp_path / "out")
    assert sorted(read_results(tmp_path / "out"), key=str) == sorted(rows, key=str)
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(BadInput, match="line 5: not a row"):
        read_results(path)
    with pytest.raises(BadInput, match="does not exist"):
        read_results(tmp_path / "nowhere")


def test_the_sorter_dies_with_the_job(home):
    command = ["-m", "embersort.cli", "bench", "run-job", "TINY/pair/a", "hang"]
    job = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (home.folder / "calls.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = _children(job.pid)
    assert children
    job.kill()
    job.wait()
    while any(_alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in children)


def test_a_run_that_is_told_to_end_takes_its_jobs_with_it(home):
    command = ["-m", "embersort.cli", "bench", "run", "TINY/pair/a", "--sorters", "hang"]
    suite = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (home.folder / "calls.txt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (job,) = _children(suite.pid)
    suite.terminate()
    suite.wait(timeout=30)
    assert not _alive(job)
    assert not list(home.work.glob("hang-*"))


def _children(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_written_results_do_not_name_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "someone"))
    error = f'File "{tmp_path}/someone/.cache/sorter.py", line 3'
    row = Row(recording="A/b/1", sorter="good", outcome="failed", error=error)
    path = write_results([row], tmp_path / "out")
    assert "someone" not in path.read_text("utf-8")
    assert read_results(tmp_path / "out")[0].error == 'File "~/.cache/sorter.py", line 3'
