"""What the report shows of confidence."""

import dataclasses

import numpy as np
import pytest

import browser as chrome
from embersort.evaluation.calibration import reliability
from embersort.evaluation.comparison import compare
from embersort.report import write_report
from embersort.report.columns import unit_columns
from embersort.report.truth import truth_facts
from report_scenes import make_result, make_truth


@pytest.fixture(scope="module")
def result():
    return make_result(6, duration_s=12, n_channels=8)


@pytest.fixture(scope="module")
def comparison(result):
    return compare(make_truth(result), result.sorting)


def drawn(look, title):
    figure = f'[aria-label^="{title}"]'
    look.page.locator(f"{figure} .main-svg").first.wait_for()
    return look.page.evaluate(
        f"(() => {{ const t = document.querySelector('{figure}').data[0];"
        "return {x: [...t.x], y: [...t.y],"
        "up: t.error_y && t.error_y.array && [...t.error_y.array]}; })()"
    )


def test_what_is_said_of_spikes_is_held_against_the_truth(result, comparison):
    facts = truth_facts(comparison, None, result.spike_probability)["reliability"]
    expected = reliability(result.spike_probability, comparison.found_spike_agrees)
    assert facts["n_spikes"] == expected.n_spikes.tolist()
    assert facts["error"] == pytest.approx(expected.expected_calibration_error, abs=1e-4)
    known = [value for value in facts["said"] if value is not None]
    assert len(known) == (expected.n_spikes > 0).sum()


def test_nothing_said_is_nothing_shown(result, comparison):
    silent = np.full(result.sorting.n_spikes, np.nan)
    assert truth_facts(comparison, None, silent)["reliability"] is None


def test_the_ends_of_the_interval_are_details(result):
    heads, values = unit_columns(result)
    details = [head["name"] for head in heads if head["is_detail"]]
    assert details == ["predicted_accuracy_low", "predicted_accuracy_high"]
    low, middle, high = (values[f"predicted_accuracy{end}"] for end in ("_low", "", "_high"))
    assert all(a < b < c for a, b, c in zip(low, middle, high, strict=True))


@pytest.mark.browser
def test_the_page_draws_what_python_counts(result, comparison, tmp_path):
    page = write_report(result, tmp_path / "report.html", comparison=comparison)
    address = chrome.file_address(page)
    accuracy = result.unit_table["predicted_accuracy"]
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address)
        units = drawn(look, "Confidence of the units")
        assert units["y"] == pytest.approx(np.sort(accuracy)[::-1], abs=1e-4)
        assert units["up"] == pytest.approx([0.1] * 6, abs=1e-4)
        assert look.page.locator('[tabulator-field="predicted_accuracy"]').count() > 0
        assert look.page.locator('[tabulator-field="predicted_accuracy_low"]').count() == 0
        look.go("view=truth")
        spikes = drawn(look, "Reliability of spikes")
        expected = reliability(result.spike_probability, comparison.found_spike_agrees)
        full = expected.n_spikes > 0
        assert spikes["x"] == pytest.approx(expected.said[full], abs=1e-3)
        assert spikes["y"] == pytest.approx(expected.came_true[full], abs=1e-3)
        points = drawn(look, "Predicted and true accuracy")
        assert points["x"] == pytest.approx(comparison.found_scores.accuracy, abs=1e-3)
        assert points["y"] == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.browser
def test_a_sort_without_confidence_shows_none(result, comparison, tmp_path):
    bare = dataclasses.replace(
        result,
        spike_probability=np.full(result.sorting.n_spikes, np.nan, np.float32),
        unit_table={"snr": result.unit_table["snr"]},
    )
    page = write_report(bare, tmp_path / "report.html", comparison=comparison)
    address = chrome.file_address(page)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        look.open(address)
        assert look.page.get_by_text("Confidence of the units").count() == 0
        look.go("view=truth")
        assert look.page.get_by_text("Reliability of spikes").count() == 0
        assert look.page.get_by_text("Predicted and true accuracy").count() == 0
