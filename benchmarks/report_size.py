"""Size and speed of the report and of the website at the largest sizes that they are meant for.

``python benchmarks/report_size.py report`` writes the report of 500 units with 3 million spikes on
384 channels and opens it; ``python benchmarks/report_size.py site`` builds the website of 650
recordings, 10 sorters and 35,000 true units and opens its home page. Prints JSON lines.
"""

from __future__ import annotations

import functools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "site"))

import browser as chrome

MEGABYTE = 1e6


def say(**facts: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(facts), flush=True)


def browser_cpu_s() -> float:
    """Return the processor time of the browser's processes: tells more than a busy clock."""
    children = psutil.Process().children(recursive=True)
    times = [child.cpu_times() for child in children if "chrom" in child.name()]
    return sum(time_.user + time_.system for time_ in times)


def timed(act: Callable[[], Any]) -> dict[str, float]:
    """Do something in the browser; return wall and processor time."""
    start, start_cpu = time.perf_counter(), browser_cpu_s()
    act()
    return {
        "wall_s": round(time.perf_counter() - start, 2),
        "processor_s": round(browser_cpu_s() - start_cpu, 2),
    }


def measure_report(folder: Path) -> None:
    """Write and open the largest report."""
    from embersort.recording import ArrayRecording
    from embersort.report import write_report
    from report_scenes import make_result

    result = make_result(500, duration_s=600, n_channels=384, rate_hz=10.2)
    # A recording of noise that repeats each second: reading costs what it costs, memory does not.
    second = np.random.default_rng(0).normal(0, 5, (30_000, 384)).astype(np.float32)

    class Noise(ArrayRecording):
        @property
        def n_samples(self) -> int:
            return result.sorting.n_samples

        def read(self, start_sample: int, stop_sample: int) -> Any:
            return second[np.arange(start_sample, stop_sample) % len(second)]

    recording = Noise(traces=second, sampling_rate_hz=30_000.0, geometry=result.geometry)
    start, start_cpu = time.perf_counter(), time.process_time()
    path = write_report(result, folder / "report.html", recording=recording)
    say(
        what="report written",
        n_units=500,
        n_spikes=result.sorting.n_spikes,
        seconds=round(time.perf_counter() - start, 1),
        processor_s=round(time.process_time() - start_cpu, 1),
        megabytes=round(path.stat().st_size / MEGABYTE, 2),
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
    address = chrome.file_address(path)
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        spent = timed(lambda: look.open(address))
        paint = look.page.evaluate("performance.getEntriesByType('paint')[0].startTime")
        say(what="report opened", first_paint_s=round(paint / 1e3, 2), **spent)
        for state in ("view=unit&unit=20", "view=unit&unit=310", "view=overview&from=3&to=9"):
            say(what="view", state=state, **timed(functools.partial(look.go, state)))


def measure_site(folder: Path) -> None:
    """Build and open the largest site."""
    from site_rows import make_rows

    from embersort.benchmark.site import build_site

    rng = np.random.default_rng(0)
    n_units = rng.multinomial(35_000, np.full(650, 1 / 650)).tolist()
    names = [f"SET{i % 13:02d}/study{i % 91:02d}/rec{i:03d}" for i in range(650)]
    sorters = [(f"sorter{i}", "1.0") for i in range(10)]
    rows = make_rows(names, sorters, n_units=n_units)
    start, start_cpu = time.perf_counter(), time.process_time()
    site = build_site(rows, folder / "site")
    say(
        what="site built",
        n_results=len(rows),
        n_units=sum(n_units),
        seconds=round(time.perf_counter() - start, 1),
        processor_s=round(time.process_time() - start_cpu, 1),
    )
    files = [path for path in site.rglob("*") if path.is_file()]
    loaded = ["index.html", "data/index.js", "data/scores-one_to_one-accuracy.js"]
    loaded += ["assets/" + name for name in ("page.css", "site.css", "pack.js", "page.js")]
    loaded += ["assets/" + name for name in ("site.js", "scoring.js", "index.js")]
    say(
        what="site size",
        n_files=len(files),
        megabytes=round(sum(path.stat().st_size for path in files) / MEGABYTE, 1),
        home_megabytes=round(sum((site / n).stat().st_size for n in loaded) / MEGABYTE, 3),
        largest_recording_megabytes=round(
            max(path.stat().st_size for path in (site / "data" / "recordings").iterdir())
            / MEGABYTE,
            3,
        ),
    )
    address = chrome.file_address(site) + "/"
    with chrome.launched() as browser, chrome.window(browser, [address]) as look:
        for page in ("index.html", "study.html#set=SET03", "compare.html", "methods.html"):
            spent = timed(functools.partial(look.open, address + page))
            say(what="page opened", page=page, **spent)
        look.open(address + "index.html")
        slider = look.page.locator('[data-name="snr"]')
        say(what="slider moved", **timed(lambda: look.after(slider.fill, "8")))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        {"report": measure_report, "site": measure_site}[sys.argv[1]](Path(scratch))
