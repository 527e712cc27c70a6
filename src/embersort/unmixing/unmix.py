"""The recipe of unmixing, read top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from embersort.clustering.neighbourhoods import cluster_probe
from embersort.config import (
    ClusterConfig,
    Config,
    DetectConfig,
    FilterConfig,
    RunConfig,
    SortConfig,
    WhitenConfig,
)
from embersort.embedding.neighbours import run_blocks
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import Weights
from embersort.signal import Front, Tile, filter_tile, make_front, map_tiles, tile_grid
from embersort.signal.tiles import n_workers
from embersort.types import UNASSIGNED, IntArray, Recording
from embersort.unmixing.bins import BinEmbedder, UnitCentres, label_bins
from embersort.unmixing.expected import expected_stretch
from embersort.unmixing.result import OwnedBins, Unmixing, join_bins, owned_bins
from embersort.unmixing.segments import Segments, find_segments
from embersort.unmixing.spikes import unmixed_spikes

log = logging.getLogger(__name__)

Progress = Callable[[str, float, float], None]
Float32 = NDArray[np.float32]

MOST_VOTES = 2**23
"""Numbers that are added up at one time; 32 MiB."""


class UnmixConfig(Config):
    """All stages of unmixing."""

    filter: FilterConfig = FilterConfig()
    whiten: WhitenConfig = WhitenConfig()
    detect: DetectConfig = DetectConfig()
    cluster: ClusterConfig = ClusterConfig()
    least_share: float = Field(1.0, gt=0, le=2)
    """A trough of a unit's own trace that no event explains is a spike if it is at least this share
    of the unit's median spike."""
    run: RunConfig = RunConfig()

    @property
    def for_front(self) -> SortConfig:
        """What the front is told; the encoder reads the usual snippets."""
        return SortConfig(filter=self.filter, whiten=self.whiten, detect=self.detect, run=self.run)


@dataclass(frozen=True, kw_only=True, slots=True)
class Networks:
    """The networks of unmixing.

    Attributes
    ----------
    encoder : Weights
        By its embedding the nearest segments are found.
    segment : SegmentNetwork
    """

    encoder: Weights
    segment: SegmentNetwork


def unmix(
    recording: Recording,
    networks: Networks,
    config: UnmixConfig | None = None,
    progress: Progress | None = None,
) -> Unmixing:
    """Separate the neurons of a recording: each bin goes to one of them or to the background.

    Parameters
    ----------
    recording : Recording
    networks : Networks
    config : UnmixConfig, optional
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    Unmixing
        The same for any number of workers.

    Notes
    -----
    The bins of an M × T segment are embedded together with its nearest segments within ±30 s and
    clustered, after Hershey et al. 2016, "Deep clustering", with neurons in the place of speakers.
    ISO-SPLIT sees one point per segment (the mean of the bins round its trough); each bin then goes
    to the nearest of the centres so found. About two milliseconds an event; memory grows by one
    kilobyte an event and 22 bytes a bin that belongs to a neuron.
    """
    return masked(prepare(recording, networks, config, progress), progress)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A recording with its units known and its bins not yet shared out.

    Attributes
    ----------
    front : Front
    embedder : BinEmbedder
    labels : ndarray, shape (n_events,), int64
        Unit of each event, or ``UNASSIGNED``.
    centres : UnitCentres
    config : UnmixConfig
    """

    front: Front
    embedder: BinEmbedder
    labels: IntArray
    centres: UnitCentres
    config: UnmixConfig


def prepare(
    recording: Recording,
    networks: Networks,
    config: UnmixConfig | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Find segments and their neighbours, embed their bins, and cluster the segments."""
    config, say = config or UnmixConfig(), progress or say_nothing
    front = make_front(recording, config.for_front)
    advance = counted(say, "segments", len(front.tiles()))
    segments = find_segments(front, networks.encoder, advance)
    n_threads = n_workers(config.run)
    network = networks.segment
    nearest = segments.nearest(
        network.config.n_neighbours, network.config.window_s, n_threads=n_threads
    )
    embedder = BinEmbedder(segments, network, nearest)
    points = segment_points(embedder, n_threads, counted(say, "bins", segments.n_events))
    labels = cluster_segments(segments, points, config.cluster)
    log.info("%d events, %d units", segments.n_events, labels.max(initial=-1) + 1)
    return Prepared(
        front=front,
        embedder=embedder,
        labels=labels,
        centres=unit_centres(segments, points, labels),
        config=config,
    )


def masked(prepared: Prepared, progress: Progress | None = None) -> Unmixing:
    """Share out the bins, and give each unit its own traces and spikes."""
    front, config, centres = prepared.front, prepared.config, prepared.centres
    recording, segments = front.recording, prepared.embedder.segments
    tiles = tile_grid(recording.n_samples, recording.sampling_rate_hz)
    advance = counted(progress or say_nothing, "masks", len(tiles))
    parts = map_tiles(lambda tile: label_tile(prepared, tile), tiles, config.run, advance)
    owned = join_bins(list(parts))
    return Unmixing(
        sorting=unmixed_spikes(
            segments,
            prepared.labels,
            owned,
            centres.peak_channel,
            recording.n_samples,
            config.least_share,
        ),
        bins=owned,
        unit_peak_channel=centres.peak_channel,
        geometry=recording.geometry,
    )


def segment_points(
    embedder: BinEmbedder, n_threads: int, progress: Callable[[int], None] | None = None
) -> Float32:
    """Return where each segment lies in the embedding, shape (n_events, n_dims), unit norm."""
    segments, n_dims = embedder.segments, embedder.network.config.n_dims
    points = np.zeros((segments.n_events, n_dims), np.float32)

    def work(start: int, stop: int) -> None:
        for event in range(start, stop):
            points[event] = embedder.centre(event)
        if progress is not None:
            progress(stop - start)

    with threadpool_limits(limits=1):
        run_blocks(work, segments.n_events, n_threads)
    return points


def cluster_segments(segments: Segments, points: Float32, config: ClusterConfig) -> IntArray:
    """Return the unit of each event by ISO-SPLIT, or ``UNASSIGNED``."""
    # The network has seen what was before and after: time itself is to have no say.
    always = np.zeros(segments.n_events)
    return cluster_probe(
        segments.events.channel_index,
        segments.geometry,
        [lambda rows: points[rows]],
        always,
        config,
    )


def unit_centres(segments: Segments, points: Float32, labels: IntArray) -> UnitCentres:
    """Return the mean point of each unit's segments, and the channels it may reach."""
    n_units = int(labels.max(initial=UNASSIGNED)) + 1
    n_channels = segments.geometry.n_channels
    vectors = np.zeros((n_units, points.shape[1]), np.float32)
    peak = np.zeros(n_units, np.int64)
    reaches = np.zeros((n_channels, n_units), bool)
    for unit in range(n_units):
        members = labels == unit
        mean = points[members].mean(axis=0)
        vectors[unit] = mean / np.linalg.norm(mean)
        peak[unit] = np.bincount(segments.events.channel_index[members]).argmax()
        local = segments.channels[peak[unit]]
        reaches[local[local >= 0], unit] = True
    return UnitCentres(vectors=vectors, peak_channel=peak, reaches=reaches)


def label_tile(prepared: Prepared, tile: Tile) -> OwnedBins:
    """Return the bins of a tile that belong to a unit, and what is recorded and expected there."""
    front, embedder, centres = prepared.front, prepared.embedder, prepared.centres
    noise_uv = front.preprocessor.noise_uv.astype(np.float32)
    traces_uv = filter_tile(front.recording, tile, front.preprocessor, 0)
    per_sample = traces_uv.shape[1] * centres.vectors.shape[1]
    length = max(1, MOST_VOTES // per_sample)
    parts = []
    for start in range(tile.start, tile.stop, length):
        stop = min(start + length, tile.stop)
        labels = label_bins(embedder, centres, start, stop)
        expected_uv = expected_stretch(embedder, prepared.labels, labels, start) * noise_uv
        recorded_uv = traces_uv[start - tile.start : stop - tile.start]
        parts.append(owned_bins(labels, recorded_uv, start, expected_uv))
    return join_bins(parts)


def say_nothing(stage: str, done: float, total: float) -> None:
    """Take the place of a progress bar."""


def counted(progress: Progress, stage: str, total: int) -> Callable[[int], None]:
    """Return a callable that adds up what is done of a stage."""
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        progress(stage, done, total)

    return advance
