"""What is read from stored recordings and sortings."""

import json

import numpy as np
import pytest
from site_rows import STORED

from embersort.benchmark.home import Home
from embersort.benchmark.site import build_site, pages
from embersort.benchmark.site.model import slug
from embersort.benchmark.site.result_data import spike_classes
from embersort.evaluation.comparison import compare
from embersort.report.pack import unpack


def read_data(path):
    text = path.read_text("utf-8")
    return json.loads(text[text.index(",") + 1 : text.rindex(")")])


@pytest.fixture(scope="module")
def result(built):
    return read_data(built.folder / "data" / "results" / f"{slug(STORED)}-{slug('beta 2.0')}.js")


def test_classes_divide_the_spikes(built):
    comparison = compare(built.truth, built.found["beta"])
    for unit in range(1, 5):
        if comparison.matched_index[unit] < 0:
            continue
        classes = spike_classes(built.truth, built.found["beta"], comparison, unit)
        n_found = comparison.n_found[comparison.matched_index[unit]]
        assert len(classes["matched"]) + len(classes["missed"]) == comparison.n_truth[unit]
        assert len(classes["matched"]) + len(classes["false"]) == n_found
        recall = len(classes["matched"]) / comparison.n_truth[unit]
        assert recall == pytest.approx(comparison.recall[unit])


def test_page_of_a_result_holds_the_confusion_of_its_comparison(built, result):
    comparison = compare(built.truth, built.found["beta"])
    table = unpack(result["packs"]["confusion"])[0]["confusion"]
    assert table.sum() == comparison.confusion.sum()
    assert result["rows"][0] == comparison.truth_ids[comparison.accuracy.argmax()]
    assert result["log"] == "beta says <script>nothing</script>"


def test_units_that_were_matched_have_snippets_by_class(built, result):
    comparison = compare(built.truth, built.found["beta"])
    matched = {f"unit-{u}" for u in np.flatnonzero(comparison.matched_index >= 0)}
    assert set(result["packs"]) == {"confusion", *matched}
    name = sorted(matched)[0]
    arrays, facts = unpack(result["packs"][name])
    n_window = arrays["template"].shape[2]
    assert arrays["template"].shape[0] == 2
    assert arrays["matched_snippets"].shape == (min(16, facts["n"]["matched"]), n_window)
    # A trough of the matched spikes stands where the template has its own.
    mean = arrays["matched_snippets"].mean(axis=0)
    assert abs(int(np.abs(mean).argmax()) - int(np.abs(arrays["template"][0, 0]).argmax())) <= 1


def test_template_of_the_page_is_that_of_the_recording(built):
    from report_scenes import make_result

    data = read_data(built.folder / "data" / "recordings" / f"{slug(STORED)}.js")
    arrays, _ = unpack(data["packs"]["recording"])
    known = np.ptp(make_result(5, duration_s=8, n_channels=8).templates.waveforms_uv, axis=1)
    # Truth gives unit 0's spikes to unit 2, so that one's mean is a mixture.
    unit = 1 if known[1].max() > known[4].max() else 4
    drawn = np.ptp(arrays["template"][unit, 0])
    assert drawn == pytest.approx(known[unit].max(), rel=0.35)
    assert arrays["channels"][unit, 0] == known[unit].argmax()
    assert arrays["noise_uv"] == pytest.approx(np.full(8, 5.0 * np.sqrt(5700 / 15000)), rel=0.4)


def test_download_is_the_sorting(built, result):
    with np.load(built.folder / result["download"]) as arrays:
        assert len(arrays["sample_index"]) == built.found["beta"].n_spikes


def test_partners_of_a_split_unit(built, result):
    comparison = compare(built.truth, built.found["beta"])
    for unit, partners in enumerate(result["partners"]):
        expected = np.flatnonzero(comparison.agreement[unit] >= 0.05)
        ids = sorted(int(built.found["beta"].unit_ids[index]) for index in expected)
        assert sorted(partner["found_id"] for partner in partners) == ids


def test_what_is_read_from_traces_is_read_once(built, tmp_path, monkeypatch):
    def not_again(*arguments):
        raise AssertionError("read again")

    monkeypatch.setattr(pages, "pack_recording", not_again)
    monkeypatch.setattr(pages, "result_data", not_again)
    home = Home(folder=built.folder.parent / "home")
    again = build_site(built.rows, tmp_path / "site", home=home)
    for part in ("results", "recordings"):
        for path in sorted((built.folder / "data" / part).iterdir()):
            assert read_data(again / "data" / part / path.name) == read_data(path)
    # A page of another meaning is made anew.
    monkeypatch.setattr(pages, "PAGE_VERSION", pages.PAGE_VERSION + 1)
    with pytest.raises(AssertionError, match="read again"):
        build_site(built.rows, tmp_path / "other", home=home)
