"""Pages put together: templates, the parts that come with the package, and the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from embersort.report.pack import json_for_script

VENDORED_SCRIPTS = ("plotly-cartesian.min.js", "tabulator.min.js")
VENDORED_STYLES = ("tabulator.min.css",)
SHARED_SCRIPTS = (
    "pack.js",
    "page.js",
    "drawing.js",
    "figures.js",
    "unit_figures.js",
    "table.js",
)
"""Used by the report and by the website alike: one code path for every figure."""
SHARED_STYLES = ("page.css",)
REPORT_SCRIPTS = (
    "report_state.js",
    "report_trains.js",
    "report_pairs.js",
    "report_drift.js",
    "report_unit_time.js",
    "report_unit.js",
    "report_truth.js",
    "report_overview.js",
    "report.js",
)


def render_report(facts: Mapping[str, Any], packs: Mapping[str, str]) -> str:
    """Return the report's HTML with everything inside it.

    Parameters
    ----------
    facts : mapping
        Plain values, readable at once.
    packs : mapping of str to str
        Base64 packs, unpacked when their page is opened.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("embersort.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        title=facts["title"],
        styles=[
            *read_texts("vendor", VENDORED_STYLES),
            *read_texts("assets", SHARED_STYLES),
        ],
        vendored=read_texts("vendor", VENDORED_SCRIPTS),
        scripts=read_texts("assets", (*SHARED_SCRIPTS, *REPORT_SCRIPTS)),
        facts_json=json_for_script(facts),
        packs=packs,
    )


def read_texts(folder: str, names: Sequence[str]) -> list[str]:
    """Read files of ``assets`` or ``vendor``."""
    root = files("embersort.report") / folder
    return [(root / name).read_text(encoding="utf-8") for name in names]


def plain(value: Any) -> Any:
    """Return nested values as JSON can hold them: what is not finite as None, the rest as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0 else None
    return str(value)
