import dataclasses
import re

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.evaluation.comparison import compare
from embersort.report import write_report
from embersort.report.pack import unpack
from report_scenes import make_recording, make_result, make_truth


def packs_of(path):
    html = path.read_text("utf-8")
    found = re.findall(r'<script id="pack-([\w-]+)" type="text/plain">([^<]*)</script>', html)
    return {name: unpack(text) for name, text in found}


@pytest.fixture(scope="module")
def result():
    return make_result(4, duration_s=6, n_channels=8)


def test_counts_in_the_page_are_those_of_the_sorting(result, tmp_path):
    packs = packs_of(write_report(result, tmp_path / "r.html"))
    assert set(packs) == {
        "overview",
        "trains",
        "pair-templates",
        "unit-0",
        "unit-1",
        "unit-2",
        "unit-3",
    }
    counts = packs["overview"][0]["counts"]
    assert counts.sum(axis=1).tolist() == result.sorting.spike_counts().tolist()
    assert len(packs["overview"][0]["map_time_s"]) == result.sorting.n_spikes
    assert packs["trains"][0]["count"].tolist() == result.sorting.spike_counts().tolist()
    intervals = packs["unit-2"][0]["isi"]
    assert intervals.sum() == len(result.sorting.train(2)) - 1


def test_recording_and_truth_add_their_views(result, tmp_path):
    comparison = compare(make_truth(result), result.sorting)
    path = write_report(
        result, tmp_path / "r.html", recording=make_recording(result), comparison=comparison
    )
    packs = packs_of(path)
    arrays, facts = packs["unit-3"]
    assert facts["n_snippets"] == arrays["density"].sum(axis=0)[0]
    assert arrays["trace_raw"].shape == arrays["trace_filtered"].shape
    confusion, order = packs["truth"]
    rows = [*order["rows"], len(order["rows"])]
    columns = [*order["columns"], len(order["columns"])]
    np.testing.assert_array_equal(confusion["confusion"], comparison.confusion[rows][:, columns])


def test_snippets_stand_in_for_an_embedding_that_was_not_kept(result, tmp_path):
    bare = dataclasses.replace(result, embedding=np.zeros((result.sorting.n_spikes, 0), np.float32))
    path = write_report(bare, tmp_path / "r.html", recording=make_recording(result))
    arrays, facts = packs_of(path)["unit-3"]
    assert facts["plane_source"] == "snippets"
    group = arrays["plane_group"]
    plane = np.column_stack([arrays["plane_x"], arrays["plane_y"]])
    own, other = plane[group == 0], plane[group == 1]
    distance = np.linalg.norm(own.mean(axis=0) - other.mean(axis=0))
    assert distance > 2 * own.std(axis=0).max()


def test_nothing_points_outside_the_file(result, tmp_path):
    html = write_report(result, tmp_path / "r.html").read_text("utf-8")
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:|#)', html)


def test_same_result_gives_same_bytes(result, tmp_path):
    first = write_report(result, tmp_path / "a.html").read_bytes()
    assert first == write_report(result, tmp_path / "b.html").read_bytes()


def test_names_are_text_never_markup(result, tmp_path):
    evil = "</script><script>alert(1)</script>"
    odd = dataclasses.replace(
        result, unit_table={evil: np.array([evil] * 4)}, provenance={"名": evil, "x": np.nan}
    )
    html = write_report(odd, tmp_path / "r.html", title=evil).read_text("utf-8")
    assert "<script>alert(1)" not in html
    assert "名" in html


@pytest.mark.parametrize("n_units", [0, 1])
def test_no_unit_and_one_unit(n_units, tmp_path):
    result = make_result(n_units, duration_s=2, n_channels=4)
    packs = packs_of(write_report(result, tmp_path / "r.html", recording=make_recording(result)))
    assert len([name for name in packs if name.startswith("unit-")]) == n_units


def test_units_without_spikes_or_template(result, tmp_path):
    silent = dataclasses.replace(
        result,
        sorting=dataclasses.replace(
            result.sorting, unit_index=np.zeros(result.sorting.n_spikes, np.int64)
        ),
        templates=dataclasses.replace(
            result.templates, waveforms_uv=np.zeros_like(result.templates.waveforms_uv)
        ),
        spike_probability=np.full(result.sorting.n_spikes, np.nan, np.float32),
        embedding=np.zeros((result.sorting.n_spikes, 0), np.float32),
    )
    packs = packs_of(write_report(silent, tmp_path / "r.html", recording=make_recording(result)))
    assert packs["unit-3"][0]["acg"].sum() == 0
    assert "probability" not in packs["unit-0"][0]


def test_a_recording_of_other_width_is_refused(result, tmp_path):
    other = make_recording(make_result(2, duration_s=1, n_channels=3))
    with pytest.raises(BadInput, match="has 3 channels, the sort result 8"):
        write_report(result, tmp_path / "r.html", recording=other)
    assert not list(tmp_path.iterdir())


def test_a_comparison_of_another_sorting_is_refused(result, tmp_path):
    other = make_result(2, duration_s=6, n_channels=8).sorting
    with pytest.raises(BadInput, match="2 found units, the sort result 4"):
        write_report(result, tmp_path / "r.html", comparison=compare(other, other))


def test_truth_snr_needs_its_comparison(result, tmp_path):
    with pytest.raises(BadInput, match="truth_snr"):
        write_report(result, tmp_path / "r.html", truth_snr=np.ones(3))
