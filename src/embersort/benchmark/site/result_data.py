"""The data of one result's pages: how each true unit fared, spike by spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.benchmark.site.counts import CountsRecording
from embersort.benchmark.site.recording_data import (
    AFTER_MS,
    BEFORE_MS,
    mean_unit_snippet,
    nearest_channels,
)
from embersort.evaluation.comparison import UNMATCHED, Comparison, compare
from embersort.report.blocks import cut_blocks
from embersort.report.correlograms import autocorrelogram
from embersort.report.pack import Quantised, pack, quantise, smallest_unsigned
from embersort.report.snippets import read_snippets, read_window, spread
from embersort.report.truth import found_order
from embersort.types import IntArray, Sorting
from embersort.units import ms_to_samples

N_DRAWN = 16
"""Snippets of each class that are drawn."""
N_POINTS = 60
"""Spikes of each class whose height is shown over time."""
TRACE_MS = 12.0
N_TRACE_CHANNELS = 5
MAX_TRACED_UNITS = 100
"""With more true units than this the stretches of traces are left out, so that pages stay small."""
PARTNER_AGREEMENT = 0.05
"""Found units that share this much with a true one are its split or merge partners."""


def result_data(
    recording: CountsRecording, truth: Sorting, found: Sorting
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return facts and packs of a result's page, by the one-to-one rule.

    Returns
    -------
    facts : dict
        Partners of each true unit, and faults of the found ones.
    packs : dict of str to str
        ``confusion``, and ``unit-N`` for each true unit that was matched.
    """
    comparison = compare(truth, found)
    rows = np.argsort(-comparison.accuracy, kind="stable")
    columns = found_order(comparison, rows)
    table = comparison.confusion[np.append(rows, len(rows))][:, np.append(columns, len(columns))]
    facts = {
        "rows": [int(comparison.truth_ids[row]) for row in rows],
        "columns": [int(comparison.found_ids[column]) for column in columns],
        "row_totals": [int(comparison.n_truth[row]) for row in rows],
        "found_ids": comparison.found_ids.tolist(),
        "n_found": comparison.n_found.tolist(),
        "partners": [_partners(comparison, unit) for unit in range(truth.n_units)],
    }
    packs = {"confusion": pack({"confusion": smallest_unsigned(table)})}
    for unit in range(truth.n_units):
        if comparison.matched_index[unit] != UNMATCHED:
            packs[f"unit-{unit}"] = _pack_unit(recording, truth, found, comparison, unit)
    return facts, packs


def spike_classes(
    truth: Sorting, found: Sorting, comparison: Comparison, unit: int
) -> dict[str, IntArray]:
    """Return the samples of a true unit's matched, missed and false spikes.

    These are its spikes that the matched unit has, those that it lacks, and spikes of the
    matched unit that are not the true one's.
    """
    matched = int(comparison.matched_index[unit])
    true_spikes = np.flatnonzero(truth.unit_index == unit)
    hit = comparison.truth_spike_found[true_spikes]
    found_spikes = np.flatnonzero(found.unit_index == matched)
    wrong = found_spikes[~comparison.found_spike_true[found_spikes]]
    return {
        "matched": truth.sample_index[true_spikes[hit]],
        "missed": truth.sample_index[true_spikes[~hit]],
        "false": found.sample_index[wrong],
    }


def _pack_unit(
    recording: CountsRecording,
    truth: Sorting,
    found: Sorting,
    comparison: Comparison,
    unit: int,
) -> str:
    """Pack templates, snippets and heights by class, intervals, and short traces of one unit."""
    rate_hz = recording.sampling_rate_hz
    matched = int(comparison.matched_index[unit])
    train, other = truth.train(unit), found.train(matched)
    wave, found_wave = mean_unit_snippet(recording, train), mean_unit_snippet(recording, other)
    channels = nearest_channels(recording.geometry.positions_um, wave)
    n_before = ms_to_samples(BEFORE_MS, rate_hz)
    n_window = n_before + ms_to_samples(AFTER_MS, rate_hz)
    peak_sample = int(np.abs(wave[:, channels[0]]).argmax())
    blocks = cut_blocks(truth.n_samples, 1)
    arrays: dict[str, NDArray[Any] | Quantised] = {
        "template": quantise(np.stack([wave[:, channels].T, found_wave[:, channels].T]), "uint16"),
        "acg": smallest_unsigned(
            np.stack([autocorrelogram(t, rate_hz, blocks)[0] for t in (train, other)])
        ),
    }
    facts: dict[str, Any] = {"channels": channels.tolist(), "n_before": n_before, "n": {}}
    for name, samples in spike_classes(truth, found, comparison, unit).items():
        shown = samples[spread(len(samples), N_POINTS)]
        snippets = read_snippets(recording, shown, channels[:1], n_before, n_window)[:, :, 0]
        facts["n"][name] = len(samples)
        if not len(shown):
            continue
        arrays |= {
            f"{name}_time_s": quantise(shown / rate_hz, "uint16"),
            f"{name}_height": quantise(snippets[:, peak_sample], "uint8"),
            f"{name}_snippets": quantise(snippets[spread(len(snippets), N_DRAWN)], "uint8"),
        }
        if truth.n_units <= MAX_TRACED_UNITS:
            start, traces = _stretch(recording, int(shown[len(shown) // 2]), channels)
            arrays[f"{name}_trace"] = quantise(traces, "uint8")
            facts[f"{name}_start_s"] = start / rate_hz
    return pack(arrays, facts)


def _stretch(
    recording: CountsRecording, sample: int, channels: IntArray
) -> tuple[int, NDArray[np.float32]]:
    """Read a short filtered stretch round a spike, shape (n_channels, n_samples)."""
    n_stretch = ms_to_samples(TRACE_MS, recording.sampling_rate_hz)
    start = sample - n_stretch // 2
    _, filtered = read_window(recording, start, start + n_stretch, channels[:N_TRACE_CHANNELS])
    return start, filtered.T


def _partners(comparison: Comparison, unit: int) -> list[dict[str, Any]]:
    """Return found units that share spikes with a true one, and true units they share with."""
    agreement = comparison.agreement
    partners = []
    for found in np.flatnonzero(agreement[unit] >= PARTNER_AGREEMENT):
        others = np.flatnonzero(agreement[:, found] >= PARTNER_AGREEMENT)
        partners.append(
            {
                "found_id": int(comparison.found_ids[found]),
                "agreement": round(float(agreement[unit, found]), 4),
                "n_match": int(comparison.match_counts[unit, found]),
                "also_true": [int(comparison.truth_ids[o]) for o in others if o != unit],
            }
        )
    return sorted(partners, key=lambda partner: -partner["agreement"])
