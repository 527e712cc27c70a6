"""Settings that a sorter's documentation makes depend on the recording."""

from __future__ import annotations

from typing import Any

import numpy as np

from embersort.benchmark.exchange import StoredRecording

FEW_CHANNELS = 64
"""Up to here Kilosort's documentation ("When to adjust default settings") counts channels few."""
SPARSE_PITCH_UM = 50.0
"""From here the same page counts contacts as sparse."""
TETRODE_CHANNELS = 8
"""Up to here all channels count as one neighbourhood: for MountainSort 4, and for Kilosort 4, whose
common reference would take away what they share."""


def kilosort4_settings(stored: StoredRecording) -> dict[str, Any]:
    """Return what Kilosort 4's documentation changes for few or sparse channels and other rates."""
    settings: dict[str, Any] = {}
    few = stored.n_channels <= FEW_CHANNELS
    sparse = _nearest_pitch_um(stored) >= SPARSE_PITCH_UM
    if few or sparse:
        settings["nblocks"] = 0
    if few and sparse:
        settings["nearest_templates"] = min(100, stored.n_channels)
    if stored.n_channels <= TETRODE_CHANNELS:
        # The median of a tetrode's channels is the spike itself.
        settings["do_CAR"] = False
    settings["nearest_chans"] = min(10, stored.n_channels)
    lateral_um = np.diff(np.unique(stored.geometry.positions_um[:, 0].round(1)))
    if len(lateral_um):
        settings["dminx"] = float(np.median(lateral_um))
    # Two milliseconds and one sample, as at 30 kHz.
    settings["nt"] = round(2e-3 * stored.sampling_rate_hz) // 2 * 2 + 1
    return settings


def mountainsort4_settings(stored: StoredRecording) -> dict[str, Any]:
    """Return the neighbourhood radius that SpikeForest used: 50 µm, all channels on tetrodes."""
    return {"adjacency_radius": -1 if stored.n_channels <= TETRODE_CHANNELS else 50}


def _nearest_pitch_um(stored: StoredRecording) -> float:
    """Return the median distance of a contact to its nearest one; infinite for one channel."""
    distance = stored.geometry.distances_um().copy()
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1, initial=np.inf)))
