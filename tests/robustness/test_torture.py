"""Kills at random instants, and a disk that is full at each write: nothing lost, nothing left.

A few here; 50 by ``make torture``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import hostile
import numpy as np
import psutil
import pytest

from embersort.output import read_result, write_result

N_KILLS = int(os.environ.get("EMBERSORT_TORTURE", "2"))
LONGEST_S = 8.0
"""A sort of the small recording has ended by then, on an idle machine."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


def sort(recording: Path, out: Path, *options: str) -> subprocess.Popen:
    call = [sys.executable, "-m", "embersort.cli", "sort", recording, "-o", out, "-q", *options]
    return subprocess.Popen(
        list(map(str, call)), stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def sorted_once(tmp_path_factory):
    place = tmp_path_factory.mktemp("torture")
    recording = hostile.saved_recording(place / "recording")
    assert sort(recording, place / "out", "--no-report").wait(timeout=120) == 0
    return recording, place / "out"


def test_a_sort_that_is_killed_costs_nothing(sorted_once, tmp_path):
    """OUT is the earlier result or the new one, whole; the next run leaves nothing beside it."""
    recording, earlier = sorted_once
    out, chance = tmp_path / "out", random.Random(0)
    shutil.copytree(earlier, out)
    before = read_result(out).sorting
    told = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    for number in range(N_KILLS):
        process = sort(recording, out, "--no-report", "--overwrite")
        time.sleep(chance.uniform(0.0, LONGEST_S))
        process.send_signal(told[number % len(told)])
        _, said = process.communicate(timeout=60)
        assert "Fatal" not in said
        found = read_result(out).sorting
        np.testing.assert_array_equal(found.sample_index, before.sample_index)
        np.testing.assert_array_equal(found.unit_index, before.unit_index)
        assert _alive_in(process.pid) == []
    process = sort(recording, out, "--no-report", "--overwrite")
    assert process.wait(timeout=120) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_disk_that_is_full_at_each_write(sorted_once, tmp_path, monkeypatch):
    """Whatever write fails, the earlier result stays, and the new one is whole elsewhere."""
    _, earlier = sorted_once
    result = read_result(earlier)
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "disk" / "out"
    out.parent.mkdir()
    elsewhere.mkdir()
    shutil.copytree(earlier, out)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(elsewhere))
    before = contents(out)
    n_writes = _count_writes(monkeypatch, out.parent, result, None)
    assert n_writes > 5
    for full_from in range(n_writes) if N_KILLS > 2 else (0, n_writes // 2, n_writes - 1):
        _count_writes(monkeypatch, out.parent, result, full_from)
        assert contents(out) == before
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        (kept,) = elsewhere.iterdir()
        np.testing.assert_array_equal(
            read_result(kept).sorting.sample_index, result.sorting.sample_index
        )
        shutil.rmtree(kept)


def _count_writes(monkeypatch, disk: Path, result, full_from: int | None) -> int:
    """Write a result; from one file on, the disk is full. Returns how many files were begun."""
    import builtins
    import io

    begun, real = [], io.open

    def opened(file, mode="r", *arguments, **options):
        writes = any(letter in mode for letter in "wax+")
        if writes and not isinstance(file, int) and Path(file).is_relative_to(disk):
            if full_from is not None and len(begun) >= full_from:
                raise OSError(28, "No space left on device", str(file))
            begun.append(file)
        return real(file, mode, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "open", opened)
        patched.setattr(io, "open", opened)
        if full_from is None:
            write_result(result, disk / "trial")
            shutil.rmtree(disk / "trial")
        else:
            from embersort.errors import BadInput

            with pytest.raises(BadInput, match=r"disk is full.*kept in"):
                write_result(result, disk / "out", overwrite=True)
    return len(begun)


def _alive_in(session: int) -> list[int]:
    """Return the processes of a session that still live."""
    alive = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getsid(process.pid) == session and process.info["status"] != psutil.STATUS_ZOMBIE:
                alive.append(process.pid)
        except OSError:
            continue
    return alive
