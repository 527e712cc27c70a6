"""However a command ends: one line, the right exit code, nothing left behind."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from embersort import machine
from embersort.cli.ending import run_to_its_end
from embersort.errors import BadConfig, BadInput


def ended(capsys, run):
    before = {
        name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        with pytest.raises(SystemExit) as stopped:
            run_to_its_end(run)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return stopped.value.code, capsys.readouterr().err


def test_a_fault_of_ours_is_one_sentence_and_a_log(capsys):
    code, said = ended(capsys, lambda: [][1])
    assert code == 1
    assert said.startswith("embersort: a fault of Embersort's own (IndexError")
    assert said.count("\n") == 1
    log = Path(said.strip().rpartition(" ")[2])
    try:
        assert "Traceback" in log.read_text()
        assert "lambda: [][1]" in log.read_text()
    finally:
        log.unlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_one_line_and_its_code(capsys, number):
    code, said = ended(capsys, lambda: os.kill(os.getpid(), number))
    assert code == 128 + number
    assert said.endswith("; nothing half-written is left\n")
    assert said.count("\n") == 1


def test_a_hang_up_under_nohup_is_ignored(capsys):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert ended(capsys, lambda: os.kill(os.getpid(), signal.SIGHUP)) == (0, "")
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (BadInput("x.npy is empty"), 2, "x.npy is empty"),
        (MemoryError(), 2, "not enough memory"),
        (RuntimeError("can't start new thread"), 2, "not enough memory"),
        (OSError(28, "No space left on device"), 2, "what is printed cannot be written"),
    ],
)
def test_what_the_user_can_mend_is_exit_code_2(capsys, error, code, sentence):
    def fail():
        raise error

    found, said = ended(capsys, fail)
    assert found == code
    assert sentence in said
    assert said.count("\n") == 1


def test_a_full_standard_output():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "embersort.cli", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "embersort: what is printed cannot be written: No space left on device\n"


@pytest.mark.parametrize("said", ["0", "-1", "two", "", "1.5"])
def test_a_number_of_threads_that_is_none(monkeypatch, said):
    monkeypatch.setenv("NUMBA_NUM_THREADS", said)
    with pytest.raises(BadConfig, match="NUMBA_NUM_THREADS is"):
        machine.check_environment()


def test_too_little_memory_to_start_is_said_at_once(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (400_000_000, -1))
    with pytest.raises(BadConfig, match="400 MB"):
        machine.check_environment()


def test_kernels_are_cached_where_nothing_may_be_written(monkeypatch):
    script = (
        "import os\n"
        "from embersort import machine\n"
        "machine._may_write = lambda folder: False\n"
        "machine.let_kernels_be_cached()\n"
        "folder = os.environ['NUMBA_CACHE_DIR']\n"
        "print(folder, oct(os.stat(folder).st_mode & 0o777))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    folder, mode = done.stdout.split()
    # What is in it is run: nobody else may write there.
    assert mode == "0o700"
    assert not Path(folder).exists()
