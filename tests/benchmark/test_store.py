"""The store: whole entries or none, whatever happens to the writer."""

import json
import multiprocessing
import os

import pytest

from embersort.benchmark.hashing import hash_json
from embersort.benchmark.store import UNFINISHED, Store


@pytest.fixture
def store(tmp_path):
    return Store(folder=tmp_path)


def test_what_was_written_is_found(store, tmp_path):
    source = tmp_path / "log"
    source.write_text("hello")
    store.write("sort", "abc1", {"n": 1}, {"log.txt": source})
    entry = store.find("sort", "abc1")
    assert entry.record == {"n": 1}
    assert (entry.folder / "log.txt").read_text() == "hello"
    assert store.find("sort", "abc2") is None
    assert store.find("compare", "abc1") is None


def test_an_entry_is_replaced_and_removed_whole(store):
    store.write("sort", "abc1", {"n": 1})
    store.write("sort", "abc1", {"n": 2})
    assert store.find("sort", "abc1").record == {"n": 2}
    store.remove("sort", "abc1")
    store.remove("sort", "abc1")
    assert store.find("sort", "abc1") is None
    assert list((store.folder / UNFINISHED).iterdir()) == []


def test_an_altered_or_truncated_entry_counts_as_none(store, tmp_path):
    source = tmp_path / "x"
    source.write_text("hello")
    entry = store.write("sort", "abc1", {}, {"x": source})
    (entry.folder / "x").write_text("hellO")
    assert store.find("sort", "abc1") is None
    entry = store.write("sort", "abc2", {})
    text = (entry.folder / "record.json").read_text()
    (entry.folder / "record.json").write_text(text[:-3])
    assert store.find("sort", "abc2") is None
    (entry.folder / "record.json").write_text(json.dumps({"key": "abc2"}))
    assert store.find("sort", "abc2") is None


def test_entries_come_in_order_of_key(store):
    for key in ("bb1", "aa2", "aa1"):
        store.write("sort", key, {"key": key})
    assert [entry.record["key"] for entry in store.entries("sort")] == ["aa1", "aa2", "bb1"]


def _write_often(folder, value):
    store = Store(folder=folder)
    for _ in range(30):
        store.write("sort", "same", {"value": value})


def test_writers_of_one_key_do_not_disturb_each_other(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_often, args=(tmp_path, value)) for value in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert Store(folder=tmp_path).find("sort", "same").record["value"] in (0, 1, 2)


def test_the_hash_of_values_ignores_order_and_refuses_what_is_not_plain():
    assert hash_json({"a": 1, "b": [1, 2]}) == hash_json({"b": [1, 2], "a": 1})
    assert hash_json({"a": 1}) != hash_json({"a": 1.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        hash_json({"a": float("nan")})
    with pytest.raises(TypeError):
        hash_json({"a": object()})


def test_an_entry_has_the_mode_that_the_user_chose(tmp_path):
    before = os.umask(0o022)
    try:
        entry = Store(folder=tmp_path).write("stage", "ab" * 32, {})
    finally:
        os.umask(before)
    assert entry.folder.stat().st_mode & 0o777 == 0o755
