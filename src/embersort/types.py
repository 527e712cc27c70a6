"""The data that flows between the rooms of the house: frozen, checked, read-only.

Axis order is time, then channel, everywhere. ``x_index`` is a position in an
array, ``x_id`` is a name that a user sees. Units are in the names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

UNASSIGNED = -1
"""The unit index of an event that belongs to no unit."""


FARTHEST_UM = 1e9
"""No channel is a kilometre away; squares of far larger numbers overflow."""


LARGEST_SHANK_UM = 2e5
"""No shank is longer than twenty centimetres; motion would be looked for over all of it."""


def frozen_array(values: Any, dtype: Any, ndim: int, name: str) -> NDArray[Any]:
    """Return ``values`` as a read-only contiguous array, checked for its number of axes.

    Raises
    ------
    BadInput
        If the values are no numbers, or the number of axes differs from ``ndim``; the message
        names the field.
    """
    try:
        array = np.ascontiguousarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} cannot be read as an array of numbers: {error}") from None
    if array.ndim != ndim:
        raise BadInput(f"{name} has {array.ndim} axes (shape {array.shape}), expected {ndim}")
    if array.flags.writeable:
        # A view keeps the caller's own array writable.
        array = array.view()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Where the channels of a probe sit.

    Attributes
    ----------
    positions_um : ndarray, shape (n_channels, 2), float64
        Position of each channel's contact in the plane of the probe.
    shank_index : ndarray, shape (n_channels,), int64
        Channels of different shanks are never neighbours. All zero by default.
    """

    positions_um: FloatArray
    shank_index: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        positions = frozen_array(self.positions_um, np.float64, 2, "positions_um")
        if positions.shape[1] != 2:
            raise BadInput(f"positions_um has shape {positions.shape}, expected (n_channels, 2)")
        if not np.isfinite(positions).all():
            raise BadInput("positions_um holds a value that is not finite")
        if np.abs(positions).max(initial=0.0) > FARTHEST_UM:
            raise BadInput(
                f"positions_um holds {np.abs(positions).max():g}, which is no place on a probe; "
                "positions are in micrometres"
            )
        shank = np.asarray(self.shank_index)
        if shank.size == 0:
            shank = np.zeros(len(positions), np.int64)
        shank = frozen_array(shank, np.int64, 1, "shank_index")
        if len(shank) != len(positions):
            raise BadInput(f"shank_index has {len(shank)} entries for {len(positions)} channels")
        for one in np.unique(shank):
            extent_um = float(np.ptp(positions[shank == one], axis=0).max())
            if extent_um > LARGEST_SHANK_UM:
                raise BadInput(
                    f"the channels of a shank lie {extent_um:g} µm apart, at most "
                    f"{LARGEST_SHANK_UM:g} are a probe; are the positions in nanometres?"
                )
        object.__setattr__(self, "positions_um", positions)
        object.__setattr__(self, "shank_index", shank)

    def __repr__(self) -> str:
        n_shanks = len(np.unique(self.shank_index))
        return f"<Geometry: {self.n_channels} channels on {n_shanks} shanks>"

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.positions_um)

    def distances_um(self) -> FloatArray:
        """Return the distance of each pair of channels; infinite between shanks.

        Returns
        -------
        ndarray, shape (n_channels, n_channels), float64
        """
        delta = self.positions_um[:, None, :] - self.positions_um[None, :, :]
        distance = np.sqrt((delta**2).sum(axis=2))
        distance[self.shank_index[:, None] != self.shank_index[None, :]] = np.inf
        return distance

    def neighbours(self, radius_um: float, max_channels: int | None = None) -> IntArray:
        """List the channels within a radius of each channel, the nearest first.

        Parameters
        ----------
        radius_um : float
        max_channels : int, optional
            Keep at most this many, the channel itself among them.

        Returns
        -------
        ndarray, shape (n_channels, n_local), int64
            Row ``c`` starts with ``c`` itself and is filled up with -1. Channels at the same
            distance are in order of their index.
        """
        distance = self.distances_um()
        # A channel precedes any other contact at the very same place.
        np.fill_diagonal(distance, -1.0)
        order = np.argsort(distance, axis=1, kind="stable")
        near = np.take_along_axis(distance, order, axis=1) <= radius_um
        n_local = int(near.sum(axis=1).max(initial=1))
        if max_channels is not None:
            n_local = min(n_local, max_channels)
        return np.ascontiguousarray(np.where(near, order, UNASSIGNED)[:, :n_local])


@runtime_checkable
class Recording(Protocol):
    """What the sort path asks of a recording: its size, its probe, and any slice of it.

    ``read`` must be safe to call from several threads, must not hold the whole
    recording in memory, and must give the same bits for a slice whatever
    larger slice it is part of.
    """

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel)."""
        ...

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        ...

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        ...

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (stop_sample - start_sample, n_channels), in microvolt.

        Where the gain of a recording is not known, the unit is its own count.
        The range lies inside [0, n_samples].
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Events:
    """Detections, before they have a unit, in order of time.

    Attributes
    ----------
    sample_index : ndarray, shape (n_events,), int64
        Sample of the largest deflection, non-decreasing.
    channel_index : ndarray, shape (n_events,), int64
        Channel of the largest deflection.
    amplitude : ndarray, shape (n_events,), float32
        Height of the deflection there, in units of the channel's noise; negative for a trough.
    """

    sample_index: IntArray
    channel_index: IntArray
    amplitude: FloatArray

    def __post_init__(self) -> None:
        sample = frozen_array(self.sample_index, np.int64, 1, "sample_index")
        channel = frozen_array(self.channel_index, np.int64, 1, "channel_index")
        amplitude = frozen_array(self.amplitude, np.float32, 1, "amplitude")
        if not len(sample) == len(channel) == len(amplitude):
            raise BadInput(
                f"events have {len(sample)} samples, {len(channel)} channels, "
                f"{len(amplitude)} amplitudes; they must be as many"
            )
        if len(sample) > 1 and (np.diff(sample) < 0).any():
            raise BadInput("sample_index of events must not decrease")
        object.__setattr__(self, "sample_index", sample)
        object.__setattr__(self, "channel_index", channel)
        object.__setattr__(self, "amplitude", amplitude)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.sample_index)


def joined_events(parts: Sequence[Events]) -> Events:
    """Return the events of stretches that follow one another as one."""
    return Events(
        sample_index=np.concatenate([part.sample_index for part in parts]),
        channel_index=np.concatenate([part.channel_index for part in parts]),
        amplitude=np.concatenate([part.amplitude for part in parts]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorting:
    """Spikes with their units: what a sorter gives, and what a truth is.

    Attributes
    ----------
    sample_index : ndarray, shape (n_spikes,), int64
        Sample of each spike's trough, non-decreasing.
    unit_index : ndarray, shape (n_spikes,), int64
        Position of the spike's unit in ``unit_ids``.
    unit_ids : ndarray, shape (n_units,), int64
        The name of each unit. A unit may have no spike.
    sampling_rate_hz : float
        Sampling rate to which ``sample_index`` refers.
    n_samples : int
        Length of the recording to which the spikes belong.
    """

    sample_index: IntArray
    unit_index: IntArray
    unit_ids: IntArray
    sampling_rate_hz: float
    n_samples: int

    def __post_init__(self) -> None:
        sample = frozen_array(self.sample_index, np.int64, 1, "sample_index")
        unit = frozen_array(self.unit_index, np.int64, 1, "unit_index")
        ids = frozen_array(self.unit_ids, np.int64, 1, "unit_ids")
        if not (np.isfinite(self.sampling_rate_hz) and self.sampling_rate_hz > 0):
            raise BadInput(f"a sampling rate of {self.sampling_rate_hz} Hz is none")
        if len(sample) != len(unit):
            raise BadInput(f"{len(sample)} spike times for {len(unit)} unit indices")
        if len(sample) > 1 and (np.diff(sample) < 0).any():
            raise BadInput("sample_index of spikes must not decrease; sort the spikes by time")
        if len(unit) and (unit.min() < 0 or unit.max() >= len(ids)):
            raise BadInput(
                f"unit_index spans {unit.min()}..{unit.max()}, but there are {len(ids)} units"
            )
        if len(np.unique(ids)) != len(ids):
            raise BadInput("unit_ids holds a name twice")
        if len(sample) and (sample[0] < 0 or sample[-1] >= self.n_samples):
            raise BadInput(
                f"spike times span samples {sample[0]}..{sample[-1]}, "
                f"outside the recording's 0..{self.n_samples - 1}"
            )
        object.__setattr__(self, "sample_index", sample)
        object.__setattr__(self, "unit_index", unit)
        object.__setattr__(self, "unit_ids", ids)

    def __repr__(self) -> str:
        return (
            f"<Sorting: {self.n_units} units, {self.n_spikes} spikes, {self.duration_s:.1f} s "
            f"at {self.sampling_rate_hz:g} Hz>"
        )

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.unit_ids)

    @property
    def n_spikes(self) -> int:
        """Number of spikes of all units."""
        return len(self.sample_index)

    @property
    def duration_s(self) -> float:
        """Duration of the recording."""
        return self.n_samples / self.sampling_rate_hz

    def spike_counts(self) -> IntArray:
        """Return the number of spikes of each unit, shape (n_units,)."""
        return np.bincount(self.unit_index, minlength=self.n_units)

    def train(self, unit_index: int) -> IntArray:
        """Return the spike samples of one unit, in order."""
        return self.sample_index[self.unit_index == unit_index]

    def trains(self) -> list[IntArray]:
        """Return the spike samples of every unit, in order of ``unit_ids``. O(n log n)."""
        order = np.argsort(self.unit_index, kind="stable")
        edges = np.cumsum(self.spike_counts())[:-1]
        return np.split(self.sample_index[order], edges)


@dataclass(frozen=True, kw_only=True, slots=True)
class Templates:
    """The typical snippet of each unit.

    Attributes
    ----------
    waveforms_uv : ndarray, shape (n_units, n_samples, n_channels), float32
        Filtered, not whitened; zero on channels that a unit does not reach.
    n_before : int
        Sample of the trough within the window.
    """

    waveforms_uv: FloatArray
    n_before: int

    def __repr__(self) -> str:
        return "<Templates: {} units, {} samples, {} channels>".format(*self.waveforms_uv.shape)

    def __post_init__(self) -> None:
        waveforms = frozen_array(self.waveforms_uv, np.float32, 3, "waveforms_uv")
        if waveforms.shape[1] and not 0 <= self.n_before < waveforms.shape[1]:
            raise BadInput(f"n_before is {self.n_before} in a window of {waveforms.shape[1]}")
        object.__setattr__(self, "waveforms_uv", waveforms)


@dataclass(frozen=True, kw_only=True, slots=True)
class SortResult:
    """Everything that one sort gives: the sorting, and what one asks about it.

    Attributes
    ----------
    sorting : Sorting
    templates : Templates
        Same unit order as ``sorting.unit_ids``.
    geometry : Geometry
        Of the recording that was sorted.
    spike_amplitude : ndarray, shape (n_spikes,), float32
        Height of each spike at its unit's peak channel, in units of the channel's noise; negative.
    spike_probability : ndarray, shape (n_spikes,), float32
        Calibrated probability that the spike belongs to its unit; NaN where not estimated.
    spike_position_um : ndarray, shape (n_spikes, 2), float32
        Estimated position of each spike in the plane of the probe.
    embedding : ndarray, shape (n_spikes, n_dims), float32
        Of each spike, cleaned of what overlapped it; without columns where there are no networks.
    unit_table : dict of str to ndarray, shape (n_units,)
        One column per unit property (``rate_hz``, ``snr``, ``x_um`` …); the columns of
        ``units.csv``.
    timings_s : dict of str to float
        Wall time of each stage.
    provenance : dict
        Version, parameters, hashes, machine: what ``run.json`` holds.
    """

    sorting: Sorting
    templates: Templates
    geometry: Geometry
    spike_amplitude: FloatArray
    spike_probability: FloatArray
    spike_position_um: FloatArray
    embedding: FloatArray
    unit_table: dict[str, NDArray[Any]]
    timings_s: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        sorting = self.sorting
        return (
            f"<SortResult: {sorting.n_units} units, {sorting.n_spikes} spikes in "
            f"{sorting.duration_s:.1f} s, {self.geometry.n_channels} channels>"
        )

    def __post_init__(self) -> None:
        n_spikes = self.sorting.n_spikes
        for name, ndim in (
            ("spike_amplitude", 1),
            ("spike_probability", 1),
            ("spike_position_um", 2),
            ("embedding", 2),
        ):
            array = frozen_array(getattr(self, name), np.float32, ndim, name)
            if len(array) != n_spikes:
                raise BadInput(f"{name} has {len(array)} rows for {n_spikes} spikes")
            object.__setattr__(self, name, array)
        if self.spike_position_um.shape[1] != 2:
            raise BadInput(
                f"spike_position_um has {self.spike_position_um.shape[1]} columns, not 2"
            )
        n_templates, _, n_channels = self.templates.waveforms_uv.shape
        if n_templates != self.sorting.n_units or n_channels != self.geometry.n_channels:
            raise BadInput(
                f"{n_templates} templates on {n_channels} channels, but there are "
                f"{self.sorting.n_units} units on {self.geometry.n_channels}"
            )
        for name, column in self.unit_table.items():
            if len(column) != self.sorting.n_units:
                raise BadInput(f"unit column {name} has {len(column)} rows, not one per unit")
