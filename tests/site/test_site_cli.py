import socket
import threading
import time
import urllib.request

from site_rows import make_rows
from typer.testing import CliRunner

from embersort.benchmark.export import write_results
from embersort.cli.bench import app


def test_site_of_a_folder_of_results(tmp_path, monkeypatch):
    monkeypatch.setenv("EMBERSORT_HOME", str(tmp_path / "home"))
    rows = make_rows(["A/a/x", "A/a/y"], [("one", "1"), ("two", "2")], n_units=3)
    write_results(rows, tmp_path / "now")
    write_results(rows[:2], tmp_path / "before")
    command = ["site", str(tmp_path / "now"), "-o", str(tmp_path / "site")]
    outcome = CliRunner().invoke(app, [*command, "--before", str(tmp_path / "before")])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.strip().endswith("index.html")
    changes = (tmp_path / "site" / "data" / "changes.js").read_text()
    assert '["A/a/y","one"]' in changes
    again = CliRunner().invoke(app, command)
    assert again.exit_code != 0
    assert "--overwrite" in str(again.exception)


def test_site_of_a_damaged_file_names_the_line(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"recording": "a", "sorter": "b", "outcome": "ok"}\n{')
    outcome = CliRunner().invoke(app, ["site", str(tmp_path), "-o", str(tmp_path / "site")])
    assert "line 2" in str(outcome.exception)
    assert not (tmp_path / "site").exists()


def test_serve_hands_out_the_site_to_this_machine_alone(tmp_path):
    (tmp_path / "index.html").write_text("here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["serve", str(tmp_path), "--port", str(port)]
    threading.Thread(target=CliRunner().invoke, args=(app, command), daemon=True).start()
    address = f"http://127.0.0.1:{port}/"
    for _ in range(100):
        try:
            with urllib.request.urlopen(address) as answer:
                assert answer.read() == b"here"
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the site was not served")


def test_serve_refuses_what_is_no_site(tmp_path):
    outcome = CliRunner().invoke(app, ["serve", str(tmp_path)])
    assert "has no index.html" in str(outcome.exception)
