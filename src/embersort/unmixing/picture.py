"""The picture of an unmixing: one SVG file, no library, works offline."""

from __future__ import annotations

import base64
import colorsys
from html import escape

import numpy as np
from numpy.typing import NDArray

from embersort.output.png import png_bytes
from embersort.types import IntArray
from embersort.unmixing.stretch import Stretch

WIDTH, LEFT, TOP, GAP = 1100, 70, 34, 42
"""Of the picture, of its margins, and between panels (a caption lies there), in pixels."""
CAPTION = 18
"""Height of a caption."""
ROW = 6
"""Height of a channel."""
MOST_COLUMNS = 1200
"""An image is made narrower to about this many columns, each the largest of its samples."""
BRIGHTEST = 8.0
"""Bins of this height, in units of noise, are drawn at full strength."""
MOST_TRACES = 10
TRACE_ROW = 44
"""Unmixed signals that are drawn, the strongest of the stretch, and the height of each."""
GOLDEN_TURN = 0.618034
"""Hues that follow each other by this part of a circle stay far apart."""
MOST_POINTS = 2500
SCATTER = 320
"""Bins of the scatter plot, and its size."""
GREY = 0.55
BACKGROUND_COLOUR = "#bbb"

Rgb = NDArray[np.float64]


def unmixing_svg(stretch: Stretch, title: str) -> str:
    """Return the picture: mixture, bins in embedding space, masks, unmixed signals.

    Parameters
    ----------
    stretch : Stretch
        With its truth, ideal masks and true signals are drawn beside the estimates.
    title : str
    """
    order = np.lexsort((stretch.geometry.positions_um[:, 0], stretch.geometry.positions_um[:, 1]))
    colours = _colours(max(int(stretch.own_uv.shape[1]), 1))
    height = np.clip(np.abs(stretch.traces) / BRIGHTEST, 0, 1)
    panels = [
        ("The mixture: filtered traces in units of noise, blue down, red up", _mixture(stretch)),
        (
            "The embedding of the bins: its first three principal dimensions as red, green, blue",
            _principal_colours(stretch) * height[:, :, None],
        ),
    ]
    if stretch.truth is not None:
        true_colours = _true_colours(stretch.truth.matched_index, colours)
        ideal = _painted(stretch.truth.labels, true_colours, height)
        panels.append(("Ideal masks: a bin has the colour of its largest neuron", ideal))
    panels.append(("Estimated masks", _painted(stretch.labels, colours, height)))
    parts, y = [], TOP
    for caption, image in panels:
        parts.append(_panel(image[:, order], caption, y))
        y += ROW * len(order) + GAP
    parts.append(_traces(stretch, colours, y))
    y += TRACE_ROW * min(MOST_TRACES, len(colours)) + GAP
    parts.append(_scatter(stretch, colours, y))
    y += SCATTER + GAP
    n_ms = len(stretch.traces) / stretch.sampling_rate_hz * 1e3
    head = f"{escape(title)} – {n_ms:.0f} ms, {len(order)} channels, lowest at the bottom"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
        f'height="{y}" font-family="sans-serif" font-size="13"><rect width="100%" height="100%" '
        f'fill="white"/><text x="{LEFT}" y="20" font-size="15">{head}</text>{"".join(parts)}</svg>'
    )


def _panel(image: Rgb, caption: str, y: int) -> str:
    """Return an image over (time, channel, 3), values 0 to 1, under its caption."""
    upright = np.rint(_narrowed(image) * 255).astype(np.uint8).transpose(1, 0, 2)[::-1]
    data = base64.b64encode(png_bytes(np.ascontiguousarray(upright))).decode()
    return (
        f'<text x="{LEFT}" y="{y + 12}">{escape(caption)}</text>'
        f'<image x="{LEFT}" y="{y + CAPTION}" width="{WIDTH - LEFT - 20}" '
        f'height="{ROW * image.shape[1]}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _narrowed(image: Rgb) -> Rgb:
    """Return an image with fewer columns: of each run of samples the most saturated or bright."""
    step = max(1, len(image) // MOST_COLUMNS)
    whole = image[: len(image) // step * step]
    runs = whole.reshape(-1, step, *image.shape[1:])
    # On white panels what stands out is what is far from the panel's ground.
    ground = np.median(image.reshape(-1, 3), axis=0)
    far = np.abs(runs - ground).sum(axis=-1).argmax(axis=1)
    return np.take_along_axis(runs, far[:, None, :, None], axis=1)[:, 0]


def _mixture(stretch: Stretch) -> Rgb:
    value = np.clip(stretch.traces / BRIGHTEST, -1, 1).astype(np.float64)
    down, up = np.maximum(-value, 0), np.maximum(value, 0)
    return np.stack([1 - down, 1 - down - up, 1 - up], axis=-1).clip(0, 1)


def _principal_colours(stretch: Stretch) -> Rgb:
    """Return the principal dimensions of the bins that a segment covers as colours."""
    covered = stretch.embedding.any(axis=2)
    colours = np.zeros((*covered.shape, 3))
    if covered.any():
        projected = _principal(stretch, 3)
        spread = np.maximum(np.quantile(np.abs(projected), 0.98, axis=0), 1e-9)
        colours[covered] = (0.5 + 0.5 * projected / spread).clip(0, 1)
    return colours


def _principal(stretch: Stretch, n_dims: int) -> NDArray[np.float64]:
    """Return the covered bins in their principal dimensions; bins weigh as they are large."""
    covered = stretch.embedding.any(axis=2)
    vectors = stretch.embedding[covered].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weight = np.square(stretch.traces[covered].astype(np.float64))[:, None]
    centred = vectors - (vectors * weight).sum(axis=0) / weight.sum()
    axes = np.linalg.eigh((centred * weight).T @ centred)[1][:, ::-1]
    return centred @ axes[:, :n_dims]


def _painted(labels: NDArray[np.int16], colours: Rgb, height: NDArray[np.floating]) -> Rgb:
    """Return masks as colours on black, as bright as a bin is large."""
    painted = np.zeros((*labels.shape, 3))
    own = labels >= 0
    painted[own] = colours[labels[own]] * (0.25 + 0.75 * height[own])[:, None]
    return painted


def _traces(stretch: Stretch, colours: Rgb, y: int) -> str:
    """Return the own traces of the strongest units, true ones in grey behind them."""
    energy = np.square(stretch.own_uv).sum(axis=0)
    shown = np.argsort(-energy, kind="stable")[:MOST_TRACES]
    shown = np.sort(shown[energy[shown] > 0])
    known = "" if stretch.truth is None else "; the true ones in grey"
    caption = f"Unmixed signals, each on its unit's peak channel{known}"
    parts = [f'<text x="{LEFT}" y="{y + 12}">{caption}</text>']
    for row, unit in enumerate(shown):
        top = y + CAPTION + row * TRACE_ROW
        own = stretch.own_uv[:, unit]
        true = _true_of(stretch, int(unit))
        scale = 0.45 * TRACE_ROW / max(float(np.abs(own).max()), float(np.abs(true).max()), 1e-9)
        middle = top + 0.5 * TRACE_ROW
        parts.append(f'<text x="8" y="{middle + 4:.0f}" font-size="11">unit {unit}</text>')
        if true.any():
            parts.append(_line(true, middle, scale, "#999", 2.2))
        parts.append(_line(own, middle, scale, _hex(colours[unit]), 1.0))
    return "".join(parts)


def _true_of(stretch: Stretch, unit: int) -> NDArray[np.float32]:
    """Return the true trace of an estimated unit; zeros where there is none."""
    if stretch.truth is not None:
        match = np.flatnonzero(stretch.truth.matched_index == unit)
        if len(match):
            return stretch.truth.own_uv[:, match[0]]
    return np.zeros(len(stretch.own_uv), np.float32)


def _line(values: NDArray[np.floating], middle: float, scale: float, colour: str, w: float) -> str:
    """Return a curve over the width of the panels; points on a straight line are left out."""
    step = (WIDTH - LEFT - 20) / len(values)
    y = np.round(middle - scale * values, 1)
    bends = np.ones(len(y), bool)
    bends[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    points = " ".join(f"{LEFT + i * step:.1f},{y[i]:.1f}" for i in np.flatnonzero(bends))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{w}"/>'


def _scatter(stretch: Stretch, colours: Rgb, y: int) -> str:
    """Return the bins in the embedding's first two principal dimensions, coloured by unit."""
    covered = stretch.embedding.any(axis=2)
    sides = "by unit" if stretch.truth is None else "left by estimated unit, right by true unit"
    caption = f"Bins in two principal dimensions of the embedding, {sides}; grey is background"
    parts = [f'<text x="{LEFT}" y="{y + 12}">{caption}</text>']
    if not covered.any():
        return parts[0]
    points = _principal(stretch, 2)
    large = np.flatnonzero(np.abs(stretch.traces[covered]) >= 1)
    chosen = large[:: max(1, len(large) // MOST_POINTS)]
    place = points[chosen] / np.maximum(np.abs(points[chosen]).max(axis=0), 1e-9)
    drawn = [(stretch.labels[covered][chosen], colours)]
    if stretch.truth is not None:
        true_colours = _true_colours(stretch.truth.matched_index, colours)
        drawn.append((stretch.truth.labels[covered][chosen], true_colours))
    for side, (labels, palette) in enumerate(drawn):
        x = LEFT + side * (SCATTER + 60)
        across = x + SCATTER / 2 * (1 + place[:, 0])
        down = y + CAPTION + SCATTER / 2 * (1 - place[:, 1])
        fill = [_hex(palette[label]) if label >= 0 else BACKGROUND_COLOUR for label in labels]
        parts.extend(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="1.6" fill="{colour}"/>'
            for a, b, colour in zip(across, down, fill, strict=True)
        )
    return "".join(parts)


def _colours(n_units: int) -> Rgb:
    """Return a colour per unit, values 0 to 1."""
    return np.array([colorsys.hsv_to_rgb(i * GOLDEN_TURN % 1, 0.75, 0.95) for i in range(n_units)])


def _true_colours(matched_index: IntArray, colours: Rgb) -> Rgb:
    """Return the colour of each true unit: its match's, or grey."""
    grey = np.full((len(matched_index), 3), GREY)
    grey[matched_index >= 0] = colours[matched_index[matched_index >= 0]]
    return grey


def _hex(colour: NDArray[np.float64]) -> str:
    red, green, blue = (round(255 * float(part)) for part in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"
