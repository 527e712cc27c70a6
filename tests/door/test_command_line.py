"""The command line: its result, its refusals, its silence."""

import json
import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
import spikeinterface

from embersort.cli import COMMANDS
from embersort.cli.terminal import Progress, format_table, logging_to
from embersort.config import SortConfig

SORT = ("--sampling-rate", "30000", "--probe", "tetrode", "--no-report")


def run_process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "embersort.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_sort_writes_everything(command, fake_sort, npy, tmp_path):
    done = command("sort", npy, "-o", tmp_path / "out", *SORT)
    assert done.code == 0, done.err
    assert done.err == ""
    assert "3 units, 5 spikes in 1.0 s of recording" in done.out
    assert names(tmp_path / "out") == [
        ".embersort.json",
        "run.json",
        "run.log",
        "sorting",
        "spikes.npz",
        "templates.npz",
        "units.csv",
    ]
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["recording"]["n_channels"] == 4
    assert run["recording"]["path"] == str(npy)
    assert run["peak_memory_mb"] > 10
    assert run["parameters"] == SortConfig().model_dump()
    assert run["machine"]["packages"]["numpy"] == np.__version__
    assert run["timings_s"]["total"] > 0
    assert "recording.npy: 4 channels, 1.0 s" in (tmp_path / "out" / "run.log").read_text()
    assert list(spikeinterface.load(tmp_path / "out" / "sorting").unit_ids) == [1, 2, 7]


def test_a_scheduler_of_no_kind_is_refused(command, npy, tmp_path):
    pytest.importorskip("distributed")
    done = command("sort", npy, "-o", tmp_path / "out", *SORT, "--scheduler", "lokal")
    assert done.code == 2
    assert "'lokal' is neither local nor slurm nor an address" in done.err
    assert not (tmp_path / "out").exists()


def test_quiet_says_nothing(command, fake_sort, npy, tmp_path):
    done = command("sort", npy, "-o", tmp_path / "out", *SORT, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_verbose_says_what_is_done(command, fake_sort, npy, tmp_path):
    done = command("sort", npy, "-o", tmp_path / "out", *SORT, "-v")
    assert "4 channels, 1.0 s at 30000 Hz" in done.err


def test_options_reach_the_recording(command, fake_sort, tmp_path):
    counts = (10 * np.arange(30_000)[:, None] + np.arange(3)).astype(np.int16)
    counts.tofile(tmp_path / "r.dat")
    done = command(
        *("sort", tmp_path / "r.dat", "-o", tmp_path / "out", "--no-report"),
        *("--sampling-rate", 15_000, "--probe", "linear:30", "--dtype", "int16"),
        *("--channels", 3, "--start", 0.1, "--duration", 0.2),
    )
    assert done.code == 0, done.err
    recording, _ = fake_sort.calls[0]
    assert recording.n_samples == 3000
    assert recording.sampling_rate_hz == 15_000
    np.testing.assert_array_equal(recording.geometry.positions_um[:, 1], [0, 30, 60])
    np.testing.assert_array_equal(recording.read(0, 1), counts[1500:1501])


def test_settings_from_file_and_line(command, fake_sort, npy, tmp_path):
    (tmp_path / "s.toml").write_text("[detect]\nthreshold = 4.5\nexclude_um = 50.0\n")
    done = command(
        *("sort", npy, "-o", tmp_path / "out", *SORT),
        *(
            "--config",
            tmp_path / "s.toml",
            "--set",
            "detect.threshold=6",
            "--set",
            "run.n_workers=1",
        ),
    )
    assert done.code == 0, done.err
    _, config = fake_sort.calls[0]
    assert (config.detect.threshold, config.detect.exclude_um) == (6.0, 50.0)
    assert config.run.n_workers == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--set", "detect.treshold=6"), "'detect.treshold'; did you mean 'threshold'?"),
        (("--set", "detct.threshold=6"), "unknown name 'detct'; did you mean 'detect'?"),
        (("--set", "detect.threshold=-1"), "'detect.threshold' is -1"),
        (("--set", "detect.threshold"), "not of the form section.key=value"),
        (("--config", "gone.toml"), "gone.toml does not exist"),
        (("--start", "5"), "ends after 1.000 s"),
        (("--start", "nan"), "--start is nan s, expected at least 0"),
        (("--probe", "linear:0"), "is not a probe"),
        (("--probe", "gone.json"), "the probe gone.json does not exist"),
        (("--sampling-rate", "30"), "give it in hertz"),
        (("--format", "spikglx"), "did you mean 'spikeglx'"),
        (("--channels-first",), "30000 channels of 4 samples are no recording"),
    ],
)
def test_one_sentence_and_exit_code_2(command, fake_sort, npy, tmp_path, options, sentence):
    done = command("sort", npy, "-o", tmp_path / "out", *SORT, *options)
    assert done.code == 2
    assert sentence in done.err
    assert done.err.startswith("embersort: ")
    assert done.err.count("\n") == 1
    assert not fake_sort.calls
    assert not (tmp_path / "out").exists()


def test_a_date_among_the_settings_is_refused(command, fake_sort, npy, tmp_path):
    (tmp_path / "s.toml").write_text("[detect]\nthreshold = 1979-05-27\n")
    done = command("sort", npy, "-o", tmp_path / "out", *SORT, "--config", tmp_path / "s.toml")
    assert done.code == 2
    assert "'detect.threshold' is datetime.date(1979, 5, 27)" in done.err


def test_a_report_that_fails_is_not_pointed_to(command, fake_sort, npy, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ValueError("no picture")

    monkeypatch.setattr("embersort.report.write_report", fail)
    done = command("sort", npy, "-o", tmp_path / "out", *SORT[:-1])
    assert done.code == 0
    assert "the report could not be written; the sorting is whole" in done.err
    assert done.out.splitlines()[-1] == str(tmp_path / "out")
    assert "ValueError: no picture" in (tmp_path / "out" / "run.log").read_text()


def test_report_opens_the_recording_as_it_was_sorted(command, fake_sort, tmp_path):
    rng = np.random.default_rng(0)
    rng.normal(scale=10, size=(30_000, 4)).astype(np.int16).tofile(tmp_path / "r.dat")
    how = ("--dtype", "int16", "--channels", 4, "--gain", 0.5, "--start", 0.2, "--duration", 0.5)
    done = command("sort", tmp_path / "r.dat", "-o", tmp_path / "out", *SORT, *how)
    assert done.code == 0, done.err
    again = command("report", tmp_path / "out")
    assert again.code == 0, again.err
    assert "no recording at hand" not in again.err
    assert "written without it" not in again.err
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_existing_result_is_refused_before_any_work(command, fake_sort, npy, tmp_path):
    assert command("sort", npy, "-o", tmp_path / "out", *SORT).code == 0
    again = command("sort", npy, "-o", tmp_path / "out", *SORT)
    assert again.code == 2
    assert "exists; give --overwrite" in again.err
    assert len(fake_sort.calls) == 1
    assert command("sort", npy, "-o", tmp_path / "out", *SORT, "--overwrite").code == 0


def test_interruption_leaves_nothing(command, fake_sort, npy, tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    fake_sort.action = interrupt
    done = command("sort", npy, "-o", tmp_path / "out", *SORT)
    assert done.code == 130
    assert "interrupted" in done.err
    assert names(tmp_path) == ["recording.npy"]


def test_a_fault_of_ours_is_not_hidden(fake_sort, npy, tmp_path):
    from embersort.cli import app

    fake_sort.action = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        app(["sort", str(npy), "-o", str(tmp_path / "out"), *SORT])


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_process_that_is_told_to_end(tmp_path, npy, told, code):
    # A process that is started in the background inherits an interrupt that is ignored.
    script = (
        "import signal, sys, time, types\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "fake = types.ModuleType('embersort.sorting')\n"
        "def sort(*a, **k):\n"
        "    print('sorting', flush=True)\n"
        "    time.sleep(60)\n"
        "fake.sort = sort\n"
        "sys.modules['embersort.sorting'] = fake\n"
        "from embersort.cli import main\n"
        "main()\n"
    )
    arguments = ["sort", str(npy), "-o", str(tmp_path / "out"), *SORT]
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "sorting\n"
    process.send_signal(told)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert ("interrupted; nothing half-written is left" in err) == (told == signal.SIGINT)
    assert names(tmp_path) == ["recording.npy"]


def test_unknown_command_gets_a_near_one(command):
    done = command("srot")
    assert done.code == 2
    assert "Did you mean 'sort'" in done.err


def test_help_names_every_command():
    done = run_process("--help")
    assert done.returncode == 0
    for name in ("sort", "compare", "doctor", "demo"):
        assert f"\n  {name} " in done.stdout


def test_help_imports_nothing_heavy():
    script = (
        "import sys\n"
        "from embersort.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'numba', 'spikeinterface', 'torch', 'plotly', 'pydantic', "
        "'rich') if m in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_that_is_there_explains_itself(command, name):
    from pathlib import Path

    import embersort.cli

    if not (Path(embersort.cli.__file__).parent / f"{name}.py").is_file():
        pytest.skip(f"there is no {name} command yet")
    done = command(name, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: embersort ")


def test_every_option_of_sort_is_documented(command):
    from typer.main import get_command

    from embersort.cli.sort import app

    for parameter in get_command(app).params:
        assert parameter.help, parameter.name


def test_version(command):
    import embersort

    assert command("--version").out == f"embersort {embersort.__version__}\n"


def test_compare_prints_the_scores(command, result, tmp_path):
    from embersort.output import write_result

    write_result(result, tmp_path / "a")
    done = command("compare", tmp_path / "a", tmp_path / "a" / "sorting", "--units")
    assert done.code == 0, done.err
    assert "mean accuracy                   1.000" in done.out
    assert "well detected (accuracy ≥ 0.8)  2" in done.out
    as_json = command("compare", tmp_path / "a", tmp_path / "a", "--json", "--rule", "spikeforest")
    scores = json.loads(as_json.out)
    assert scores["rule"] == "spikeforest"
    assert scores["units"][1] == {
        "true_unit": 2,
        "found_unit": 2,
        "n_spikes": 2,
        "accuracy": 1.0,
        "precision": 1.0,
        "recall": 1.0,
    }


def test_compare_refuses_what_is_no_sorting(command, tmp_path):
    done = command("compare", tmp_path, tmp_path)
    assert done.code == 2
    assert "holds no sorting" in done.err
    assert command("compare", tmp_path, tmp_path, "--rule", "best").code == 2


def test_doctor_reports_on_this_machine(command):
    done = command("doctor")
    assert done.code == 0, done.err
    for word in ("embersort", "cores", "numba", "training networks", "times real time", "GFLOP/s"):
        assert word in done.out


def test_doctor_says_what_is_broken(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    done = command("doctor")
    assert done.code == 1
    assert "BROKEN" in done.out


def test_progress_is_silent_away_from_a_terminal(capsys):
    with Progress() as progress:
        progress("detect", 1, 2)
    assert capsys.readouterr().err == ""


def test_progress_shows_stage_share_rate_and_time_left():
    """On a pseudo-terminal, as a user sees it."""
    fcntl, pty = pytest.importorskip("fcntl"), pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    script = (
        "from embersort.cli.terminal import Progress\n"
        "with Progress() as p:\n"
        "    p('detect', 1, 4); p('detect', 4, 4); p('cluster', 1, 1)\n"
    )
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", script], stderr=writer)
    process.wait(timeout=60)
    os.close(writer)
    shown = os.read(reader, 100_000).decode()
    assert "detect" in shown
    assert "cluster" in shown
    assert "100%" in shown
    assert "left" in shown


def test_log_reaches_the_terminal_by_its_level(capsys):
    import logging

    logger = logging.getLogger("embersort.somewhere")
    with logging_to() as text:
        logger.info("detail")
        logger.warning("careful")
    assert capsys.readouterr().err == "warning: careful\n"
    assert "detail" in text.getvalue()
    assert not logging.getLogger("embersort").handlers


def test_table_is_aligned():
    assert format_table([("a", 1, 10), ("bcd", 2.5, 3)], numbers=True) == (
        "a      1  10\nbcd  2.5   3"
    )
    assert format_table([]) == ""
