"""A short stretch of a recording with all that its picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.signal import Tile, filter_tile
from embersort.simulate.sources import UnitSource, dominant_unit
from embersort.types import Geometry, IntArray
from embersort.unmixing.bins import embed_stretch
from embersort.unmixing.result import Unmixing
from embersort.unmixing.truth import LEAST_HEIGHT
from embersort.unmixing.unmix import Prepared


@dataclass(frozen=True, kw_only=True, slots=True)
class TrueStretch:
    """What is known of a simulated stretch.

    Attributes
    ----------
    labels : ndarray, shape (n_samples, n_channels), int16
        The ideal mask.
    matched_index : ndarray, shape (n_true_units,), int64
        Estimated unit of each true one, or -1.
    own_uv : ndarray, shape (n_samples, n_true_units), float32
        Each true unit's own trace on the peak channel of its match; 0 without one.
    """

    labels: NDArray[np.int16]
    matched_index: IntArray
    own_uv: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of a recording, unmixed.

    Attributes
    ----------
    start_sample : int
    sampling_rate_hz : float
    geometry : Geometry
    traces : ndarray, shape (n_samples, n_channels), float32
        Filtered, in units of noise.
    embedding : ndarray, shape (n_samples, n_channels, n_dims), float32
        Of each bin; zero where no segment covers it.
    labels : ndarray, shape (n_samples, n_channels), int16
    own_uv : ndarray, shape (n_samples, n_units), float32
        Each unit's own trace on its peak channel.
    truth : TrueStretch, optional
    """

    start_sample: int
    sampling_rate_hz: float
    geometry: Geometry
    traces: NDArray[np.float32]
    embedding: NDArray[np.float32]
    labels: NDArray[np.int16]
    own_uv: NDArray[np.float32]
    truth: TrueStretch | None = None


def take_stretch(
    prepared: Prepared,
    unmixing: Unmixing,
    start_sample: int,
    stop_sample: int,
    sources: Sequence[UnitSource] = (),
    matched_index: IntArray | None = None,
) -> Stretch:
    """Return a stretch of an unmixed recording.

    Parameters
    ----------
    prepared : Prepared
    unmixing : Unmixing
    start_sample, stop_sample : int
    sources : sequence of UnitSource, optional
        Behind the filter, where they are known.
    matched_index : ndarray, shape (n_true_units,), optional
        Given with ``sources``.
    """
    front = prepared.front
    truth = None
    if matched_index is not None:
        truth = TrueStretch(
            labels=dominant_unit(
                sources, front.preprocessor.scale, start_sample, stop_sample, LEAST_HEIGHT
            )[0],
            matched_index=matched_index,
            own_uv=_true_traces(unmixing, sources, matched_index, start_sample, stop_sample),
        )
    return Stretch(
        start_sample=start_sample,
        sampling_rate_hz=front.recording.sampling_rate_hz,
        geometry=front.recording.geometry,
        traces=filter_tile(
            front.recording,
            Tile(index=0, start=start_sample, stop=stop_sample),
            front.preprocessor,
            0,
        )
        * front.preprocessor.scale,
        embedding=embed_stretch(prepared.embedder, start_sample, stop_sample),
        labels=unmixing.labels(start_sample, stop_sample),
        own_uv=unmixing.peak_traces(start_sample, stop_sample),
        truth=truth,
    )


def _true_traces(
    unmixing: Unmixing,
    sources: Sequence[UnitSource],
    matched_index: IntArray,
    start_sample: int,
    stop_sample: int,
) -> NDArray[np.float32]:
    own_uv = np.zeros((stop_sample - start_sample, len(sources)), np.float32)
    for unit, source in enumerate(sources):
        if matched_index[unit] < 0:
            continue
        channel = unmixing.unit_peak_channel[matched_index[unit]]
        place = np.flatnonzero(source.channels == channel)
        if len(place):
            own_uv[:, unit] = source.read(start_sample, stop_sample)[:, place[0]]
    return own_uv
