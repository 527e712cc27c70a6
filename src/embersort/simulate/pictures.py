"""A page of pictures of a simulation: traces, templates on the probe, firing and drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embersort.figure_page import Figure, make_figure, render_page
from embersort.simulate.simulation import Simulation

TRACE_S = 0.05
"""Length of the traces that are shown, from the middle of the recording. Small enough for SVG,
which every browser draws; WebGL is not to be had everywhere."""
MAX_CHANNELS = 32
MAX_UNITS = 12
"""Units whose templates are drawn, the ones of highest SNR and evenly down from there."""
MAX_RASTER_SPIKES = 6000
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7f3c8d",
    "#555555",
)
"""After Okabe and Ito, which colour-blind people can tell apart."""


def write_pictures(simulation: Simulation, path: Path) -> None:
    """Write one HTML page that works from a file, without a network.

    Parameters
    ----------
    simulation : Simulation
    path : Path
    """
    figures = [trace_figure(simulation), template_figure(simulation), raster_figure(simulation)]
    title = f"Simulation {getattr(simulation.scene, 'name', 'hybrid')}"
    path.write_text(render_page(title, "", figures), "utf-8")


def trace_figure(simulation: Simulation) -> Figure:
    """Draw the traces of a twentieth of a second, each spike marked at its peak channel."""
    recording, truth = simulation.recording, simulation.truth
    rate_hz = recording.sampling_rate_hz
    length = min(round(TRACE_S * rate_hz), recording.n_samples)
    start = (recording.n_samples - length) // 2
    order = _by_depth(simulation)[:MAX_CHANNELS]
    traces = recording.read(start, start + length)[:, order]
    gap_uv = 8 * float(np.median(np.abs(traces))) + 1
    times_ms = np.arange(length) / rate_hz * 1e3
    traced: list[dict[str, Any]] = []
    for row in range(len(order)):
        traced.append(
            {
                "x": times_ms,
                "y": traces[:, row] + row * gap_uv,
                "mode": "lines",
                "line": {"width": 0.7, "color": "#333"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    row_of = np.full(recording.geometry.n_channels, -1)
    row_of[order] = np.arange(len(order))
    sorting = truth.sorting
    low, high = np.searchsorted(sorting.sample_index, (start, start + length))
    unit = sorting.unit_index[low:high]
    rows = row_of[truth.unit_peak_channel[unit]]
    shown = rows >= 0
    at_ms = (sorting.sample_index[low:high] - start) / rate_hz * 1e3
    traced.append(
        {
            "x": at_ms[shown],
            "y": rows[shown] * gap_uv,
            "mode": "markers",
            "marker": {
                "color": [_colour(u) for u in unit[shown]],
                "size": 8,
                "symbol": "triangle-up",
            },
            "text": [f"unit {u}" for u in unit[shown]],
            "name": "true spikes",
        }
    )
    return make_figure(
        traced,
        title="Traces, lowest channel at the bottom; a triangle at each true spike",
        x="time (ms)",
        y=f"channels, {gap_uv:.0f} µV apart",
        height=300 + 12 * len(order),
    )


def template_figure(simulation: Simulation) -> Figure:
    """Draw templates where the contacts are, of units from the highest SNR down."""
    truth = simulation.truth
    positions = simulation.recording.geometry.positions_um
    waveforms = truth.templates.waveforms_uv
    by_snr = np.argsort(-truth.unit_snr)
    picked = by_snr[:: max(1, -(-len(by_snr) // MAX_UNITS))]
    pitch_um = _pitch_um(positions)
    largest_uv = max(float(np.abs(waveforms).max(initial=0)), 1e-9)
    traced: list[dict[str, Any]] = []
    time = np.linspace(-0.4, 0.4, waveforms.shape[1]) * pitch_um
    for unit in picked:
        reach = np.abs(waveforms[unit]).max(axis=0)
        xs, ys = [], []
        for channel in np.flatnonzero(reach > 0.03 * reach.max()):
            height = waveforms[unit][:, channel] / largest_uv * 2 * pitch_um
            xs.extend([*(positions[channel, 0] + time), None])
            ys.extend([*(positions[channel, 1] + height), None])
        label = f"unit {unit}, SNR {truth.unit_snr[unit]:.1f}, {truth.unit_cell[unit]}"
        line = {"color": _colour(unit), "width": 1}
        traced.append({"x": xs, "y": ys, "mode": "lines", "line": line, "name": label})
    traced.append(
        {
            "x": positions[:, 0],
            "y": positions[:, 1],
            "mode": "markers",
            "marker": {"symbol": "square-open", "size": 5, "color": "#999"},
            "name": "contacts",
        }
    )
    return make_figure(traced, title="Templates at the contacts", x="µm", y="µm", height=900)


def raster_figure(simulation: Simulation) -> Figure:
    """Draw every spike at its unit's depth and the time it fired: movement shows as waves."""
    truth = simulation.truth
    sorting = truth.sorting
    step = max(1, -(-sorting.n_spikes // MAX_RASTER_SPIKES))
    unit = sorting.unit_index[::step]
    depth = truth.unit_position_um[unit, 1] + truth.spike_displacement_um[::step]
    traced: list[dict[str, Any]] = []
    traced.append(
        {
            "x": sorting.sample_index[::step] / sorting.sampling_rate_hz,
            "y": depth,
            "mode": "markers",
            "marker": {"color": [_colour(u) for u in unit], "size": 2},
            "showlegend": False,
        }
    )
    return make_figure(
        traced,
        title=f"Every spike at its cell's depth ({sorting.n_units} units)"
        if step == 1
        else f"One spike in {step} at its cell's depth ({sorting.n_units} units)",
        x="time (s)",
        y="depth (µm)",
        height=600,
    )


def _by_depth(simulation: Simulation) -> Any:
    positions = simulation.recording.geometry.positions_um
    return np.lexsort((positions[:, 0], positions[:, 1]))


def _pitch_um(positions: Any) -> float:
    if len(positions) < 2:
        return 25.0
    distance = np.sqrt(((positions[:, None] - positions[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1)))


def _colour(unit: int) -> str:
    return COLOURS[int(unit) % len(COLOURS)]
