"""What a sort costs by stage, and that compiling kernels is no part of its speed."""

import json
import threading

import numpy as np
import pytest
from numba import njit
from typer.testing import CliRunner

from embersort.cli import app, compilation
from embersort.cli.compilation import CompileWatch, compile_kernels, is_compiled, warm_up_traces
from embersort.cli.profile import CountedRecording, StageProfile, imports_by_package, stage_table
from embersort.recording import open_recording


def fresh_kernel(n):
    """A kernel that was never compiled; another for each n."""
    namespace = {}
    exec(f"def kernel(x):\n    return x * {n} + {n}", namespace)
    return njit(namespace["kernel"])


def test_only_what_is_compiled_in_the_block_counts():
    kernel = fresh_kernel(3)
    told = []
    with CompileWatch(told.append) as watch:
        assert kernel(2) == 9
        assert (watch.n_kernels, told) == (1, [1])
        seconds = watch.seconds
        assert seconds > 0
        kernel(3)
    fresh_kernel(4)(1)
    assert (watch.n_kernels, watch.seconds) == (1, seconds)


def test_kernels_compiled_by_several_threads_at_once_take_the_time_once():
    watch = CompileWatch()
    both, done = threading.Barrier(2), []

    def compile_one():
        watch.on_start(None)
        both.wait()
        watch.on_end(None)
        done.append(watch.seconds)

    threads = [threading.Thread(target=compile_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watch.n_kernels == 2
    assert watch.seconds == max(done)


def test_stages_are_charged_with_what_passes_between_marks():
    traces = np.zeros((1000, 4), np.float32)
    recording = CountedRecording(open_recording(traces, sampling_rate_hz=1000.0, probe="linear:20"))
    told = []
    with CompileWatch() as watch:
        clock = StageProfile(lambda *mark: told.append(mark), watch, recording)
        clock("detecting", 0, 2)
        recording.read(0, 100)
        clock("detecting", 1, 2)
        recording.read(100, 150)
        clock("matching", 0, 1)
        fresh_kernel(5)(1)
        clock("detecting", 2, 2)
        recording.read(0, 10)
        costs = {cost.stage: cost for cost in clock.costs()}
    assert told[0] == ("detecting", 0, 2)
    assert len(told) == 4
    assert list(costs) == ["opening", "detecting", "matching"]
    assert (costs["detecting"].n_reads, costs["detecting"].n_bytes) == (3, 160 * 4 * 4)
    assert costs["matching"].n_reads == 0
    assert costs["matching"].compiling_s == pytest.approx(watch.seconds)
    assert costs["detecting"].compiling_s == 0
    assert stage_table(list(costs.values())).splitlines()[-1].split()[0] == "total"


def test_imports_are_summed_by_package():
    report = "import time: self [us] | cumulative | imported package\n"
    report += "import time:       100 |        100 |     scipy.linalg.blas\n"
    report += "import time:       250 |        350 |   scipy\nimport time: 40 | 40 | numpy.core\n"
    assert imports_by_package(report) == pytest.approx({"scipy": 0.00035, "numpy": 0.00004})


def test_kernels_are_marked_as_compiled_until_the_code_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation, "_marker", lambda: tmp_path / "cache" / "marker")
    assert not is_compiled()
    told = []
    compile_kernels(lambda *mark: told.append(mark))
    assert told[0] == ("compiling", 0, compilation.N_KERNELS)
    assert is_compiled()
    monkeypatch.setattr(compilation, "_installation", lambda: "another")
    assert not is_compiled()


def test_the_profile_of_a_sort(tmp_path):
    traces, _ = warm_up_traces()
    np.save(tmp_path / "t.npy", traces[:40_000, :4])
    called = ["sort", tmp_path / "t.npy", "-o", tmp_path / "out", "--sampling-rate", 20_000]
    options = ["--probe", "linear:25", "--no-report", "--profile"]
    result = CliRunner().invoke(app, [*map(str, called), *options])
    assert result.exit_code == 0, result.output
    assert "preprocessing" in result.output
    assert "numba" in result.output
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    stages = {cost["stage"]: cost for cost in run["stages"]}
    n_bytes = sum(cost["n_bytes"] for cost in stages.values())
    # All of it is looked at once at least, and memory keeps it: ten times is too many.
    assert traces[:40_000, :4].nbytes <= n_bytes < 10 * traces[:40_000, :4].nbytes
    assert run["timings_s"]["total"] == pytest.approx(
        sum(cost["wall_s"] for cost in stages.values()), rel=0.1
    )
