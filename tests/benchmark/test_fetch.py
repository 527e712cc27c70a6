"""Downloads from a server on this machine: hashes, broken links, escapes, a DANDI archive."""

import hashlib
import http.server
import json
import shutil
import threading

import pytest
from test_run import requests

from embersort.benchmark.catalogue import find_recordings
from embersort.benchmark.fetch import (
    DANDI_API_VARIABLE,
    fetch_file,
    fetch_files,
    find_dandi_asset,
)
from embersort.benchmark.materialise import materialise
from embersort.benchmark.run import carry_out
from embersort.benchmark.sources import DandiSource, FilesSource, RemoteFile
from embersort.errors import BadInput

ASSET_PATH = "sub-01/sub-01_ecephys.npy"


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/api/dandisets/000618/versions/draft/assets/"):
            found = {"results": [{"path": ASSET_PATH, "asset_id": "abc"}]}
            self.answer(json.dumps(found).encode())
        elif self.path == "/api/assets/abc/download/":
            self.answer(b"asset content")
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"only this")
        elif self.path.startswith("/api/"):
            self.answer(b"not json")
        else:
            super().do_GET()

    def answer(self, content):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server(home):
    def handler(*arguments):
        return Server(*arguments, directory=str(home.registry))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def files_entry(home, server, **changes):
    files = []
    for name in ("traces.npy", "truth.npz"):
        content = (home.registry / "a" / name).read_bytes()
        file = {
            "path": name,
            "url": f"{server}/a/{name}",
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        files.append(file | changes if name == "traces.npy" else file)
    lines = ", ".join(
        "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in file.items()) + " }" for file in files
    )
    (home.registry / "net.toml").write_text(
        'name="NET"\ntitle="n"\nkind="real"\ndescription="n"\n[[studies]]\nname="s"\n'
        '[[studies.recordings]]\nname="r"\n[studies.recordings.source]\nkind="files"\n'
        'recording="traces.npy"\ntruth="truth.npz"\n'
        'recording_options={ sampling_rate_hz = 10000.0, probe = "linear:50" }\n'
        f"files=[{lines}]\n"
    )
    return find_recordings(home, ["NET/s/r"])[0]


def test_fetched_files_become_the_same_recording_as_local_ones(home, server):
    local = materialise(find_recordings(home, ["TINY/pair/a"])[0], home)
    assert materialise(files_entry(home, server), home).content == local.content


def test_a_wrong_hash_is_refused_and_not_kept(home, server):
    with pytest.raises(BadInput, match=r"NET/s/r: .*the registry says 0000"):
        materialise(files_entry(home, server, sha256="0" * 64), home)
    assert list(home.downloads.glob("unfinished-*")) == []


def test_an_unreachable_address_is_named(home, server):
    with pytest.raises(BadInput, match="cannot be reached"):
        materialise(files_entry(home, server, url=f"{server}/nowhere.npy"), home)
    with pytest.raises(BadInput, match="not one of http, https, file"):
        fetch_file(RemoteFile(path="x", url="ftp://host/x"), home.downloads)


def test_a_download_that_breaks_off_is_not_taken_for_whole(home, server):
    with pytest.raises(BadInput, match="broke off after 9 of 100 bytes"):
        fetch_file(RemoteFile(path="x", url=f"{server}/short"), home.downloads)
    assert list(home.downloads.iterdir()) == []


def test_a_file_may_not_leave_its_folder(home, server):
    with pytest.raises(BadInput, match="leads out of its folder"):
        materialise(files_entry(home, server, path="../../escaped"), home)
    assert not (home.folder / "escaped").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "the registry says 0000"),
        ({"url": "http://127.0.0.1:1/nothing-listens-here"}, "cannot be reached"),
        ({"path": "../../escaped"}, "leads out of its folder"),
        ({"path": "/tmp/escaped"}, "leads out of its folder"),
    ],
)
def test_what_cannot_be_fetched_is_reported_on_its_row(home, server, changes, message):
    files_entry(home, server, **changes)
    todo = requests(home, "good", names=["NET/s/r", "TINY/pair/a"])
    bad, good = [carry_out(request, home) for request in todo]
    assert (bad.recording, bad.outcome) == ("NET/s/r", "no_recording")
    assert message in bad.error
    assert good.outcome == "ok"


def test_an_open_hash_is_filled_in_by_the_first_fetch(home, server, tmp_path):
    source = FilesSource(
        kind="files",
        recording="x",
        files=[RemoteFile(path="x", url=f"{server}/a/truth.npz")],
    )
    content = (home.registry / "a" / "truth.npz").read_bytes()
    expected = hashlib.sha256(content).hexdigest()
    assert fetch_files(source, home.downloads, tmp_path) == {"x": expected}


def test_after_the_first_fetch_an_open_hash_is_fixed(home, server):
    materialise(files_entry(home, server, sha256=""), home)
    (home.registry / "a" / "traces.npy").write_bytes(b"something else")
    shutil.rmtree(home.downloads)
    shutil.rmtree(home.recordings)
    with pytest.raises(BadInput, match="the registry says"):
        materialise(files_entry(home, server, sha256=""), home)


def test_what_was_fetched_is_not_fetched_again(home, server):
    content = (home.registry / "a" / "truth.npz").read_bytes()
    known = hashlib.sha256(content).hexdigest()
    remote = RemoteFile(path="x", url=f"{server}/a/truth.npz", sha256=known)
    path = fetch_file(remote, home.downloads)
    (home.registry / "a" / "truth.npz").unlink()
    assert fetch_file(remote, home.downloads) == path


def test_a_dandi_asset_is_found_by_its_path(home, server, monkeypatch):
    monkeypatch.setenv(DANDI_API_VARIABLE, f"{server}/api")
    source = DandiSource(kind="dandi", recording="", dandiset="000618", asset_path=ASSET_PATH)
    remote = find_dandi_asset(source)
    assert remote.path == "sub-01_ecephys.npy"
    assert fetch_file(remote, home.downloads).read_bytes() == b"asset content"
    other = source.model_copy(update={"asset_path": "sub-02.nwb"})
    with pytest.raises(BadInput, match="holds no asset"):
        find_dandi_asset(other)
    with pytest.raises(BadInput, match="leaves the asset's path"):
        find_dandi_asset(source.model_copy(update={"asset_path": ""}))
    with pytest.raises(BadInput, match="did not answer with JSON"):
        find_dandi_asset(source.model_copy(update={"dandiset": "000001"}))


@pytest.mark.parametrize("path", ["short", "api/assets/abc/download/"])
def test_a_download_has_a_limit(home, server, monkeypatch, path):
    monkeypatch.setenv("EMBERSORT_MAX_DOWNLOAD_GB", "8e-9")
    with pytest.raises(BadInput, match="raise EMBERSORT_MAX_DOWNLOAD_GB"):
        fetch_file(RemoteFile(path="x", url=f"{server}/{path}"), home.downloads)
    assert list(home.downloads.iterdir()) == []
