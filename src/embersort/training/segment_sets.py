"""Labelled sets of segments: what the segment network is trained on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from embersort.config import Config, DetectConfig, RunConfig, SortConfig
from embersort.embedding.segment_architecture import SegmentConfig
from embersort.embedding.segment_network import mean_and_spread
from embersort.embedding.segments import bin_offsets
from embersort.embedding.weights import Weights
from embersort.errors import BadInput
from embersort.signal import Front, make_front
from embersort.simulate.simulation import Simulation
from embersort.simulate.sources import UnitSource, dominant_unit
from embersort.training.event_sets import TRAINING_THRESHOLD, held
from embersort.training.labels import NOISE, label_events, unit_depths
from embersort.types import UNASSIGNED, FloatArray, IntArray
from embersort.unmixing.segments import Segments, find_segments
from embersort.unmixing.truth import LEAST_HEIGHT, filtered_sources

ONE_THREAD = RunConfig(n_workers=1)


class SetConfig(Config):
    """How many sets of a scene are kept, and how they are drawn."""

    n_sets: int = Field(12, ge=1)
    """Sets of a scene."""
    n_events: int = Field(32, ge=4)
    """Segments of a set."""
    radius_um: float = Field(75.0, gt=0)
    """Segments of a set peak this near to one channel."""
    stretch_share: float = Field(0.5, ge=0, le=1)
    """Share of the sets that are consecutive events; the others are spread over the scene."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentSets:
    """Local sets of segments of one scene, with the ideal label of every bin.

    Attributes
    ----------
    own, mean, spread : ndarray, shape (n_sets, n_events, n_local, SEGMENT_SAMPLES), float16
        Segments, and mean and standard deviation of their neighbours, in units of noise.
    n_neighbours : ndarray, shape (n_sets, n_events), int64
    channels : ndarray, shape (n_sets, n_events, n_local), int64
        Padded with -1.
    bin_label : ndarray, shape (n_sets, n_events, n_local, SEGMENT_SAMPLES), int16
        Unit, or ``UNASSIGNED`` for the background.
    bin_height : ndarray, same shape, float16
        Height of that unit's own trace, in units of noise.
    event_label : ndarray, shape (n_sets, n_events), int64
        As `label_events` gives it.
    positions_um : ndarray, shape (n_channels, 2), float64
    """

    own: NDArray[np.float16]
    mean: NDArray[np.float16]
    spread: NDArray[np.float16]
    n_neighbours: IntArray
    channels: IntArray
    bin_label: NDArray[np.int16]
    bin_height: NDArray[np.float16]
    event_label: IntArray
    positions_um: FloatArray

    @property
    def n_sets(self) -> int:
        """Number of sets; a scene with too few events has none."""
        return len(self.own)


def make_segment_sets(
    simulation: Simulation,
    weights: Weights,
    network: SegmentConfig,
    config: SetConfig,
    rng: np.random.Generator,
) -> SegmentSets:
    """Make the sets of a simulated recording, through the code that unmixing uses.

    Parameters
    ----------
    simulation : Simulation
    weights : Weights
        Of the encoder by which neighbours are found.
    network : SegmentConfig
        How many neighbours a segment is given, and from how far.
    config : SetConfig
    rng : Generator
        Draws the sets.
    """
    recording, truth = held(simulation.recording), simulation.truth
    detect = DetectConfig(threshold=TRAINING_THRESHOLD)
    with threadpool_limits(limits=1):
        front = make_front(recording, SortConfig(detect=detect, run=ONE_THREAD))
        segments = find_segments(front, weights)
    nearest = segments.nearest(network.n_neighbours, network.window_s)
    labels = label_events(
        segments.events,
        truth.sorting,
        np.asarray(truth.spike_amplitude)[:, None],
        unit_depths(simulation),
    ).label
    sources = filtered_sources(simulation, front.preprocessor)
    drawn = [rows for _ in range(config.n_sets) if len(rows := draw_set(segments, config, rng))]
    sets = [_gathered(segments, nearest, labels, sources, front, rows) for rows in drawn]
    empty = _gathered(segments, nearest, labels, sources, front, np.zeros(0, np.int64))
    return SegmentSets(
        positions_um=recording.geometry.positions_um,
        **{
            name: np.stack([one[name] for one in sets]) if sets else value[None][:0]
            for name, value in empty.items()
        },
    )


def draw_set(segments: Segments, config: SetConfig, rng: np.random.Generator) -> IntArray:
    """Draw the events of a set, in order of time; none where a neighbourhood has too few."""
    channel = segments.events.channel_index
    if len(channel) == 0:
        return np.zeros(0, np.int64)
    anchor = channel[rng.integers(len(channel))]
    near = segments.geometry.distances_um()[anchor] <= config.radius_um
    rows = np.flatnonzero(near[channel])
    if len(rows) < config.n_events:
        return np.zeros(0, np.int64)
    if rng.random() < config.stretch_share:
        start = int(rng.integers(len(rows) - config.n_events + 1))
        return rows[start : start + config.n_events]
    return np.sort(rng.choice(rows, config.n_events, replace=False))


def _gathered(
    segments: Segments,
    nearest: IntArray,
    labels: IntArray,
    sources: tuple[UnitSource, ...],
    front: Front,
    rows: IntArray,
) -> dict[str, NDArray]:
    """Return chosen segments and their labels as arrays named as in `SegmentSets`."""
    own = segments.values[rows]
    mean, spread = np.zeros_like(own), np.zeros_like(own)
    bin_label = np.full(own.shape, UNASSIGNED, np.int16)
    bin_height = np.zeros(own.shape, np.float16)
    for i, row in enumerate(rows):
        n_local = len(segments.local(row))
        planes = mean_and_spread(segments.neighbours_of(row, nearest), (n_local, own.shape[2]))
        mean[i, :n_local], spread[i, :n_local] = planes
        label, height = true_bins(segments, sources, front, int(row))
        bin_label[i, :n_local], bin_height[i, :n_local] = label, height
    return {
        "own": own,
        "mean": mean,
        "spread": spread,
        "n_neighbours": (nearest[rows] >= 0).sum(axis=1),
        "channels": segments.channels[segments.events.channel_index[rows]],
        "bin_label": bin_label,
        "bin_height": bin_height,
        "event_label": labels[rows] if len(rows) else np.full(0, NOISE),
    }


def true_bins(
    segments: Segments, sources: tuple[UnitSource, ...], front: Front, row: int
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Return ideal label and height of each bin of a segment, shape (n_local, n_samples)."""
    place = segments.events.sample_index[row] + segments.shift[row]
    place = place + bin_offsets(segments.sampling_rate_hz)
    sample = np.rint(place).astype(np.int64)
    label, height = dominant_unit(
        sources, front.preprocessor.scale, int(sample[0]), int(sample[-1]) + 1, LEAST_HEIGHT
    )
    at = np.ix_(sample - sample[0], segments.local(row))
    return label[at].T, height[at].T


def save_segment_sets(sets: SegmentSets, path: Path) -> None:
    """Write sets in one move."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **{f.name: getattr(sets, f.name) for f in fields(SegmentSets)})
    unfinished.replace(path)


def load_segment_sets(path: Path) -> SegmentSets:
    """Read sets.

    Raises
    ------
    BadInput
        If the file does not hold them.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return SegmentSets(**{f.name: content[f.name] for f in fields(SegmentSets)})
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} does not hold segments ({error}); delete it") from None
