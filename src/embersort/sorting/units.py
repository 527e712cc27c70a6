"""From labels and codes to templates, and from matches to a sorting without duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.signal.features import TemporalPca
from embersort.sorting.coded import CodedSpikes
from embersort.types import FloatArray, IntArray

SPIKES_AT_ONCE = 16_384
"""Spikes whose places are worked out at one time; what that takes is several times their codes."""

DUPLICATE_MS = 0.3
"""No neuron fires twice within this time, nor does a matcher see one spike twice."""

NOISE_SD = 2.0
"""A channel's energy counts in so far as it is this many standard deviations beyond noise."""


def templates_from_codes(
    spikes: CodedSpikes, stage: TemporalPca, n_channels: int
) -> NDArray[np.float32]:
    """Return a white template for each unit, from the median of its codes.

    Parameters
    ----------
    spikes : CodedSpikes
    stage : TemporalPca
    n_channels : int

    Returns
    -------
    ndarray, shape (n_units, n_window, n_channels), float32
        A median forgets the minority of snippets in which another spike is near. Only the events
        that peak on the unit's commonest channel count: they share their local channels.
    """
    n_units = int(spikes.unit_index.max(initial=-1)) + 1
    n_window, n_components = stage.basis.shape
    templates = np.zeros((n_units, n_window, n_channels), np.float32)
    for unit in range(n_units):
        members = np.flatnonzero(spikes.unit_index == unit)
        main = np.bincount(spikes.channel_index[members]).argmax()
        members = members[spikes.channel_index[members] == main]
        code = np.median(spikes.codes[members], axis=0).reshape(-1, n_components)
        local = stage.neighbours[main]
        used = local >= 0
        templates[unit][:, local[used]] = (stage.basis @ code.T)[:, used]
    return templates


def spike_positions_um(
    codes: NDArray[np.float32],
    peak_channel: IntArray,
    stage: TemporalPca,
    positions_um: FloatArray,
    rows: IntArray | None = None,
) -> NDArray[np.float32]:
    """Return where each spike seems to come from: the centre of mass of its squared energy.

    Parameters
    ----------
    codes : ndarray, shape (n_spikes, n_codes), float32
        Codes of cleaned snippets, in units of noise.
    peak_channel : ndarray, shape (n_spikes,), int64
        Channel round which each was cut.
    stage : TemporalPca
    positions_um : ndarray, shape (n_channels, 2)
    rows : ndarray, shape (n_wanted,), int64, optional
        Spikes whose places are wanted; all by default.

    Returns
    -------
    ndarray, shape (n_wanted, 2), float32
        The energy that noise might have by itself is taken off each channel first: χ² of as many
        degrees of freedom as there are components, its mean and two standard deviations. Good for
        seeing movement; a centre of mass is always inside the probe.
    """
    wanted = np.arange(len(codes)) if rows is None else rows
    place = np.empty((len(wanted), 2), np.float32)
    for first in range(0, len(wanted), SPIKES_AT_ONCE):
        some = wanted[first : first + SPIKES_AT_ONCE]
        place[first : first + SPIKES_AT_ONCE] = _positions_um(
            codes[some], peak_channel[some], stage, positions_um
        )
    return place


def _positions_um(
    codes: NDArray[np.float32],
    peak_channel: IntArray,
    stage: TemporalPca,
    positions_um: FloatArray,
) -> FloatArray:
    n_components = stage.basis.shape[1]
    by_channel = codes.reshape(len(codes), codes.shape[1] // n_components, n_components)
    noise = n_components + NOISE_SD * np.sqrt(2 * n_components)
    energy = np.maximum(np.square(by_channel).sum(axis=2) - noise, 0)
    local = stage.neighbours[peak_channel]
    weight = np.where(local >= 0, np.square(energy), 0)
    # The peak channel counts a little always, so that no spike is without a place.
    weight[:, 0] += np.finfo(np.float32).eps
    place = np.einsum("ij,ijk->ik", weight, positions_um[local])
    return place / weight.sum(axis=1, keepdims=True)


def unwhitening(whitening: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the matrix that undoes a whitening, the pseudo-inverse; O(n_channels³)."""
    return np.linalg.pinv(whitening.astype(np.float64), rcond=1e-6)


def unwhiten(white: FloatArray, whitening: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return templates in microvolt, same shape, from white ones."""
    return (white @ unwhitening(whitening).T).astype(np.float32)


def centred(
    white: NDArray[np.float32], back: NDArray[np.float64], n_before: int
) -> NDArray[np.float32]:
    """Return white templates moved so that their deepest trough in microvolt is at ``n_before``.

    Far from a cell the return current makes a trough that is later than the spike. Where an event
    was detected at that one, its template is moved to the spike. ``back`` is what `unwhitening`
    gives.
    """
    moved = np.zeros_like(white)
    n_window = white.shape[1]
    lowest = (white @ back.T).astype(np.float32).min(axis=2, initial=0.0)
    # What has no trough at all stays where it is.
    late_by = np.where((lowest < 0).any(axis=1), lowest.argmin(axis=1) - n_before, 0)
    for template, out, late in zip(white, moved, late_by, strict=True):
        start, stop = max(late, 0), min(n_window + late, n_window)
        out[start - late : stop - late] = template[start:stop]
    return moved


def without_duplicates(
    sample_index: IntArray, unit_index: IntArray, gain: NDArray[np.float32], n_samples: int
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
                worse = row if gain[row] <= gain[last] else last
                keep[worse] = False
                if worse == row:
                    continue
            last = row
    return keep
