"""The website in a real browser, from files and from a server, with no other network."""

import functools
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from site_rows import STORED

import browser as chrome

pytestmark = pytest.mark.browser


def cell(look, row, sorter):
    return look.page.locator(f'tr[data-row="{row}"] td[data-sorter="{sorter}"]')


def value(look, row, sorter):
    text = cell(look, row, sorter).get_attribute("data-value")
    return float(text) if text else None


def rows_of(built, prefix, sorter):
    return [
        row
        for row in built.rows
        if row.recording.startswith(prefix) and row.sorter == sorter and row.outcome == "ok"
    ]


def expected_mean(built, prefix, sorter, metric="accuracy", rule="one_to_one", snr=0.0):
    """Mean over recordings of the mean over units, from the rows themselves."""
    means = []
    for row in rows_of(built, prefix, sorter):
        kept = np.array(row.truth["snr"]) >= snr
        if kept.any():
            means.append(np.array(row.scores[rule]["units"][metric])[kept].mean())
    return np.mean(means)


def test_home_numbers_are_those_of_python(look, built):
    look.open(f"{built.address}index.html")
    for sorter, key in (("alpha", "alpha 1"), ("beta", "beta 2.0"), ("gamma", "gamma 0.1")):
        assert value(look, "all", key) == pytest.approx(expected_mean(built, "", sorter), abs=2e-4)
        assert value(look, "TWO", key) == pytest.approx(
            expected_mean(built, "TWO/", sorter), abs=2e-4
        )


def test_sliders_and_choices_change_the_numbers_to_those_of_python(look, built):
    look.open(f"{built.address}index.html")
    look.after(look.page.locator('[data-name="metric"]').select_option, "recall")
    look.after(look.page.locator('[data-name="rule"]').select_option, "spikeforest")
    slider = look.page.locator('[data-name="snr"]')
    look.after(lambda: slider.fill("9"))
    assert value(look, "all", "gamma 0.1") == pytest.approx(
        expected_mean(built, "", "gamma", "recall", "spikeforest", 9.0), abs=2e-4
    )
    look.after(look.page.locator('[data-name="show"]').select_option, "count")
    look.after(lambda: look.page.locator('[data-name="threshold"]').fill("0.7"))
    expected = sum(
        (np.array(row.scores["spikeforest"]["units"]["recall"]) >= 0.7)[
            np.array(row.truth["snr"]) >= 9.0
        ].sum()
        for row in rows_of(built, "", "gamma")
    )
    assert value(look, "all", "gamma 0.1") == expected
    state = look.page.evaluate("location.hash")
    look.open(f"{built.address}index.html{state}")
    assert value(look, "all", "gamma 0.1") == expected
    assert look.page.locator('[data-name="snr"]').input_value() == "9"


@pytest.mark.parametrize("show", ["median", "fraction", "wall", "memory"])
def test_other_summaries(look, built, show):
    look.open(f"{built.address}index.html#show={show}")
    rows = rows_of(built, "", "beta")
    accuracy = np.concatenate([row.scores["one_to_one"]["units"]["accuracy"] for row in rows])
    expected = {
        "median": np.median(accuracy),
        "fraction": (accuracy >= 0.8).mean(),
        "wall": sum(row.result["wall_s"] for row in rows),
        "memory": max(row.result["peak_memory_mib"] for row in rows),
    }[show]
    assert value(look, "all", "beta 2.0") == pytest.approx(expected, abs=2e-4)


def test_failures_and_gaps_are_shown_as_what_they_are(look, built):
    look.open(f"{built.address}index.html#open=ONE ONE/easy TWO TWO/easy")
    assert cell(look, "ONE/easy/r1", "gamma 0.1").inner_text() == "out of memory"
    assert cell(look, "TWO/easy/r0", "beta 2.0").inner_text() == ""
    assert "3/4" in cell(look, "TWO", "beta 2.0").inner_text()
    assert "✕1" in cell(look, "ONE", "gamma 0.1").inner_text()
    without = value(look, "ONE", "gamma 0.1")
    look.after(look.page.locator('[data-name="failures"]').select_option, "zero")
    assert value(look, "ONE", "gamma 0.1") == pytest.approx(without * 3 / 4, abs=1e-4)


def test_interval_on_hover_holds_the_mean(look, built):
    look.open(f"{built.address}index.html")
    cell(look, "all", "alpha 1").hover()
    title = cell(look, "all", "alpha 1").get_attribute("title")
    mean, low, high = map(float, re.match(r"([\d.]+) \[([\d.]+), ([\d.]+)\]", title).groups())
    assert low < mean < high
    means = [
        np.mean(r.scores["one_to_one"]["units"]["accuracy"]) for r in rows_of(built, "", "alpha")
    ]
    drawn = np.random.default_rng(0).choice(means, (4000, len(means))).mean(axis=1)
    assert (low, high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.03)


def test_paired_wins_are_those_of_python(look, built):
    look.open(f"{built.address}index.html#a=alpha 1&b=gamma 0.1")
    means = {
        name: {
            row.recording: np.mean(row.scores["one_to_one"]["units"]["accuracy"])
            for row in rows_of(built, "", name)
        }
        for name in ("alpha", "gamma")
    }
    both = means["alpha"].keys() & means["gamma"].keys()
    differences = np.array([means["alpha"][name] - means["gamma"][name] for name in both])
    text = look.page.locator("#paired [role=status]").inner_text()
    assert f"better on {(differences > 0.005).sum()}" in text
    assert f"of {len(both)} recordings" in text
    assert f"mean difference {differences.mean():.3f}"[:-1] in text


def test_two_sorters_without_common_recording(launched, tmp_path):
    from site_rows import make_rows

    from embersort.benchmark.site import build_site

    rows = make_rows(["A/a/a"], [("one", "1")]) + make_rows(["B/b/b"], [("two", "1")], seed=1)
    address = chrome.file_address(build_site(rows, tmp_path / "site")) + "/"
    with chrome.window(launched, [address]) as look:
        look.open(f"{address}index.html")
        assert "no recording in common" in look.page.locator("#paired").inner_text()
        look.open(f"{address}compare.html")
        assert "no recording in common" in look.page.locator("main").inner_text()


def test_from_home_to_unit_and_back(look, built):
    page = look.page
    look.open(f"{built.address}index.html")
    look.after(page.get_by_role("button", name="Open STORED").click)
    look.after(page.get_by_role("button", name="Open here").click)
    for link, address in (
        (page.get_by_role("link", name="here", exact=True), "study.html"),
        (page.locator(".tabulator-row a").first, "recording.html"),
        (page.get_by_role("link", name="beta 2.0"), "result.html"),
        (page.get_by_role("link", name="unit 1", exact=True), "unit.html"),
    ):
        link.first.click()
        page.wait_for_url(re.compile(address))
        page.wait_for_selector("body[data-drawn]", timeout=chrome.READY_MS)
    assert page.locator("h1").inner_text() == "True unit 1"
    assert page.locator('[data-name="sorter"]').input_value() == "beta 2.0"
    for address in ("result.html", "recording.html", "study.html", "index.html"):
        page.go_back()
        page.wait_for_url(re.compile(address))
        page.wait_for_selector("body[data-drawn]", timeout=chrome.READY_MS)
    assert cell(look, STORED, "alpha 1").is_visible()


PAGES = [
    "study.html#set=STORED",
    f"recording.html#name={STORED}",
    f"result.html#recording={STORED}&sorter=beta 2.0",
    f"unit.html#recording={STORED}&unit=1&sorter=beta 2.0",
    "sorter.html#name=gamma 0.1",
    "compare.html#a=alpha 1&b=gamma 0.1",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_ink_and_every_link_leads_somewhere(look, built, page):
    look.open(built.address + page)
    figures = look.page.locator(".figure")
    assert figures.count() >= 1
    for index in range(figures.count()):
        figure = figures.nth(index)
        if figure.locator(".nothing").count():
            continue
        assert look.share_drawn(figure) > 0.003, figure.get_attribute("aria-label")
    for target in look.page.eval_on_selector_all(
        "a[href]", "links => links.map(a => a.getAttribute('href'))"
    ):
        name = target.split("#")[0]
        assert not name or (built.folder / name).is_file(), target


def test_failed_result_shows_its_error_as_text(look, built):
    look.open(f"{built.address}result.html#recording=ONE/easy/r1&sorter=gamma 0.1")
    text = look.page.locator("main").inner_text()
    assert "out of memory" in text
    assert "gamma stopped: <b>no memory</b>" in text


def test_odd_names_are_text(look, built):
    name = "ODD/<script>alert(1)<b>/データ"
    look.open(f"{built.address}index.html#open=ODD ODD/<script>alert(1)<b>")
    assert look.page.get_by_role("link", name="データ").is_visible()
    look.open(f"{built.address}recording.html#name={name}")
    assert look.page.locator("h1").inner_text() == "<script>alert(1)<b>/データ"


def test_an_address_that_names_nothing_says_so(launched, built):
    with chrome.window(launched, [built.address]) as look:
        look.open(f"{built.address}recording.html#name=no/such/thing")
        assert "there is no recording no/such/thing" in look.page.locator("main").inner_text()
        # The page raises, so that a wrong link is seen in the console as well.
        assert len(look.faults) == 1
        look.faults.clear()


def test_snapshots_and_downloads_on_the_methods_page(look, built):
    look.open(f"{built.address}methods.html")
    text = look.page.locator("#changes").inner_text()
    assert "Since spring: 2 added, 0 removed, 0 changed" in text
    names = look.page.locator("#downloads a").all_inner_texts()
    assert {"results.jsonl", "units.csv", "recordings.csv"} <= set(names)


def test_dark_mode_and_phone_width(launched, built):
    with chrome.window(launched, [built.address], width=390, height=800, dark=True) as look:
        for page in ("index.html", "methods.html", *PAGES):
            look.open(built.address + page)
            assert look.page.evaluate("document.documentElement.scrollWidth") <= 390, page
        ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(int(part) for part in ground[4:-1].split(",")) < 60


def test_keyboard_opens_a_study_set(look, built):
    look.open(f"{built.address}index.html")
    look.page.get_by_role("button", name="Open ONE").focus()
    look.after(look.page.keyboard.press, "Enter")
    assert look.page.locator('tr[data-row="ONE/easy"]').is_visible()
    assert look.page.evaluate("document.activeElement.dataset.key") == "ONE"


def test_served_over_http_it_is_the_same(launched, built):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(built.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        with chrome.window(launched, [address]) as look:
            look.open(f"{address}index.html")
            assert value(look, "all", "alpha 1") == pytest.approx(
                expected_mean(built, "", "alpha"), abs=2e-4
            )
        server.shutdown()


def test_home_page_is_light(built):
    home = (built.folder / "index.html").read_text("utf-8")
    loaded = re.findall(r'(?:src|href)="(assets/[^"]+)"', home)
    size = sum((built.folder / name).stat().st_size for name in loaded)
    assert not [name for name in loaded if "plotly" in name or "tabulator" in name]
    assert size < 150_000
