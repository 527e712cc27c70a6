"""The picture of a training run, as SVG text: one panel per column of the history."""

from __future__ import annotations

from html import escape

PANEL_WIDTH_PX = 300
PANEL_HEIGHT_PX = 180
MARGIN_PX = 40
NOT_DRAWN = ("step", "seconds")


def curve_svg(history: list[dict[str, float]]) -> str:
    """Return the columns of a training history against the step, as a self-contained SVG.

    Parameters
    ----------
    history : list of dict
        Rows with a ``step`` and any number of other columns.
    """
    names = [name for name in (history[0] if history else {}) if name not in NOT_DRAWN]
    panels = [_panel(name, history, left=i * PANEL_WIDTH_PX) for i, name in enumerate(names)]
    width = max(1, len(names)) * PANEL_WIDTH_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {PANEL_HEIGHT_PX}" '
        f'width="{width}" height="{PANEL_HEIGHT_PX}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(panels)}</svg>\n'
    )


def _panel(name: str, history: list[dict[str, float]], left: float) -> str:
    """Return one panel: frame, line, name, and the extremes of both axes."""
    x0, x1 = left + MARGIN_PX, left + PANEL_WIDTH_PX - MARGIN_PX / 2
    y0, y1 = PANEL_HEIGHT_PX - MARGIN_PX / 2, MARGIN_PX / 2
    steps = [row["step"] for row in history]
    values = [row[name] for row in history]
    low, high = min(values), max(values)
    scale_x = (x1 - x0) / max(steps[-1] - steps[0], 1)
    scale_y = (y1 - y0) / ((high - low) or 1.0)
    points = " ".join(
        f"{x0 + (step - steps[0]) * scale_x:.1f},{y0 + (value - low) * scale_y:.1f}"
        for step, value in zip(steps, values, strict=True)
    )
    return (
        f'<path d="M{x0} {y1}V{y0}H{x1}" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#c2410c" stroke-width="1.5"/>'
        f'<text x="{x0}" y="{y1 - 6}">{escape(name)}: last {values[-1]:.4g}</text>'
        f'<text x="{x0 - 4}" y="{y1 + 8}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{x0 - 4}" y="{y0}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{x0}" y="{y0 + 14}">{steps[0]:.0f}</text>'
        f'<text x="{x1}" y="{y0 + 14}" text-anchor="end">{steps[-1]:.0f}</text>'
    )
