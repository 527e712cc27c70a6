"""What the page of one unit shows, as packed arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.quality.curators import amplitude_cutoff
from embersort.report import correlograms
from embersort.report.blocks import Blocks
from embersort.report.columns import peak_to_peak_uv
from embersort.report.neighbours import discriminant_plane
from embersort.report.pack import Quantised, pack, quantise, smallest_unsigned
from embersort.report.snippets import read_snippets, read_window, spread, waveform_density
from embersort.types import FloatArray, IntArray, Recording, SortResult
from embersort.units import ms_to_samples, samples_to_s

N_POINTS_ALL_UNITS = 300_000
"""Spikes of all units together that are shown as points."""
MAX_POINTS = 600
"""Spikes of a unit shown as points (amplitude, depth)."""
MAX_EMBEDDED = 300
"""Spikes of a unit shown as points of the embedding."""
N_PROJECTED = 40
"""Snippets of each of three units that are read for that."""
N_FEATURE_CHANNELS = 4
FEATURE_STEP = 3
"""Samples of a snippet from one that is used to the next."""
N_FEATURES = 8
"""Principal components of snippets on so many channels stand in for an embedding not kept."""
MAX_SNIPPETS = 80
"""Snippets of a unit behind the waveform density."""
N_SNIPPETS_ALL_UNITS = 10_000
"""Snippets of all units together: with many units each has fewer, so that reading stays short."""
N_DRAWN_SNIPPETS = 30
"""Of those, drawn as lines."""
N_LEVELS = 48
"""Rows of the waveform density."""
MAX_TEMPLATE_CHANNELS = 16
"""Channels on which a template is drawn, the largest first."""
TEMPLATE_SHARE = 0.05
"""Channels with less than this share of the largest height are not drawn."""
MAX_TRACE_CHANNELS = 6
TRACE_MS = 30.0
"""Stretch of traces round one spike of the unit."""
N_PROBABILITY_BINS = 20
N_HEIGHT_BINS = 80
N_EPOCHS = 5
"""Stretches of the recording in each of which a mean snippet is drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitScene:
    """What all unit pages of a report share.

    Attributes
    ----------
    result : SortResult
    recording : Recording, optional
        For snippets and traces.
    blocks : Blocks
    spikes : list of ndarray, int64
        Positions of each unit's spikes in the arrays of ``result``, in order of time.
    similarity : ndarray, shape (n_units, n_units), float64
    nearest : ndarray, shape (n_units, n_nearest), int64
    """

    result: SortResult
    recording: Recording | None
    blocks: Blocks
    spikes: list[IntArray]
    similarity: FloatArray
    nearest: IntArray

    def train(self, unit_index: int) -> IntArray:
        """Return the spike samples of one unit."""
        return self.result.sorting.sample_index[self.spikes[unit_index]]


def pack_unit(scene: UnitScene, unit_index: int) -> str:
    """Pack everything that the page of one unit shows; see ``assets/unit.js`` for its reader."""
    arrays: dict[str, NDArray[Any] | Quantised] = {}
    facts: dict[str, Any] = {}
    for part in (_intervals, _points, _heights, _template, _embedding, _from_recording):
        part_arrays, part_facts = part(scene, unit_index)
        arrays |= part_arrays
        facts |= part_facts
    return pack(arrays, facts)


Part = tuple[dict[str, NDArray[Any] | Quantised], dict[str, Any]]


def _intervals(scene: UnitScene, unit_index: int) -> Part:
    """Count correlograms, intervals and probabilities by block."""
    sorting, blocks = scene.result.sorting, scene.blocks
    train, rate_hz = scene.train(unit_index), sorting.sampling_rate_hz
    nearest = scene.nearest[unit_index]
    arrays: dict[str, NDArray[Any] | Quantised] = {
        "acg": smallest_unsigned(correlograms.autocorrelogram(train, rate_hz, blocks)),
        "isi": smallest_unsigned(correlograms.interval_histogram(train, rate_hz, blocks)),
    }
    if len(nearest):
        pairs = [
            correlograms.crosscorrelogram(train, scene.train(other), rate_hz, blocks)
            for other in nearest
        ]
        arrays["ccg"] = smallest_unsigned(np.stack(pairs))
    probability = scene.result.spike_probability[scene.spikes[unit_index]]
    known = np.isfinite(probability)
    if known.any():
        column = np.clip((probability[known] * N_PROBABILITY_BINS).astype(int), 0, 19)
        flat = blocks.of(train[known]) * N_PROBABILITY_BINS + column
        counts = np.bincount(flat, minlength=blocks.n_blocks * N_PROBABILITY_BINS)
        arrays["probability"] = smallest_unsigned(counts.reshape(blocks.n_blocks, -1))
    facts = {
        "nearest": [int(other) for other in nearest],
        "similarity": [round(float(scene.similarity[unit_index, other]), 4) for other in nearest],
    }
    return arrays, facts


def _points(scene: UnitScene, unit_index: int) -> Part:
    """Choose spikes for the views that draw single spikes: amplitude and depth over time."""
    result = scene.result
    n_units = max(1, result.sorting.n_units)
    n_kept = min(MAX_POINTS, max(50, N_POINTS_ALL_UNITS // n_units))
    spikes = scene.spikes[unit_index]
    spikes = spikes[spread(len(spikes), n_kept)]
    time_s = samples_to_s(1, result.sorting.sampling_rate_hz) * result.sorting.sample_index[spikes]
    return {
        "point_time_s": quantise(time_s, "uint16"),
        "point_amplitude": quantise(result.spike_amplitude[spikes], "uint8"),
        "point_y_um": quantise(result.spike_position_um[spikes, 1], "uint8"),
        "point_x_um": quantise(result.spike_position_um[spikes, 0], "uint8"),
    }, {}


def _heights(scene: UnitScene, unit_index: int) -> Part:
    """Count the heights of all spikes, and estimate what is missed below the threshold."""
    heights = np.abs(scene.result.spike_amplitude[scene.spikes[unit_index]]).astype(np.float64)
    heights = heights[np.isfinite(heights)]
    if not len(heights):
        return {}, {}
    counts, edges = np.histogram(heights, N_HEIGHT_BINS, (0.0, float(heights.max()) * 1.02 + 1e-6))
    missed, mode = amplitude_cutoff(heights)
    return {"heights": smallest_unsigned(counts)}, {
        "height_step": float(edges[1]),
        "missed": None if np.isnan(missed) else round(missed, 4),
        "mode": None if np.isnan(mode) else round(mode, 3),
    }


def drawn_channels(height_uv: FloatArray, n_most: int) -> IntArray:
    """Return the channels on which a template is worth drawing, largest first."""
    order = np.argsort(-height_uv, kind="stable")[:n_most]
    return order[height_uv[order] >= TEMPLATE_SHARE * max(float(height_uv.max()), 1e-9)]


def _template(scene: UnitScene, unit_index: int) -> Part:
    """Take the template on its channels, and the nearest units' on the same ones."""
    templates = scene.result.templates
    shape = templates.waveforms_uv.shape
    if shape[1] == 0 or shape[2] == 0:
        return {}, {"channels": []}
    height = peak_to_peak_uv(templates.waveforms_uv[unit_index : unit_index + 1])[0]
    channels = drawn_channels(height, MAX_TEMPLATE_CHANNELS)
    shown = [unit_index, *scene.nearest[unit_index][:2]]
    waves = templates.waveforms_uv[shown][:, :, channels].transpose(0, 2, 1)
    return {"template": quantise(waves, "uint16")}, {
        "channels": [int(channel) for channel in channels]
    }


def _embedding(scene: UnitScene, unit_index: int) -> Part:
    """Project the unit's spikes and the two closest units' on the plane that separates them."""
    result = scene.result
    shown = [unit_index, *(int(other) for other in scene.nearest[unit_index][:2])]
    is_kept = result.embedding.shape[1] > 0
    n_most = MAX_EMBEDDED if is_kept else min(N_PROJECTED, n_snippets(scene))
    chosen = [scene.spikes[u][spread(len(scene.spikes[u]), n_most)] for u in shown]
    if len(chosen[0]) == 0 or not (is_kept or scene.recording is not None):
        return {}, {}
    spikes = np.concatenate(chosen)
    label = np.repeat(np.arange(len(shown)), [len(part) for part in chosen])
    features = result.embedding[spikes] if is_kept else _snippet_features(scene, spikes, unit_index)
    plane = discriminant_plane(np.nan_to_num(features).astype(np.float64), label)
    time_s = result.sorting.sample_index[spikes] / result.sorting.sampling_rate_hz
    return {
        "plane_x": quantise(plane[:, 0], "uint8"),
        "plane_y": quantise(plane[:, 1], "uint8"),
        "plane_group": label.astype(np.uint8),
        "plane_time_s": quantise(time_s, "uint16"),
    }, {"plane_units": shown, "plane_source": "embedding" if is_kept else "snippets"}


def _snippet_features(scene: UnitScene, spikes: IntArray, unit_index: int) -> FloatArray:
    """Return principal components of snippets near a unit's peak: for a sort without embedding."""
    recording, result = scene.recording, scene.result
    if recording is None or recording.geometry.n_channels == 0:
        return np.zeros((len(spikes), 0))
    n_window = result.templates.waveforms_uv.shape[1]
    peak = _peak_channel(scene, unit_index)
    channels = _nearest_channels(scene, peak)[:N_FEATURE_CHANNELS]
    samples = result.sorting.sample_index[spikes]
    snippets = read_snippets(recording, samples, channels, result.templates.n_before, n_window)
    # Band-passed below a fifth of the sampling rate: every third sample tells nearly all.
    thinned = snippets[:, ::FEATURE_STEP]
    flat = thinned.reshape(len(spikes), -1).astype(np.float64) if thinned.size else thinned[:, :, 0]
    centred = flat - flat.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, ::-1][:, :N_FEATURES]


def _peak_channel(scene: UnitScene, unit_index: int) -> int:
    """Return the channel on which a template is largest; 0 without templates."""
    height = peak_to_peak_uv(scene.result.templates.waveforms_uv[unit_index : unit_index + 1])[0]
    return int(height.argmax()) if height.size else 0


def n_snippets(scene: UnitScene) -> int:
    """Return how many snippets of a unit are read."""
    return min(MAX_SNIPPETS, max(20, N_SNIPPETS_ALL_UNITS // scene.result.sorting.n_units))


def _from_recording(scene: UnitScene, unit_index: int) -> Part:
    """Read snippets at the peak channel, and one stretch of traces round a typical spike."""
    recording, result = scene.recording, scene.result
    spikes = scene.spikes[unit_index]
    if recording is None or len(spikes) == 0 or recording.geometry.n_channels == 0:
        return {}, {}
    rate_hz = result.sorting.sampling_rate_hz
    peak = _peak_channel(scene, unit_index)
    n_window = result.templates.waveforms_uv.shape[1] or ms_to_samples(2.5, rate_hz)
    n_before = result.templates.n_before
    train = result.sorting.sample_index[spikes[spread(len(spikes), n_snippets(scene))]]
    snippets = read_snippets(recording, train, np.array([peak]), n_before, n_window)[:, :, 0]
    density, limits_uv = waveform_density(snippets, N_LEVELS)
    amplitude = np.abs(result.spike_amplitude[spikes])
    typical = spikes[int(np.argmin(np.abs(amplitude - np.median(amplitude))))]
    n_trace = ms_to_samples(TRACE_MS, rate_hz)
    start = int(result.sorting.sample_index[typical]) - n_trace // 2
    start = min(max(start, 0), max(recording.n_samples - n_trace, 0))
    channels = _trace_channels(scene, peak)
    raw, filtered = read_window(recording, start, start + n_trace, channels)
    marked, marked_unit = spikes_between(result, start, start + n_trace)
    parts = [part for part in np.array_split(snippets, N_EPOCHS) if len(part)]
    return {
        "epochs": quantise(np.stack([part.mean(axis=0) for part in parts]), "uint8"),
        "density": smallest_unsigned(density),
        "snippets": quantise(snippets[spread(len(snippets), N_DRAWN_SNIPPETS)], "uint8"),
        "trace_raw": quantise(raw.T, "uint8"),
        "trace_filtered": quantise(filtered.T, "uint8"),
        "trace_spike": marked.astype(np.uint16),
        "trace_unit": marked_unit.astype(np.uint16),
    }, {
        "density_limits_uv": list(limits_uv),
        "n_snippets": len(snippets),
        "epoch_end_s": [
            float(part[-1] / rate_hz) for part in np.array_split(train, N_EPOCHS) if len(part)
        ],
        "trace_start_s": start / rate_hz,
        "trace_channels": [int(channel) for channel in channels],
    }


def spikes_between(result: SortResult, start: int, stop: int) -> tuple[IntArray, IntArray]:
    """Return offset from ``start`` and unit position of the spikes in a stretch of samples."""
    samples = result.sorting.sample_index
    first, last = np.searchsorted(samples, [start, stop])
    return samples[first:last] - start, result.sorting.unit_index[first:last]


def _nearest_channels(scene: UnitScene, peak: int) -> IntArray:
    """Return the channels of the peak channel's shank by their distance from it."""
    geometry = scene.result.geometry
    distance = np.hypot(*(geometry.positions_um - geometry.positions_um[peak]).T)
    order = np.argsort(distance, kind="stable")
    return order[geometry.shank_index[order] == geometry.shank_index[peak]]


def _trace_channels(scene: UnitScene, peak: int) -> IntArray:
    """Return the channels nearest to the peak channel, ordered along the probe."""
    near = _nearest_channels(scene, peak)[:MAX_TRACE_CHANNELS]
    depth_um = scene.result.geometry.positions_um[near, 1]
    return near[np.argsort(-depth_um, kind="stable")]
