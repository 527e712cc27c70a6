"""Merges decided in the page, by keys, come out as a file that `embersort curate` applies."""

import dataclasses
import json

import numpy as np
import pytest

import browser as chrome
from embersort.manual import apply_step, read_step
from embersort.report import write_report
from report_scenes import make_recording, make_result

pytestmark = pytest.mark.browser


def alike(result):
    """The result with a second unit of the first one's template, and none of its coincidences."""
    waves = np.array(result.templates.waveforms_uv)
    waves[1] = waves[0]
    return dataclasses.replace(
        result, templates=dataclasses.replace(result.templates, waveforms_uv=waves)
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    result = alike(make_result(4, duration_s=4, n_channels=8))
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(result, path, recording=make_recording(result))
    return result, path


def test_a_pair_is_accepted_by_a_key_and_two_units_are_labelled(page, tmp_path):
    result, path = page
    address = chrome.file_address(path)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address + "#view=pairs&one=10&two=11")
        assert "alike" in look.page.locator(".pair").first.inner_text()
        look.after(look.page.keyboard.press, "a")
        for unit, label in ((12, "good"), (13, "mua")):
            look.go(f"view=unit&unit={unit}")
            look.page.locator(".tools select").first.select_option(label)
        look.go("view=pairs&one=10&two=11")
        with look.page.expect_download() as download:
            look.page.get_by_role("button", name="Save curation.json").click()
        download.value.save_as(tmp_path / "curation.json")
    said = json.loads((tmp_path / "curation.json").read_text())
    assert said["format_version"] == "2"
    assert said["merges"] == [{"unit_ids": [10, 11]}]
    curated = apply_step(result, read_step(tmp_path / "curation.json", result.sorting))
    labels = zip(curated.sorting.unit_ids.tolist(), curated.unit_table["label"], strict=True)
    assert dict(labels) == {12: "good", 13: "mua", 14: ""}


def test_correlogram_of_the_page_counts_what_all_pairs_give(page):
    result, path = page
    address = chrome.file_address(path)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address + "#view=overview")
        counts = look.page.evaluate(
            "async () => (await ReportTrains.correlogram(2, 3, 200)).counts"
        )
    one, other = (np.rint(result.sorting.train(unit) / 3).astype(int) for unit in (2, 3))
    lag = (other[None] - one[:, None]).ravel()
    inside = lag[(lag >= -2000) & (lag < 2000)]
    expected = np.bincount((inside + 2000) // 40, minlength=100)
    assert counts == expected.tolist()
    assert expected.sum() > 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("snr > 0", "4 of 4"),
        ("snr>0  rate >= 0", "4 of 4"),
        ("ampl. cut-off < 2", "of 4 units"),
        ("srn > 5", "no column is called srn"),
    ],
)
def test_filter_forgives_spaces_and_names_what_it_does_not_know(page, text, said):
    _, path = page
    address = chrome.file_address(path)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address)
        look.page.get_by_role("searchbox").fill(text)
        assert said in look.page.locator(".tools [role=status]").inner_text()


def test_every_spike_is_coloured_though_channels_are_thinned(page):
    _, path = page
    address = chrome.file_address(path)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address)
        rows = look.page.evaluate(
            "UnitFigures.rowsOf([5, 4], [0, 3, 7], [0,1,2,3,4,5,6,7].map(i => [0, 20 * i]))"
        )
    # Channel 5 is not shown; of those shown, 3 and 7 are as near, and the first is taken.
    assert rows == [1]
