"""Templates that follow their neuron: one for each stretch of time in which it hardly changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import TrackingConfig
from embersort.signal.medians import row_medians
from embersort.signal.pca import TemporalPca
from embersort.templates.sparse import SparseTemplates, gather
from embersort.templates.spikes import UnitSpikes
from embersort.types import FloatArray, IntArray

N_SPIKES = 30
"""Spikes that a template of a time is made of, the nearest in time. Chosen on the development
recordings, 2026-11-22."""

MEDIAN_VARIANCE = np.pi / 2
"""Variance of the median of many normal numbers, as a multiple of that of their mean."""

CERTAINTY = 1.5
"""A change must be this many times what chance makes of two medians of one set."""

AS_IT_IS = -1
"""In place of a channel: the template of the whole recording holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedTemplates:
    """The templates of all units over time, in versions that hold for some blocks each.

    Attributes
    ----------
    base : SparseTemplates
        White template of each unit over the whole recording.
    n_spikes : ndarray, shape (n_units,), int64
        Spikes that each unit was made of.
    unit_index : ndarray, shape (n_versions,), int64
        Unit of each version.
    first_block, stop_block : ndarray, shape (n_versions,), int64
        Blocks in which it holds, the last not included.
    channel_index : ndarray, shape (n_versions,), int64
        Main channel, or `AS_IT_IS`.
    pca_features : ndarray, shape (n_versions, n_features), float32
        What stands in place of the base on the main channel's local channels.
    block_starts : ndarray, shape (n_blocks,), int64
        First sample of each block.
    residual : SparseTemplates, or None
        What the base templates lack. It is added where they are matched, but does not tell them
        apart: its noise would.
    """

    base: SparseTemplates
    n_spikes: NDArray[np.int64]
    unit_index: NDArray[np.int64]
    first_block: NDArray[np.int64]
    stop_block: NDArray[np.int64]
    channel_index: NDArray[np.int64]
    pca_features: NDArray[np.float32]
    block_starts: NDArray[np.int64]
    residual: SparseTemplates | None = None

    def block_of(self, sample_index: int) -> int:
        """Return the block in which a sample lies."""
        return int(np.searchsorted(self.block_starts, sample_index, side="right")) - 1

    def at(self, block: int) -> NDArray[np.int64]:
        """Return the versions that hold in a block, in order of unit."""
        return np.flatnonzero((self.first_block <= block) & (block < self.stop_block))

    def waveforms(self, versions: IntArray, pca: TemporalPca) -> SparseTemplates:
        """Return the white templates of some versions."""
        return self._gather(self._waveform(version, pca) for version in versions)

    def corrected(self, versions: IntArray, pca: TemporalPca) -> SparseTemplates:
        """Return the same with what they lack.

        It was seen over the whole recording: a template of another time has another remainder.
        """
        return self._gather(self._corrected(version, pca) for version in versions)

    def _gather(self, waves: Iterable[NDArray[np.float32]]) -> SparseTemplates:
        return gather(waves, self.base.n_window, self.base.n_channels)

    def _waveform(self, version: int, pca: TemporalPca) -> NDArray[np.float32]:
        wave, main = self.base.one(self.unit_index[version]), self.channel_index[version]
        if main != AS_IT_IS:
            local = pca.neighbours[main]
            features = self.pca_features[version].reshape(-1, pca.basis.shape[1])
            wave[:, local[local >= 0]] = pca.basis @ features[local >= 0].T
        return wave

    def _corrected(self, version: int, pca: TemporalPca) -> NDArray[np.float32]:
        wave = self._waveform(version, pca)
        if self.residual is not None and self.channel_index[version] == AS_IT_IS:
            wave += self.residual.one(self.unit_index[version])
        return wave


def track_templates(
    base: SparseTemplates,
    spikes: UnitSpikes,
    pca: TemporalPca,
    n_samples: int,
    sampling_rate_hz: float,
    config: TrackingConfig,
    epoch_starts: IntArray | None = None,
) -> TrackedTemplates:
    """Follow each unit's template through time.

    Parameters
    ----------
    base : SparseTemplates
        White template of each unit over the whole recording.
    spikes : UnitSpikes
    pca : TemporalPca
    n_samples : int
        Of the recording.
    sampling_rate_hz : float
    config : TrackingConfig
    epoch_starts : ndarray, shape (n_epochs,), int64, optional
        Where the tissue jumps: blocks end there, and no template is made of spikes of both sides.

    Returns
    -------
    MovingTemplates
        A unit that does not change has one version, its base.
    """
    block_samples = max(1, round(config.block_s * sampling_rate_hz))
    jumps = np.zeros(0, np.int64) if epoch_starts is None else np.asarray(epoch_starts)[1:]
    grid = np.arange(max(1, -(-n_samples // block_samples)), dtype=np.int64) * block_samples
    block_starts = np.union1d(grid, jumps)
    blocks = _place_in_blocks(spikes.sample_index, block_starts, block_samples)
    order = np.argsort(spikes.unit_index, kind="stable")
    bounds = np.searchsorted(spikes.unit_index[order], np.arange(len(base) + 1))
    unit_index: list[int] = []
    versions: list[_Version] = []
    for unit in range(len(base)):
        members = order[bounds[unit] : bounds[unit + 1]]
        track = _Track(
            block=blocks[members],
            channel=spikes.channel_index[members],
            pca_features=spikes.pca_features[members],
            pca=pca,
            jumps=np.searchsorted(block_starts, jumps),
        )
        found = _follow(track, len(block_starts), config)
        versions += found
        unit_index += [unit] * len(found)
    n_features = spikes.pca_features.shape[1]
    return TrackedTemplates(
        base=base,
        n_spikes=np.diff(bounds).astype(np.int64),
        unit_index=np.array(unit_index, np.int64),
        first_block=np.array([version.first_block for version in versions], np.int64),
        stop_block=np.array([version.stop_block for version in versions], np.int64),
        channel_index=np.array([version.channel for version in versions], np.int64),
        pca_features=np.array([version.features for version in versions], np.float32).reshape(
            -1, n_features
        ),
        block_starts=block_starts,
    )


def _place_in_blocks(
    sample_index: IntArray, block_starts: IntArray, block_samples: int
) -> NDArray[np.float64]:
    """Return the time of spikes in blocks, the last of which may be shorter than the others."""
    block = np.searchsorted(block_starts, sample_index, side="right") - 1
    length = np.diff(np.append(block_starts, block_starts[-1] + block_samples))
    return block + (sample_index - block_starts[block]) / length[block]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    first_block: int
    stop_block: int
    channel: int
    features: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Track:
    """The spikes of one unit, in order of time; ``block`` is time in blocks.

    At the first blocks after ``jumps`` the tissue has jumped.
    """

    block: FloatArray
    channel: IntArray
    pca_features: NDArray[np.float32]
    pca: TemporalPca
    jumps: IntArray

    def shape_of(self, start: int, stop: int) -> _Look:
        """Return the unit's shape as some of its spikes show it."""
        main = int(np.bincount(self.channel[start:stop]).argmax())
        own = np.arange(start, stop)[self.channel[start:stop] == main]
        pca_features = self.pca_features[own]
        return _Look(
            channel=main,
            features=row_medians(pca_features.T),
            variance=MEDIAN_VARIANCE * pca_features.var(axis=0) / len(own),
        )

    def nearest(self, first: float, stop: float, n_spikes: int) -> tuple[int, int]:
        """Return the range of spikes between two times, or of those nearest to their middle."""
        inside = np.searchsorted(self.block, [first, stop])
        if inside[1] - inside[0] >= n_spikes:
            return int(inside[0]), int(inside[1])
        low, high = self._epoch(first)
        # A unit that is silent in an epoch looks as it did elsewhere.
        if low == high:
            low, high = 0, len(self.block)
        middle = int(np.searchsorted(self.block, (first + stop) / 2))
        start = min(max(low, middle - n_spikes // 2), max(low, high - n_spikes))
        return start, min(high, start + n_spikes)

    def _epoch(self, block: float) -> tuple[int, int]:
        """Return the range of spikes between the jumps before and after a block."""
        edges = [0.0, *self.jumps, np.inf]
        after = int(np.searchsorted(self.jumps, block, side="right")) + 1
        low, high = np.searchsorted(self.block, [edges[after - 1], edges[after]])
        return int(low), int(high)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """The median code of some spikes, and the variance of that median."""

    channel: int
    features: NDArray[np.float32]
    variance: NDArray[np.float32]


def _follow(track: _Track, n_blocks: int, config: TrackingConfig) -> list[_Version]:
    """Return the versions of one unit's template."""
    unmoved = _Version(
        first_block=0,
        stop_block=n_blocks,
        channel=AS_IT_IS,
        features=np.zeros(track.pca_features.shape[1], np.float32),
    )
    if len(track.block) < N_SPIKES:
        return [unmoved]
    starts = _changes(track, n_blocks, config)
    if len(starts) == 1:
        return [unmoved]
    versions = []
    for first, stop in zip(starts, [*starts[1:], n_blocks], strict=True):
        seen = track.shape_of(*track.nearest(first, stop, N_SPIKES))
        versions.append(
            _Version(
                first_block=first, stop_block=stop, channel=seen.channel, features=seen.features
            )
        )
    return versions


def _changes(track: _Track, n_blocks: int, config: TrackingConfig) -> list[int]:
    """Return the blocks from which on a new version is needed, 0 first."""
    starts = [0]
    window = track.nearest(0, 1, N_SPIKES)
    held = track.shape_of(*window)
    for block in range(1, n_blocks):
        before, window = window, track.nearest(block, block + 1, N_SPIKES)
        if window == before:
            continue
        seen = track.shape_of(*window)
        if _has_changed(held, seen, track.pca, config):
            starts.append(block)
            held = seen
    return starts


def _has_changed(held: _Look, seen: _Look, pca: TemporalPca, config: TrackingConfig) -> bool:
    """Say whether a shape has changed by more than chance and by more than is tolerated."""
    n_components = pca.basis.shape[1]
    shape = (-1, n_components)
    there, here = pca.neighbours[held.channel], pca.neighbours[seen.channel]
    _, i, j = np.intersect1d(there[there >= 0], here[here >= 0], return_indices=True)
    old, new = held.features.reshape(shape)[i], seen.features.reshape(shape)[j]
    variance = held.variance.reshape(shape)[i].sum() + seen.variance.reshape(shape)[j].sum()
    change = np.square(new - old).sum()
    return bool(change > config.min_change * np.square(old).sum() + CERTAINTY * variance)
