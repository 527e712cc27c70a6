"""Which true spike each event of a simulated recording is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.simulate.band import band_pass
from embersort.simulate.simulation import Simulation
from embersort.types import BoolArray, Events, FloatArray, IntArray, Sorting
from embersort.units import ms_to_samples

NOISE = -1
"""Label of an event that no spike explains."""
DUPLICATE = -2
"""Label of an event whose spike has another event, on a channel where it is larger."""
MATCH_MS = 0.4
"""A spike explains an event this near in time …"""
LEAST_SNR = 2.0
"""… if its own trough on the event's channel has at least this height in units of noise."""
COLLISION_MS = 1.0
"""Another unit's spike this near, at least as high, makes a collision."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """Which spike each event is; as in `EventSet`."""

    label: IntArray
    collision: BoolArray
    shift_ms: FloatArray


def unit_depths(simulation: Simulation) -> NDArray[np.float64]:
    """Return the depth of each unit's trough on each channel, in units of the channel's noise.

    Returns
    -------
    ndarray, shape (n_units, n_channels), float64
        Within 300–6000 Hz, lone spike, displacement zero.
    """
    truth, recording = simulation.truth, simulation.recording
    waveforms = truth.templates.waveforms_uv.astype(np.float64)
    n_units, n_window, n_channels = waveforms.shape
    if n_units == 0:
        return np.zeros((0, n_channels))
    padded = np.pad(waveforms, ((0, 0), (n_window, n_window), (0, 0)))
    flat = padded.transpose(1, 0, 2).reshape(3 * n_window, -1)
    filtered = band_pass(flat, recording.sampling_rate_hz)
    depth_uv = -filtered.min(axis=0).reshape(n_units, n_channels)
    # The scene's own SNR of each unit tells the noise, without measuring it again.
    level_uv = np.median(depth_uv.max(axis=1) / truth.unit_snr)
    return depth_uv / level_uv


def label_events(
    events: Events, truth: Sorting, amplitude: FloatArray, depth: FloatArray
) -> Labels:
    """Say which true spike each event is, if any.

    Parameters
    ----------
    events : Events
    truth : Sorting
    amplitude : ndarray, shape (n_spikes, 1)
        Factor on each spike's template.
    depth : ndarray, shape (n_units, n_channels)
        Trough of each unit on each channel, in units of noise.

    Notes
    -----
    An event is the largest spike near it on its channel. Of several events of one spike the one
    where the spike is largest keeps it.
    """
    rate_hz = truth.sampling_rate_hz
    spike, height, collision = _largest_spikes(
        events.sample_index,
        events.channel_index,
        truth.sample_index,
        truth.unit_index,
        np.ascontiguousarray(amplitude[:, 0], dtype=np.float64),
        np.ascontiguousarray(depth, dtype=np.float64),
        ms_to_samples(MATCH_MS, rate_hz),
        ms_to_samples(COLLISION_MS, rate_hz),
    )
    label = np.where(spike >= 0, truth.unit_index[spike] if truth.n_spikes else NOISE, NOISE)
    label[_duplicates(spike, height)] = DUPLICATE
    lag = truth.sample_index[spike] - events.sample_index if truth.n_spikes else spike
    return Labels(
        label=label,
        collision=collision,
        shift_ms=np.where(label >= 0, lag / rate_hz * 1e3, 0.0).astype(np.float32),
    )


@njit(cache=True, nogil=True)
def _largest_spikes(
    event_sample: IntArray,
    event_channel: IntArray,
    spike_sample: IntArray,
    spike_unit: IntArray,
    amplitude: FloatArray,
    depth: FloatArray,
    match: int,
    collide: int,
) -> tuple[IntArray, FloatArray, BoolArray]:
    """Return each event's spike or -1, the spike's height there, and whether another collides."""
    n_events = len(event_sample)
    spike = np.full(n_events, -1, np.int64)
    height = np.zeros(n_events)
    collision = np.zeros(n_events, np.bool_)
    low = np.searchsorted(spike_sample, event_sample - collide)
    high = np.searchsorted(spike_sample, event_sample + collide, side="right")
    for i in range(n_events):
        at = depth[:, event_channel[i]]
        for s in range(low[i], high[i]):
            size = at[spike_unit[s]] * amplitude[s]
            near = abs(spike_sample[s] - event_sample[i]) <= match
            if near and size >= LEAST_SNR and size > height[i]:
                spike[i], height[i] = s, size
        if spike[i] < 0:
            continue
        own_unit = spike_unit[spike[i]]
        for s in range(low[i], high[i]):
            size = at[spike_unit[s]] * amplitude[s]
            if size >= LEAST_SNR and spike_unit[s] != own_unit:
                collision[i] = True
    return spike, height, collision


def _duplicates(spike: IntArray, height: FloatArray) -> IntArray:
    """Return the events whose spike is larger at another event."""
    order = np.lexsort((-height, spike))
    chosen = order[1:][np.diff(spike[order]) == 0]
    return chosen[spike[chosen] >= 0]
