"""Parts of a waveform that were taken for units of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.curation.cross_refractory import share_at_fixed_lag
from embersort.curation.pair_tests import SpikeTrains
from embersort.spread import spread_places
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

MAX_LAG_MS = 4.0
"""A duplicate follows or precedes its source within this time. Chosen on the development
recordings, 2026-11-22."""

LAG_WIDTH_MS = 0.2
"""Lags this near to each other are the same. Chosen on the development recordings, 2026-11-22."""

FIXED_LAG_SHARE = 0.5
"""Share of a subcluster's spikes at one lag to another that makes it a duplicate. Chosen on the
development recordings, 2026-11-22."""

FAR_FIXED_LAG_SHARE = 0.8
"""The same where the other's template does not reach it. Chosen on the development recordings,
2026-11-23."""

DUPLICATE_MS = 0.3
"""No neuron fires twice within this time, nor does a matcher see one spike twice."""

MIN_HEARD = 0.05
"""Share of its largest extent that a template has on each channel that it reaches."""

MOST_ASKED = 500
"""So many spikes tell whether a part always follows another far away."""


def lagged_duplicates(spikes: SpikeTrains, templates: FloatArray) -> NDArray[np.bool_]:
    """Say which units are duplicates: most of their spikes follow a stronger one's at a fixed lag.

    Parameters
    ----------
    spikes : SpikeTrains
    templates : ndarray, shape (n_parts, n_window, n_channels)
        The stronger is the source, of two alike the first. A source reaches the channel on which
        its duplicate is largest, or next to all of the duplicate's spikes follow it.

    Returns
    -------
    ndarray, shape (n_parts,), bool
    """
    fs = spikes.sampling_rate_hz
    reach = ms_to_samples(MAX_LAG_MS, fs)
    width = max(1, ms_to_samples(LAG_WIDTH_MS, fs))
    extent = np.ptp(templates, axis=1)
    strength = np.sqrt(np.square(templates, dtype=np.float64).sum(axis=(1, 2)))
    trains = [spikes.sample_index[spikes.unit_index == part] for part in range(len(templates))]
    order = np.argsort(-strength, kind="stable")
    duplicate = np.zeros(len(strength), bool)
    for place, part in enumerate(order):
        asked = trains[part][spread_places(len(trains[part]), MOST_ASKED)]
        for source in order[:place]:
            if duplicate[source]:
                continue
            # What is far away may be a neuron that fires together with it; but not each time.
            heard = extent[source, extent[part].argmax()] > MIN_HEARD * extent[source].max()
            train, least = (
                (trains[part], FIXED_LAG_SHARE) if heard else (asked, FAR_FIXED_LAG_SHARE)
            )
            if share_at_fixed_lag(trains[source], train, reach, width) >= least:
                duplicate[part] = True
                break
    return duplicate


def without_duplicates(
    sample_index: IntArray, unit_index: IntArray, decrease: NDArray[np.float32], n_samples: int
) -> NDArray[np.bool_]:
    """Say which spikes to keep: of two of one unit nearer than ``n_samples``, the better fit.

    Spikes are in order of time; ties go to the earlier.
    """
    keep = np.ones(len(sample_index), bool)
    for unit in np.unique(unit_index):
        rows = np.flatnonzero(unit_index == unit)
        last = -1
        for row in rows.tolist():
            if last >= 0 and sample_index[row] - sample_index[last] < n_samples:
                worse = row if decrease[row] <= decrease[last] else last
                keep[worse] = False
                if worse == row:
                    continue
            last = row
    return keep
