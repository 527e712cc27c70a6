"""Plots as one HTML page that works from a file, without a network and without Plotly's package.

A figure is what Plotly.js takes: ``{"data": [trace, ...], "layout": {...}}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

Figure = dict[str, Any]

_STYLE = "body{font-family:sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}"
_SCRIPT = "report/vendor/plotly-cartesian.min.js"
"""The copy of Plotly.js that comes with the report; its licence lies beside it."""


def make_figure(
    traces: Sequence[Mapping[str, Any]], *, title: str, x: str, y: str, height: int
) -> Figure:
    """Return a figure of scatter traces.

    Parameters
    ----------
    traces : sequence of mapping
        Each as Plotly.js describes a trace of type ``scatter``; arrays may be NumPy's.
    title, x, y : str
        Of the figure and of its axes.
    height : int
        Pixels.
    """
    layout = {
        "title": {"text": title},
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
        "height": height,
    }
    return {"data": [{"type": "scatter", **trace} for trace in traces], "layout": layout}


def render_page(title: str, body: str, figures: Sequence[Figure]) -> str:
    """Return a whole page: a heading, HTML that is put in as it is, then the figures in order."""
    places = "".join(f'<div id="figure-{i}"></div>' for i in range(len(figures)))
    script = (files("embersort") / _SCRIPT).read_text(encoding="utf-8")
    drawn = (
        f"for (const [i, figure] of {_json(figures)}.entries()) "
        "Plotly.newPlot(`figure-${i}`, figure.data, figure.layout, {responsive: true});"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><script>{script}</script></head>"
        f"<body><h1>{escape(title)}</h1>{body}{places}<script>{drawn}</script></body></html>"
    )


def _json(value: Any) -> str:
    """Return JSON that may stand inside a script element; what is not finite is null."""
    text = json.dumps(_plain(value), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
