from typer.testing import CliRunner

from embersort.benchmark.exchange import write_sorting
from embersort.cli.report import app
from embersort.output import write_result
from report_scenes import make_result, make_truth


def test_report_of_an_earlier_sort_without_its_recording(tmp_path):
    result = make_result(3, duration_s=3, n_channels=4)
    write_result(result, tmp_path / "out")
    write_sorting(make_truth(result), tmp_path / "truth.npz")
    outcome = CliRunner().invoke(app, [str(tmp_path / "out"), "-o", str(tmp_path / "r.html")])
    assert outcome.exit_code == 0, outcome.output
    assert "no recording at hand" in outcome.output
    html = (tmp_path / "r.html").read_text("utf-8")
    assert 'id="pack-unit-2"' in html
    assert 'id="pack-traces"' not in html


def test_report_of_what_is_no_result(tmp_path):
    outcome = CliRunner().invoke(app, [str(tmp_path)])
    assert outcome.exit_code != 0
    assert "is not a result of embersort sort" in str(outcome.exception)
