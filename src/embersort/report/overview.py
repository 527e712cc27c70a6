"""What the report's overview shows: rates of all units, the drift map, long traces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.report.blocks import BINS_PER_BLOCK, Blocks, cut_blocks
from embersort.report.columns import peak_to_peak_uv
from embersort.report.correlograms import refractory_violations
from embersort.report.pack import Quantised, pack, quantise, smallest_unsigned
from embersort.report.snippets import read_window, spread
from embersort.report.unit_page import spikes_between
from embersort.types import IntArray, Recording, SortResult
from embersort.units import ms_to_samples

TRACE_MS = 100.0
N_TRACE_WINDOWS = 6
"""Stretches of traces shown of the whole probe."""
MAX_MAP_SPIKES = 40_000
"""Spikes of the drift map, spread evenly over all."""
MAX_TRAIN_SPIKES = 400_000
"""Spikes whose times the page holds, for correlograms of any two units."""
TICKS_PER_S = 10_000
"""Those times are kept to a tenth of a millisecond."""
N_LONGEST_REACH = 6
REACH_SHARE = 0.4
"""A spike is coloured on the channels where its template has this share of its largest height."""
MAX_TRACE_VALUES = 1_500_000
"""Samples of all shown stretches together; fewer channels are shown where it does not suffice."""


def pack_overview(result: SortResult, blocks: Blocks, trains: list[IntArray]) -> str:
    """Pack rates, violations and peak waveform of every unit, and the drift map."""
    rate_hz = result.sorting.sampling_rate_hz
    bins = cut_blocks(result.sorting.n_samples, blocks.n_blocks * BINS_PER_BLOCK)
    n_units = len(trains)
    counts = np.zeros((n_units, bins.n_blocks), np.int64)
    violations = np.zeros((n_units, blocks.n_blocks), np.int64)
    for unit_index, train in enumerate(trains):
        counts[unit_index] = bins.counts(train)
        violations[unit_index] = refractory_violations(train, rate_hz, blocks)
    arrays: dict[str, NDArray[Any] | Quantised] = {
        "counts": smallest_unsigned(counts),
        "violations": smallest_unsigned(violations),
    }
    if n_units and result.templates.waveforms_uv.size:
        peak = peak_to_peak_uv(result.templates.waveforms_uv).argmax(axis=1)
        waves = result.templates.waveforms_uv[np.arange(n_units), :, peak]
        arrays["peak_wave"] = quantise(waves, "uint8")
    arrays |= _drift_map(result)
    return pack(arrays)


def pack_traces(result: SortResult, recording: Recording) -> str:
    """Pack some stretches of traces of the whole probe, raw and filtered, with their spikes."""
    rate_hz = recording.sampling_rate_hz
    n_window = min(ms_to_samples(TRACE_MS, rate_hz), recording.n_samples)
    n_most = max(1, MAX_TRACE_VALUES // max(1, n_window * N_TRACE_WINDOWS))
    depth = recording.geometry.positions_um[:, 1]
    channels = np.argsort(-depth, kind="stable")
    step = -(-len(channels) // n_most) if n_most < len(channels) else 1
    channels = channels[::step]
    last_start = recording.n_samples - n_window
    starts = np.unique(np.linspace(0, last_start, N_TRACE_WINDOWS + 2)[1:-1].astype(np.int64))
    arrays: dict[str, NDArray[Any] | Quantised] = {}
    for index, start in enumerate(starts):
        raw, filtered = read_window(recording, int(start), int(start) + n_window, channels)
        spikes, units = spikes_between(result, int(start), int(start) + n_window)
        arrays |= {
            f"raw_{index}": quantise(raw.T, "uint8"),
            f"filtered_{index}": quantise(filtered.T, "uint8"),
            f"spike_{index}": spikes.astype(np.uint16),
            f"unit_{index}": units.astype(np.uint16),
        }
    facts = {
        "start_s": [float(start / rate_hz) for start in starts],
        "channels": [int(channel) for channel in channels],
        "n_channels": recording.geometry.n_channels,
    }
    return pack(arrays, facts)


def pack_trains(result: SortResult, trains: list[IntArray]) -> str:
    """Pack the spike times of all units, of as long a stretch as the page has room for."""
    sorting = result.sorting
    stop = sorting.n_samples
    if sorting.n_spikes > MAX_TRAIN_SPIKES:
        stop = int(sorting.sample_index[MAX_TRAIN_SPIKES])
    kept = [train[: np.searchsorted(train, stop)] for train in trains]
    ticks = [np.rint(train / sorting.sampling_rate_hz * TICKS_PER_S).astype(int) for train in kept]
    delta = [np.diff(train, prepend=0) for train in ticks]
    return pack(
        {
            "delta": smallest_unsigned(np.concatenate([np.zeros(0, np.int64), *delta])),
            "count": smallest_unsigned(np.array([len(train) for train in kept], np.int64)),
        },
        {"ticks_per_s": TICKS_PER_S, "until_s": stop / sorting.sampling_rate_hz},
    )


def pack_pair_templates(result: SortResult, channels: list[list[int]]) -> str:
    """Pack every unit's template on the channels that it reaches, for any two side by side."""
    waves = result.templates.waveforms_uv
    n_units, n_window, _ = waves.shape
    kept = np.zeros((n_units, N_LONGEST_REACH, n_window), np.float32)
    for unit, at in enumerate(channels):
        kept[unit, : len(at)] = waves[unit][:, at].T
    facts = {"channels": channels, "n_window": n_window}
    return pack({"waves": quantise(kept, "uint8")}, facts)


def reach(result: SortResult) -> list[list[int]]:
    """Return the channels on which a spike of each unit is seen, the largest first."""
    waves = result.templates.waveforms_uv
    height = waves.max(axis=1, initial=0) - waves.min(axis=1, initial=0)
    found = []
    for row in height:
        order = np.argsort(-row, kind="stable")[:N_LONGEST_REACH]
        found.append([int(c) for c in order if row[c] >= REACH_SHARE * max(row.max(), 1e-9)])
    return found


def _drift_map(result: SortResult) -> dict[str, NDArray[Any] | Quantised]:
    """Choose spikes for the map of depth, time and height."""
    spikes = spread(result.sorting.n_spikes, MAX_MAP_SPIKES)
    time_s = result.sorting.sample_index[spikes] / result.sorting.sampling_rate_hz
    height = np.clip(np.nan_to_num(np.abs(result.spike_amplitude[spikes])), 0, 40)
    return {
        "map_time_s": quantise(time_s, "uint16"),
        "map_y_um": quantise(result.spike_position_um[spikes, 1], "uint16"),
        "map_height": quantise(height, "uint8"),
    }
