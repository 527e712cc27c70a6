"""Which neuron each bin of a recording belongs to: the embeddings of its segments, added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.segments import bin_offsets
from embersort.types import UNASSIGNED, BoolArray, IntArray
from embersort.unmixing.segments import Segments

CENTRE_MS = 0.3
"""Bins this near to the trough …"""
CENTRE_CHANNELS = 4
"""… on this many nearest channels stand for the neuron of a segment."""

TINY = 1e-12
"""Divided by in place of zero."""

Float32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitCentres:
    """Where the bins of each unit lie in the embedding.

    Attributes
    ----------
    vectors : ndarray, shape (n_units, n_dims), float32
        Unit norm.
    peak_channel : ndarray, shape (n_units,), int64
        Where most of a unit's events peak.
    reaches : ndarray, shape (n_channels, n_units), bool
        Which units may have bins on a channel.
    """

    vectors: Float32
    peak_channel: IntArray
    reaches: BoolArray


class BinEmbedder:
    """Embeds the segments of a recording one by one.

    Parameters
    ----------
    segments : Segments
    network : SegmentNetwork
    nearest : ndarray, shape (n_events, n_neighbours), int64
    """

    def __init__(self, segments: Segments, network: SegmentNetwork, nearest: IntArray) -> None:
        self.segments = segments
        self.network = network
        self._nearest = nearest
        offsets_ms = bin_offsets(segments.sampling_rate_hz) / segments.sampling_rate_hz * 1e3
        self._central = np.abs(offsets_ms) <= CENTRE_MS

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding."""
        return self.network.config.n_dims

    def neighbours(self, event_index: int) -> Float32:
        """Return a segment's nearest, shape (n_neighbours, n_local, n_samples)."""
        return self.segments.neighbours_of(event_index, self._nearest)

    def embed(self, event_index: int) -> Float32:
        """Return the embeddings of a segment's bins, shape (n_local, n_samples, n_dims)."""
        segments = self.segments
        embedded = self.network.embed(
            segments.own(event_index),
            self.neighbours(event_index),
            segments.geometry.positions_um[segments.local(event_index)],
        )
        return embedded.bins

    def centre(self, event_index: int) -> Float32:
        """Return the mean embedding of the bins round a segment's trough, scaled to unit norm.

        Bins weigh as they are large.
        """
        bins = self.embed(event_index)[:CENTRE_CHANNELS, self._central]
        height = np.abs(self.segments.own(event_index)[:CENTRE_CHANNELS, self._central])
        mean = np.einsum("ct,ctd->d", height, bins)
        return (mean / max(float(np.linalg.norm(mean)), TINY)).astype(np.float32)


def label_bins(
    embedder: BinEmbedder, centres: UnitCentres, start_sample: int, stop_sample: int
) -> NDArray[np.int16]:
    """Say which unit each bin of a stretch belongs to.

    Returns
    -------
    ndarray, shape (stop_sample - start_sample, n_channels), int16
        Unit or ``UNASSIGNED`` for the background; a bin that no segment covers is background.
    """
    return nearest_centres(embed_stretch(embedder, start_sample, stop_sample), centres)


def embed_stretch(embedder: BinEmbedder, start_sample: int, stop_sample: int) -> Float32:
    """Return the embedding of each bin of a stretch of the recording.

    Parameters
    ----------
    embedder : BinEmbedder
    start_sample, stop_sample : int

    Returns
    -------
    ndarray, shape (stop_sample - start_sample, n_channels, n_dims), float32
        The sum over all segments that cover a bin, read between their own bins, in the order of the
        events; zero where there is none.

    Notes
    -----
    As segments are added up, one decision is made for each bin, whatever stretch it is read in.
    """
    segments = embedder.segments
    votes = np.zeros(
        (stop_sample - start_sample, segments.geometry.n_channels, embedder.n_dims), np.float32
    )
    for event in segments.covering(start_sample, stop_sample):
        bins = embedder.embed(event)
        place = segments.first_bin(event) - start_sample
        _add_votes(votes, bins, segments.local(event), place, segments.bin_step)
    return votes


def nearest_centres(votes: Float32, centres: UnitCentres) -> NDArray[np.int16]:
    """Return the unit whose centre is nearest to each bin, unless the background is nearer.

    Parameters
    ----------
    votes : ndarray, shape (n_samples, n_channels, n_dims), float32
        As `embed_stretch` gives them.
    centres : UnitCentres
    """
    labels = np.full(votes.shape[:2], UNASSIGNED, np.int16)
    for channel in range(votes.shape[1]):
        units = np.flatnonzero(centres.reaches[channel])
        rows = np.flatnonzero(votes[:, channel].any(axis=1))
        if len(units) == 0 or len(rows) == 0:
            continue
        vectors = votes[rows, channel]
        similarity = vectors @ centres.vectors[units].T
        best = similarity.argmax(axis=1)
        is_unit = similarity[np.arange(len(rows)), best] > vectors[:, -1]
        labels[rows[is_unit], channel] = units[best[is_unit]]
    return labels


@njit(cache=True, nogil=True)
def _add_votes(
    votes: Float32, bins: Float32, channels: IntArray, place: float, step: float
) -> None:
    """Add a segment's embeddings, read between its bins, to the samples that they cover.

    ``place`` is the first bin's sample within the votes, ``step`` the samples from bin to bin.
    """
    n_bins = bins.shape[1]
    low = max(0, int(np.ceil(place)))
    high = min(len(votes) - 1, int(np.floor(place + (n_bins - 1) * step)))
    for t in range(low, high + 1):
        exact = (t - place) / step
        left = min(int(exact), n_bins - 2)
        share = np.float32(exact - left)
        for c in range(len(channels)):
            target = votes[t, channels[c]]
            a, b = bins[c, left], bins[c, left + 1]
            for d in range(len(target)):
                target[d] += (np.float32(1) - share) * a[d] + share * b[d]
