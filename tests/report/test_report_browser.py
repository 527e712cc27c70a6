"""The report in a real browser, with no network."""

import numpy as np
import pytest

import browser as chrome
from embersort.evaluation.comparison import compare
from embersort.report import write_report
from embersort.report.blocks import cut_blocks
from report_scenes import make_recording, make_result, make_truth

pytestmark = pytest.mark.browser
DURATION_S = 12.0


@pytest.fixture(scope="module")
def result():
    return make_result(6, duration_s=DURATION_S, n_channels=8)


@pytest.fixture(scope="module")
def address(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    comparison = compare(make_truth(result), result.sorting)
    return chrome.file_address(
        write_report(
            result,
            path,
            recording=make_recording(result),
            comparison=comparison,
            truth_snr=np.linspace(3, 20, result.sorting.n_units),
        )
    )


@pytest.fixture(scope="module")
def launched():
    with chrome.launched() as browser:
        yield browser


@pytest.fixture
def look(launched, address):
    with chrome.window(launched, [address]) as look:
        look.open(address)
        yield look


def tile(look, label):
    return look.page.locator(".tile", has_text=label).locator(".tile-value").first.inner_text()


def row_cell(look, unit_id, field):
    row = look.page.locator(".tabulator-row", has=look.page.get_by_role("link", name=str(unit_id)))
    return row.locator(f'[tabulator-field="{field}"]').inner_text()


def test_overview_shows_what_the_sorting_holds(look, result):
    assert tile(look, "units") == "6"
    assert tile(look, "spikes") == f"{result.sorting.n_spikes:,}"
    assert look.page.locator(".tabulator-row").count() == 6
    for unit, unit_id in enumerate(result.sorting.unit_ids):
        n = int(result.sorting.spike_counts()[unit])
        assert row_cell(look, unit_id, "n_spikes") == f"{n:,}"
        assert row_cell(look, unit_id, "rate_hz") == f"{n / DURATION_S:.2f}"


@pytest.mark.parametrize("view", ["overview", "unit&unit=12", "traces", "truth"])
def test_every_figure_has_ink(look, view):
    look.go(f"view={view}")
    figures = look.page.locator(".figure")
    assert figures.count() >= (1 if view == "traces" else 4)
    for index in range(figures.count()):
        figure = figures.nth(index)
        assert look.share_drawn(figure) > 0.003, figure.get_attribute("aria-label")


def test_range_of_time_changes_the_table_to_what_python_counts(look, result):
    look.go("from=6&to=15")
    edges = cut_blocks(result.sorting.n_samples).edges_samples[[6, 15]]
    for unit, unit_id in enumerate(result.sorting.unit_ids):
        train = result.sorting.train(unit)
        n = int(((train >= edges[0]) & (train < edges[1])).sum())
        assert row_cell(look, unit_id, "n_spikes") == f"{n:,}"


def test_autocorrelogram_of_a_range_is_what_python_counts(look, result):
    from embersort.report.correlograms import autocorrelogram

    look.go("view=unit&unit=13&from=4&to=20")
    look.page.locator('[aria-label^="Autocorrelogram"] .main-svg').first.wait_for()
    drawn = look.page.evaluate(
        "[...document.querySelectorAll('.figure')].find(f => "
        "f.getAttribute('aria-label').startsWith('Autocorrelogram')).data[0].y"
    )
    blocks = cut_blocks(result.sorting.n_samples)
    half = autocorrelogram(result.sorting.train(3), 30_000.0, blocks)[4:20].sum(axis=0)
    assert list(drawn) == [*half[::-1].tolist(), *half.tolist()]


def test_sliders_and_address_hold_the_same_state(look, address):
    slider = look.page.get_by_label("Start of the range of time")
    look.after(lambda: slider.press("ArrowRight"))
    assert "from=1" in look.page.evaluate("location.hash")
    look.open(f"{address}#view=unit&unit=14&from=2&to=9")
    assert look.page.locator("h1").inner_text() == "Unit 14"
    assert look.page.get_by_label("End of the range of time").input_value() == "9"


def test_keys_go_through_units_and_sort_the_table(look):
    look.go("view=unit&unit=11")
    look.after(look.page.keyboard.press, "ArrowRight")
    assert look.page.locator("h1").inner_text() == "Unit 12"
    look.go("view=overview")
    head = look.page.locator('.tabulator-col[tabulator-field="n_spikes"] .tabulator-col-content')
    head.focus()
    look.page.keyboard.press("Enter")
    cells = look.page.locator('.tabulator-row [tabulator-field="n_spikes"]').all_inner_texts()
    counts = [int(text.replace(",", "")) for text in cells]
    assert counts == sorted(counts, reverse=True)
    assert "sort=n_spikes" in look.page.evaluate("location.hash")


def test_filter_of_the_table(look, result):
    snr = result.unit_table["snr"]
    bound = float(np.median(snr))
    look.page.get_by_role("searchbox").fill(f"snr>{bound:.3f}")
    assert (
        look.page.locator(".hint[role=status]").inner_text() == f"{(snr > bound).sum()} of 6 units"
    )


def test_labels_are_kept_and_exported(look):
    look.page.get_by_label("Label of unit 12").select_option("good")
    look.page.get_by_label("Label of unit 13").select_option("noise")
    with look.page.expect_download() as as_csv:
        look.page.get_by_role("button", name="labels.csv").click()
    with look.page.expect_download() as as_phy:
        look.page.get_by_role("button", name="cluster_group.tsv").click()
    lines = as_csv.value.path().read_text().splitlines()
    assert lines[0] == "unit_id,label"
    assert {"12,good", "13,noise", "10,unsorted"} <= set(lines)
    assert "12\tgood" in as_phy.value.path().read_text().splitlines()
    look.go("view=unit&unit=12")
    assert look.page.get_by_label("Label of unit 12").input_value() == "good"


def test_click_on_a_row_opens_its_unit(look):
    cell = look.page.locator('.tabulator-row [tabulator-field="n_spikes"]').first
    look.after(cell.click)
    assert "view=unit" in look.page.evaluate("location.hash")


def test_dark_mode_and_phone_width(launched, address):
    with chrome.window(launched, [address], width=390, height=800, dark=True) as look:
        for view in ("overview", "unit&unit=11", "truth", "traces", "run"):
            look.open(f"{address}#view={view}")
            wide = look.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, view
        ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(int(part) for part in ground[4:-1].split(",")) < 60
        look.after(look.page.get_by_label("Light or dark").click)
        ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert min(int(part) for part in ground[4:-1].split(",")) > 200


@pytest.mark.parametrize("n_units", [0, 1])
def test_no_unit_and_one_unit(launched, tmp_path, n_units):
    path = write_report(make_result(n_units, duration_s=2, n_channels=4), tmp_path / "r.html")
    with chrome.window(launched, [chrome.file_address(path)]) as look:
        look.open(chrome.file_address(path))
        assert tile(look, "units") == str(n_units)
        if n_units == 0:
            assert "No units were found" in look.page.locator("main").inner_text()
        else:
            look.go("view=unit&unit=10")
            assert look.page.locator("h1").inner_text() == "Unit 10"
