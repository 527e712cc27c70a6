"""A unit among others: rivals, other parts of its neuron, and its activity over time."""

from __future__ import annotations

import numpy as np

from embersort.confidence.evidence import Evidence
from embersort.confidence.siblings import siblings
from embersort.confidence.spike_features import by_unit
from embersort.confidence.templates import NONE, TemplateCodes
from embersort.confidence.unit_kernels import pairs_within
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

COINCIDENCE_MS = 1.5
BURST_MS = 20.0
"""Parts of one neuron never fire together, but often soon after each other."""
N_BLOCKS = 12
"""Blocks of time, of whatever length, in which a unit's spikes are counted."""
MIN_EXPECTED = 0.1
"""Fewer pairs expected by chance say nothing, whatever is seen."""
MOST_RATIO = 2.0
UNLIKE, ALIKE = 0.6, 0.9
"""Units below the one cosine of their templates are no siblings, above the other surely."""
UNKNOWN_COINCIDENCE = 0.3
"""Taken for the coincidences over those expected where hardly any are expected."""
FAR = 1e3
"""Distance from a rival that is not there."""


def rivalry(templates: TemplateCodes) -> dict[str, FloatArray]:
    """Return how easily each unit is confused with another."""
    has = templates.rivals[:, 0] != NONE
    distance = np.where(has, templates.distance[:, 0], FAR)
    return {
        "log_rival_distance": np.log(np.maximum(distance, 0.1)),
        "rival_cosine": np.where(has, templates.cosine.max(axis=1, initial=-1.0), -1.0),
    }


def kinship(evidence: Evidence, templates: TemplateCodes, edges: IntArray) -> dict[str, FloatArray]:
    """Return what tells whether each unit and the one most like it are parts of one neuron."""
    sorting = evidence.sorting
    sibling = siblings(evidence, templates)
    has, other = sibling.unit_index != NONE, np.maximum(sibling.unit_index, 0)
    rows, _ = by_unit(evidence)
    sample = sorting.sample_index[rows]
    window = ms_to_samples(COINCIDENCE_MS, sorting.sampling_rate_hz)
    bursting = ms_to_samples(BURST_MS, sorting.sampling_rate_hz)
    together = pairs_within(sample, edges, sample, edges, other, window)
    soon = pairs_within(sample, edges, sample, edges, other, bursting) - together
    counts = np.diff(edges).astype(np.float64)
    per_sample = counts * counts[other] / max(sorting.n_samples, 1)
    expected, soon_expected = (2 * window + 1) * per_sample, 2 * (bursting - window) * per_sample
    active = _block_counts(evidence) / np.maximum(counts, 1)[:, None]
    # Shares of the two units' spikes that fall into common blocks; small where they take turns.
    common = np.minimum(active, active[other]).sum(axis=1)
    likeness = np.clip((sibling.cosine - UNLIKE) / (ALIKE - UNLIKE), 0.0, 1.0)
    apart = 1 - np.nan_to_num(np.minimum(ratio(together, expected), 1.0), nan=UNKNOWN_COINCIDENCE)
    columns = {
        "sibling_deficit": likeness * apart * counts[other] / np.maximum(counts + counts[other], 1),
        "sibling_cosine": sibling.cosine,
        "sibling_lag_ms": sibling.lag_ms,
        "sibling_log_share": np.log((counts[other] + 1) / (counts + 1)),
        "sibling_coincidence": ratio(together, expected),
        "sibling_log_expected": np.log(expected + MIN_EXPECTED),
        "sibling_burst": ratio(soon, soon_expected),
        "sibling_turn": common,
    }
    return {name: np.where(has, column, np.nan) for name, column in columns.items()}


def activity(evidence: Evidence) -> dict[str, FloatArray]:
    """Return in how much of the time a unit fires, and how evenly."""
    blocks = _block_counts(evidence)
    mean = np.maximum(blocks.mean(axis=1), np.finfo(float).tiny)
    return {
        "presence": (blocks > 0).mean(axis=1),
        "unevenness": np.log(np.maximum(blocks.var(axis=1), 1e-6) / mean),
    }


def _block_counts(evidence: Evidence) -> FloatArray:
    """Return the number of each unit's spikes in each block of time."""
    sorting = evidence.sorting
    block = sorting.sample_index * N_BLOCKS // max(sorting.n_samples, 1)
    flat = sorting.unit_index * N_BLOCKS + block
    counts = np.bincount(flat, minlength=sorting.n_units * N_BLOCKS)
    return counts.reshape(-1, N_BLOCKS).astype(np.float64)


def ratio(seen: FloatArray, expected: FloatArray) -> FloatArray:
    """Return seen over expected; NaN where next to none are expected."""
    ratio = np.minimum(seen / np.maximum(expected, MIN_EXPECTED), MOST_RATIO)
    return np.where(expected >= MIN_EXPECTED, ratio, np.nan)
