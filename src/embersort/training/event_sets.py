"""Labelled events of a scene, made through the same code that sorting uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from embersort.config import DetectConfig, RunConfig, SortConfig
from embersort.embedding.resampling import resampling_matrices, shift_indices
from embersort.errors import BadInput
from embersort.recording import ArrayRecording
from embersort.signal import Tile, Window, cut_snippets, make_front
from embersort.signal.tiles import n_workers
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import Simulation, simulate
from embersort.training.labels import Labels, label_events, unit_depths
from embersort.types import (
    BoolArray,
    Events,
    FloatArray,
    IntArray,
    Recording,
    joined_events,
)

TRAINING_THRESHOLD = DetectConfig().threshold
"""That of sorting: a network learns from the events that it will serve."""
MOST_HELD_BYTES = 2**29
"""A recording no larger than this is rendered once and held; a larger one is rendered as read."""
MOST_AT_A_TIME = 8
"""Scenes that are rendered side by side, whatever the number of cores: each is held in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSet:
    """The labelled events of one scene.

    Attributes
    ----------
    snippets : ndarray, shape (n_events, n_local, CANONICAL_SAMPLES), float16
        White traces at the canonical rate, in units of noise; peak channel first.
    time_s : ndarray, shape (n_events,), float64
        Non-decreasing.
    channel_index : ndarray, shape (n_events,), int64
        Peak channels.
    neighbours : ndarray, shape (n_channels, n_local), int64
        Channels of the snippets, padded with -1.
    positions_um : ndarray, shape (n_channels, 2), float64
    label : ndarray, shape (n_events,), int64
        Unit, or ``labels.NOISE`` or ``labels.DUPLICATE``.
    collision : ndarray, shape (n_events,), bool
    shift_ms : ndarray, shape (n_events,), float32
        How far the spike's trough lies after the event's sample; 0 where there is no spike.
    unit_position_um : ndarray, shape (n_units, 2), float64
        Somata in the plane of the probe, without drift.
    """

    snippets: NDArray[np.float16]
    time_s: FloatArray
    channel_index: IntArray
    neighbours: IntArray
    positions_um: FloatArray
    label: IntArray
    collision: BoolArray
    shift_ms: FloatArray
    unit_position_um: FloatArray

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.time_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledSnippets:
    """The events of a scene as sorting sees them, and what they truly are.

    Attributes
    ----------
    events : Events
    snippets : ndarray, shape (n_events, n_window, n_local), float32
    window : Window
    labels : Labels
    depth : ndarray, shape (n_units, n_channels), float64
        See `unit_depths`.
    """

    events: Events
    snippets: NDArray[np.float32]
    window: Window
    labels: Labels
    depth: FloatArray


def labelled_snippets(
    simulation: Simulation, threshold: float = TRAINING_THRESHOLD
) -> LabelledSnippets:
    """Detect, cut out and label the events of a simulated recording.

    Notes
    -----
    As long as the first pass of sorting, on one thread.
    """
    recording, truth = held(simulation.recording), simulation.truth
    config = SortConfig(
        detect=DetectConfig(threshold=threshold),
        run=RunConfig(n_workers=1),
    )
    events, snippets, window = detected_snippets(recording, config)
    depth = unit_depths(simulation)
    amplitude = np.asarray(truth.spike_amplitude)[:, None]
    labels = label_events(events, truth.sorting, amplitude, depth)
    return LabelledSnippets(
        events=events, snippets=snippets, window=window, labels=labels, depth=depth
    )


def make_event_set(simulation: Simulation, threshold: float = TRAINING_THRESHOLD) -> EventSet:
    """Make the event set of a simulated recording."""
    found = labelled_snippets(simulation, threshold)
    recording, rate_hz = simulation.recording, simulation.recording.sampling_rate_hz
    return EventSet(
        snippets=at_canonical_rate(found.snippets, found.window.n_before, rate_hz),
        time_s=found.events.sample_index / rate_hz,
        channel_index=found.events.channel_index,
        neighbours=found.window.neighbours,
        positions_um=recording.geometry.positions_um,
        label=found.labels.label,
        collision=found.labels.collision,
        shift_ms=found.labels.shift_ms,
        unit_position_um=simulation.truth.unit_position_um[:, :2],
    )


def held(recording: Recording) -> Recording:
    """Return the same recording rendered, if it is small."""
    n_channels = recording.geometry.n_channels
    if recording.n_samples * n_channels * np.dtype(np.float32).itemsize > MOST_HELD_BYTES:
        return recording
    return ArrayRecording(
        traces=recording.read(0, recording.n_samples),
        sampling_rate_hz=recording.sampling_rate_hz,
        geometry=recording.geometry,
    )


def make_event_sets(scenes: Sequence[Scene], n_threads: int = 0) -> Iterator[EventSet]:
    """Make the event sets of many scenes, several at a time, and yield them in order.

    Parameters
    ----------
    scenes : sequence of Scene
    n_threads : int
        0 means one per core, at most `MOST_AT_A_TIME`. The sets are the same for any number.

    Notes
    -----
    Each thread holds one rendered recording.
    """
    at_a_time = n_threads or min(n_workers(RunConfig()), MOST_AT_A_TIME)
    # Limited once for all threads: nested limits would be lifted in the wrong order.
    with threadpool_limits(limits=1), ThreadPoolExecutor(at_a_time) as pool:
        yield from pool.map(lambda scene: make_event_set(simulate(scene)), scenes)


def detected_snippets(
    recording: Recording, config: SortConfig
) -> tuple[Events, NDArray[np.float32], Window]:
    """Run the first pass of sorting and keep every snippet.

    Returns
    -------
    tuple of Events, ndarray (n_events, n_window, n_local) and Window
    """
    front = make_front(recording, config)

    def work(tile: Tile) -> tuple[Events, NDArray[np.float32]]:
        white, local = front.white_tile_and_events(tile)
        snippets = cut_snippets(white, local.sample_index, local.channel_index, front.window)
        return front.in_recording(local, tile), snippets

    parts = list(front.mapper(work, front.tiles(), front.run))
    events = joined_events([events for events, _ in parts])
    return events, np.concatenate([snippets for _, snippets in parts]), front.window


def at_canonical_rate(
    snippets: NDArray[np.float32], n_before: int, sampling_rate_hz: float
) -> NDArray[np.float16]:
    """Return snippets as the encoder reads them, channel before time, troughs aligned."""
    matrices = resampling_matrices(snippets.shape[1], n_before, sampling_rate_hz)
    shift = shift_indices(np.ascontiguousarray(snippets[:, n_before - 1 : n_before + 2, 0]))
    out = np.empty((len(snippets), snippets.shape[2], matrices.shape[2]), np.float16)
    for index in np.unique(shift):
        rows = np.flatnonzero(shift == index)
        out[rows] = np.einsum("etc,tk->eck", snippets[rows], matrices[index], optimize=True)
    return out


def save_event_set(events: EventSet, path: Path) -> None:
    """Write an event set in one move."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **{f.name: getattr(events, f.name) for f in fields(EventSet)})
    unfinished.replace(path)


def load_event_set(path: Path) -> EventSet:
    """Read an event set.

    Raises
    ------
    BadInput
        If the file is not one.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return EventSet(**{f.name: content[f.name] for f in fields(EventSet)})
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} is not an event set ({error}); delete it") from None
