"""The segments of a recording, each with its nearest neighbours within half a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import SnippetConfig
from embersort.embedding.architecture import CANONICAL_RATE_HZ
from embersort.embedding.neighbours import Search, nearest_events
from embersort.embedding.segment_architecture import (
    SEGMENT_BEFORE_SAMPLES,
    SEGMENT_CHANNELS,
    SEGMENT_RADIUS_UM,
    SEGMENT_SAMPLES,
)
from embersort.embedding.segments import canonical_segments
from embersort.embedding.stage import EncoderStage, make_encoder_stage
from embersort.embedding.weights import Weights
from embersort.signal import Front, Tile, Window, cut_snippets, make_window
from embersort.types import Events, Geometry, IntArray, joined_events
from embersort.units import s_to_samples

SEGMENT = SnippetConfig(radius_um=SEGMENT_RADIUS_UM, max_channels=SEGMENT_CHANNELS)
"""What the segment network reads; cut as long as a snippet, then read at the canonical rate."""

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Segments:
    """All segments of a recording.

    Attributes
    ----------
    events : Events
        Where they are.
    values : ndarray, shape (n_events, n_local, SEGMENT_SAMPLES), float16
        Filtered traces in units of noise; zero on the padding of ``channels``.
    shift : ndarray, shape (n_events,), float32
        By how many samples the trough lies after the event's sample.
    embedding : ndarray, shape (n_events, n_dims), float32
        The encoder's, by which neighbours are found.
    channels : ndarray, shape (n_channels, n_local), int64
        Channels of a segment for each peak channel, the nearest first, padded with -1.
    geometry : Geometry
    sampling_rate_hz : float
    """

    events: Events
    values: NDArray[np.float16]
    shift: NDArray[np.float32]
    embedding: NDArray[np.float32]
    channels: IntArray
    geometry: Geometry
    sampling_rate_hz: float

    @property
    def n_events(self) -> int:
        """Number of segments."""
        return self.events.n_events

    def local(self, event_index: int) -> IntArray:
        """Return the channels of one segment, without padding."""
        row = self.channels[self.events.channel_index[event_index]]
        return row[row >= 0]

    def own(self, event_index: int) -> NDArray[np.float32]:
        """Return one segment, shape (n_local, SEGMENT_SAMPLES), without padding."""
        n_local = len(self.local(event_index))
        return self.values[event_index, :n_local].astype(np.float32)

    @property
    def bin_step(self) -> float:
        """Samples of the recording from one bin to the next."""
        return self.sampling_rate_hz / CANONICAL_RATE_HZ

    def first_bin(self, event_index: int) -> float:
        """Return the place of a segment's first bin, in samples of the recording."""
        trough = self.events.sample_index[event_index] + float(self.shift[event_index])
        return trough - SEGMENT_BEFORE_SAMPLES * self.bin_step

    def covering(self, start_sample: int, stop_sample: int) -> range:
        """Return the events whose segments may reach into a range of samples."""
        reach = int(np.ceil(SEGMENT_SAMPLES * self.bin_step)) + 1
        edges = (start_sample - reach, stop_sample + reach)
        first, last = np.searchsorted(self.events.sample_index, edges)
        return range(int(first), int(last))

    def nearest(self, n_neighbours: int, window_s: float, n_threads: int = 1) -> IntArray:
        """Return the nearest segments of each that peak on the same channel, padded with -1."""
        return nearest_events(
            self.embedding,
            self.events.sample_index,
            self.events.channel_index,
            self.geometry,
            Search(
                n_neighbours=n_neighbours,
                window_samples=s_to_samples(window_s, self.sampling_rate_hz),
                radius_um=0.0,
            ),
            n_threads=n_threads,
        )

    def neighbours_of(self, event_index: int, nearest: IntArray) -> NDArray[np.float32]:
        """Return the segments of an event's neighbours, (n_neighbours, n_local, n_samples)."""
        rows = nearest[event_index]
        n_local = len(self.local(event_index))
        return self.values[rows[rows >= 0], :n_local].astype(np.float32)


def find_segments(front: Front, weights: Weights, progress: Progress = None) -> Segments:
    """Detect the events of a recording, encode them, and keep their segments.

    Parameters
    ----------
    front : Front
    weights : Weights
        The encoder's.
    progress : callable, optional
        Called with the number of tiles done since the last call.

    Notes
    -----
    Memory: one kilobyte per event.
    """
    recording, window = front.recording, front.window
    rate_hz = recording.sampling_rate_hz
    stage = make_encoder_stage(
        weights,
        recording.geometry,
        window.neighbours,
        n_window=window.n_window,
        n_before=window.n_before,
        sampling_rate_hz=rate_hz,
    )

    segment_window = make_window(recording.geometry, rate_hz, SEGMENT)

    def work(tile: Tile) -> Segments:
        return _tile_segments(front, segment_window, stage, tile)

    parts = list(front.mapper(work, front.tiles(), front.run, progress))
    return Segments(
        events=joined_events([part.events for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        shift=np.concatenate([part.shift for part in parts]),
        embedding=np.concatenate([part.embedding for part in parts]),
        channels=segment_window.neighbours,
        geometry=recording.geometry,
        sampling_rate_hz=rate_hz,
    )


def _tile_segments(
    front: Front, segment_window: Window, stage: EncoderStage, tile: Tile
) -> Segments:
    traces = front.filtered_tile(tile)
    white, local = front.whiten_and_detect(traces)
    snippets = cut_snippets(white, local.sample_index, local.channel_index, front.window)
    cut = cut_snippets(
        traces * front.preprocessor.scale, local.sample_index, local.channel_index, segment_window
    )
    rate_hz = front.recording.sampling_rate_hz
    segments = canonical_segments(cut, segment_window.n_before, rate_hz)
    codes = stage.encode(snippets, local.channel_index)
    return Segments(
        events=front.in_recording(local, tile),
        values=segments.values,
        shift=segments.shift,
        embedding=np.ascontiguousarray(codes[:, : stage.n_dims]),
        channels=segment_window.neighbours,
        geometry=front.recording.geometry,
        sampling_rate_hz=rate_hz,
    )
