"""The data of one recording's page: its truth, every sorter's result, and the recording itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.jobs import job_command
from embersort.benchmark.process import Limits
from embersort.benchmark.run import Row
from embersort.benchmark.site.counts import CountsRecording
from embersort.benchmark.site.index_data import known_outcome
from embersort.benchmark.site.model import Benchmark, SorterInfo, plain_json
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.report.blocks import cut_blocks
from embersort.report.correlograms import autocorrelogram
from embersort.report.pack import Quantised, pack, quantise, smallest_unsigned
from embersort.report.snippets import mean_snippet, noise_uv, read_window
from embersort.units import ms_to_samples

BEFORE_MS, AFTER_MS = 1.0, 1.5
"""Window of the drawn templates and snippets."""
TRACE_MS = 100.0
MAX_TRACE_CHANNELS = 64
MAX_CHANNELS = 12
"""Channels on which a template is drawn, the nearest to its peak."""
MAX_AVERAGED = 60
"""Spikes averaged into a drawn template."""
RESULT_FACTS = (
    "n_units",
    "n_spikes",
    "wall_s",
    "cpu_s",
    "peak_memory_mib",
    "machine",
    "load_average",
    "parameters",
    "seed",
    "limits",
    "sorter_digest",
)


def recording_facts(
    benchmark: Benchmark,
    recording_index: int,
    stored: StoredRecording | None,
    specs: dict[str, SorterSpec],
) -> dict[str, Any]:
    """Return what is plain about a recording and every sorter's result on it."""
    recording = benchmark.recordings[recording_index]
    facts: dict[str, Any] = {
        "name": recording.name,
        "slug": recording.slug,
        "facts": plain_json(recording.facts),
        "truth": plain_json(recording.truth),
        "results": [],
    }
    if stored is not None:
        facts["stored"] = {
            "n_samples": stored.n_samples,
            "n_channels": stored.n_channels,
            "sampling_rate_hz": stored.sampling_rate_hz,
            "positions_um": np.round(stored.positions_um, 2).tolist(),
        }
    for sorter_index, sorter in enumerate(benchmark.sorters):
        row = benchmark.rows.get((recording_index, sorter_index))
        if row is not None:
            facts["results"].append(_result(row, sorter, sorter_index, stored, specs))
    return facts


def pack_recording(stored: StoredRecording) -> str:
    """Pack noise, a stretch of traces, and the true units' templates, places and intervals."""
    recording = CountsRecording(stored=stored)
    geometry = recording.geometry
    rate_hz = stored.sampling_rate_hz
    arrays: dict[str, NDArray[Any] | Quantised] = {
        "noise_uv": noise_uv(recording).astype(np.float32)
    }
    channels = np.argsort(-geometry.positions_um[:, 1], kind="stable")
    channels = channels[:: max(1, -(-len(channels) // MAX_TRACE_CHANNELS))]
    n_window = min(ms_to_samples(TRACE_MS, rate_hz), stored.n_samples)
    start = (stored.n_samples - n_window) // 2
    raw, filtered = read_window(recording, start, start + n_window, channels)
    arrays |= {"raw": quantise(raw.T, "uint8"), "filtered": quantise(filtered.T, "uint8")}
    facts: dict[str, Any] = {
        "trace_start_s": start / rate_hz,
        "trace_channels": channels.tolist(),
        "n_before": ms_to_samples(BEFORE_MS, rate_hz),
    }
    if stored.has_truth:
        truth = stored.truth()
        trains = truth.trains() if truth.n_units else []
        mean = [mean_unit_snippet(recording, train) for train in trains]
        tables = [nearest_channels(geometry.positions_um, wave) for wave in mean]
        first, last = np.searchsorted(truth.sample_index, [start, start + n_window])
        arrays |= {
            "trace_spike": (truth.sample_index[first:last] - start).astype(np.uint16),
            "trace_unit": truth.unit_index[first:last].astype(np.uint16),
        }
        if trains:
            waves = np.stack([wave[:, near].T for wave, near in zip(mean, tables, strict=True)])
            blocks = cut_blocks(stored.n_samples, 1)
            arrays |= {
                "template": quantise(waves, "uint16"),
                "acg": smallest_unsigned(
                    np.stack([autocorrelogram(t, rate_hz, blocks)[0] for t in trains])
                ),
                "channels": np.stack(tables).astype(np.uint16),
                "place_um": np.stack([centre(geometry.positions_um, wave) for wave in mean]).astype(
                    np.float32
                ),
            }
    return pack(arrays, facts)


def mean_unit_snippet(recording: CountsRecording, train: NDArray[Any]) -> NDArray[np.float32]:
    """Return a unit's mean snippet on all channels, shape (n_window, n_channels), µV."""
    rate_hz = recording.sampling_rate_hz
    n_before = ms_to_samples(BEFORE_MS, rate_hz)
    n_window = n_before + ms_to_samples(AFTER_MS, rate_hz)
    return mean_snippet(recording, train, MAX_AVERAGED, n_before, n_window)


def nearest_channels(positions_um: NDArray[Any], wave: NDArray[Any]) -> NDArray[np.int64]:
    """Return the channels nearest to a snippet's largest one."""
    peak = int(np.ptp(wave, axis=0).argmax())
    distance = np.hypot(*(positions_um - positions_um[peak]).T)
    return np.argsort(distance, kind="stable")[:MAX_CHANNELS]


def centre(positions_um: NDArray[Any], wave: NDArray[Any]) -> NDArray[np.float64]:
    """Return the place of a unit: its channels' mean, weighted by the square of the height."""
    height = np.ptp(wave, axis=0)
    weight = np.where(height >= 0.3 * height.max(initial=0), height, 0) ** 2
    return weight @ positions_um / max(float(weight.sum()), np.finfo(float).tiny)


def _result(
    row: Row,
    sorter: SorterInfo,
    sorter_index: int,
    stored: StoredRecording | None,
    specs: dict[str, SorterSpec],
) -> dict[str, Any]:
    """Return one sorter's result as plain values."""
    spec = specs.get(row.sorter)
    usual = spec.parameters_for(stored, {}) if spec is not None and stored is not None else None
    given = row.result.get("parameters", {})
    changed = {} if usual is None else {k: v for k, v in given.items() if usual.get(k) != v}
    limits = Limits.parse(row.result.get("limits", {}), where=f"limits of {sorter.key}")
    return {
        "sorter": sorter_index,
        "outcome": known_outcome(row.outcome),
        "error": row.error,
        "scores": plain_json(row.scores),
        "command": job_command(row.recording, row.sorter, limits, changed),
        **{name: plain_json(row.result.get(name)) for name in RESULT_FACTS},
    }
