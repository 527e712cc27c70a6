"""Nothing that was computed is lost, and nothing else is ever deleted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from embersort.errors import BadInput
from embersort.output import check_new_folder, new_folder, write_folder
from embersort.output import staging as staging_module

MARKER = "run.json"


def write(folder: Path, text: str = "new") -> None:
    (folder / MARKER).write_text("{}")
    (folder / "deep").mkdir()
    (folder / "deep" / "units.csv").write_text(text)


def make(folder: Path, text: str = "old", **options) -> Path:
    return write_folder(folder, lambda staging: write(staging, text), marker=MARKER, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".embersort.json"
    }


def test_a_folder_of_another_program_with_our_marker_stays(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARKER).write_text("{}")
    (tmp_path / "out" / "thesis.tex").write_text("...")
    with pytest.raises(BadInput, match=r"run\.json, thesis\.tex"):
        make(tmp_path / "out", overwrite=True)
    assert tree(tmp_path) == {f"out/{MARKER}": "{}", "out/thesis.tex": "..."}


@pytest.mark.parametrize("place", ["notes.txt", "deep/notes.txt"])
def test_a_file_of_the_user_in_a_result_stays(tmp_path, place):
    make(tmp_path / "out")
    (tmp_path / "out" / place).write_text("mine")
    with pytest.raises(BadInput, match=r"notes\.txt"):
        make(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / place).read_text() == "mine"


def test_a_file_that_the_user_changed_stays(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "out/deep/units.csv").write_text("labelled by hand")
    with pytest.raises(BadInput, match=r"units\.csv: added or changed"):
        make(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/deep/units.csv").read_text() == "labelled by hand"


def test_a_result_is_never_replaced_by_what_is_sorted_in_it(tmp_path):
    make(tmp_path / "out")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out" / "deep")
    for read in (tmp_path / "out", tmp_path / "out/deep/units.csv", link):
        with pytest.raises(BadInput, match="which is read"):
            check_new_folder(tmp_path / "out", overwrite=True, marker=MARKER, inputs=[read])
        with pytest.raises(BadInput, match="which is read"):
            make(tmp_path / "out", "new", overwrite=True, inputs=[None, read])
    assert tree(tmp_path / "out")["deep/units.csv"] == "old"


def test_a_folder_that_came_to_be_meanwhile_stays_and_the_result_is_kept(tmp_path):
    def write_while_another_does(staging):
        write(staging)
        make(tmp_path / "out", "of another process")

    with pytest.raises(BadInput, match=r"kept in .*out-kept-1.*out exists"):
        write_folder(tmp_path / "out", write_while_another_does, marker=MARKER)
    assert tree(tmp_path / "out")["deep/units.csv"] == "of another process"
    assert tree(tmp_path / "out-kept-1")["deep/units.csv"] == "new"
    assert names(tmp_path) == ["out", "out-kept-1"]


def test_a_full_disk_keeps_the_result_elsewhere(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(elsewhere))

    def write_where_there_is_room(staging):
        write(staging)
        if staging.parent != elsewhere:
            raise OSError(28, "No space left on device")

    with pytest.raises(BadInput, match=r"the disk is full.*kept in .*elsewhere"):
        write_folder(tmp_path / "full" / "out", write_where_there_is_room, marker=MARKER)
    (kept,) = elsewhere.iterdir()
    assert tree(kept)["deep/units.csv"] == "new"
    assert names(tmp_path / "full") == []


@pytest.mark.parametrize("name", ["ö" * 127, "x" * 255, "\udcff-not-utf8", " ", "-o", "a\nb"])
def test_every_name_that_the_disk_takes_works(tmp_path, name):
    for text in ("old", "new"):
        check_new_folder(tmp_path / name, overwrite=True, marker=MARKER)
        make(tmp_path / name, text, overwrite=True)
    assert tree(tmp_path / name)["deep/units.csv"] == "new"
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("name", ["x" * 256, "ö" * 128, "deep/" * 900 + "out"])
def test_a_name_that_does_not_fit_is_refused_at_once(tmp_path, name):
    with pytest.raises(BadInput, match="bytes"):
        check_new_folder(tmp_path / name, marker=MARKER)


def test_a_link_to_a_result_stays_a_link(tmp_path):
    make(tmp_path / "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    make(tmp_path / "out", "new", overwrite=True)
    assert (tmp_path / "out").is_symlink()
    assert tree(tmp_path / "real")["deep/units.csv"] == "new"


KILLED = """
import sys, time
from pathlib import Path
from embersort.output import new_folder
with new_folder(sys.argv[1], overwrite=True, marker="run.json") as staging:
    (staging / "half").write_text("")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_left_goes_with_the_next_and_a_live_one_stays(tmp_path):
    out = tmp_path / "out"
    runs = [
        subprocess.Popen([sys.executable, "-c", KILLED, out], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [run.stdout.readline() for run in runs] == [b"writing\n"] * 2
    assert len(names(tmp_path)) == 2
    runs[0].kill()
    runs[0].wait()
    check_new_folder(out, marker=MARKER)
    try:
        assert names(tmp_path) == [f".out.writing-{runs[1].pid}-0"]
    finally:
        runs[1].kill()
        runs[1].wait()
    make(out)
    assert names(tmp_path) == ["out"]


def test_a_run_killed_between_two_renames_loses_nothing(tmp_path, monkeypatch):
    out = make(tmp_path / "out")
    monkeypatch.setattr(staging_module, "_exchange", lambda *_: False)
    real, calls = Path.rename, []

    def rename_once(self, target):
        if calls:
            os.kill(os.getpid(), signal.SIGKILL)
        calls.append(target)
        return real(self, target)

    child = os.fork()
    if not child:
        monkeypatch.setattr(Path, "rename", rename_once)
        make(out, "new", overwrite=True)
    os.waitpid(child, 0)
    assert not out.exists()
    check_new_folder(out, overwrite=True, marker=MARKER)
    assert tree(out)["deep/units.csv"] == "old"
    assert names(tmp_path) == ["out"]


def test_folders_have_the_mode_that_the_user_chose(tmp_path):
    before = os.umask(0o027)
    try:
        make(tmp_path / "out")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


def test_a_place_that_is_not_writable_is_refused_at_once(tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(BadInput, match="Read-only file system"):
        check_new_folder(tmp_path / "out", marker=MARKER)


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="ours"), new_folder(tmp_path / "out", marker=MARKER):
        raise ValueError("ours")
    assert names(tmp_path) == []
