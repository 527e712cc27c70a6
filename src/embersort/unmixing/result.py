"""What unmixing gives: the bins of each neuron, and so its own traces; on disk and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.types import Geometry, IntArray, Sorting

ARRAYS_FILE = "unmixed.npz"
SIDE_BY_SIDE_UM = 0.1
"""Distance of units that share a peak channel, on the probe of the unmixed signals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnedBins:
    """The bins of a recording that belong to a unit: masks and masked traces in one.

    Attributes
    ----------
    sample_index : ndarray, shape (n_bins,), int64
        Non-decreasing; bins of one sample are in order of channel.
    channel_index : ndarray, shape (n_bins,), int32
    unit_index : ndarray, shape (n_bins,), int16
    value_uv : ndarray, shape (n_bins,), float32
        The filtered recording there.
    expected_uv : ndarray, shape (n_bins,), float32
        The mean of the nearest segments there, which holds less noise and nothing of other units;
        the recorded value where there are none.
    """

    sample_index: IntArray
    channel_index: NDArray[np.int32]
    unit_index: NDArray[np.int16]
    value_uv: NDArray[np.float32]
    expected_uv: NDArray[np.float32]

    def between(self, start_sample: int, stop_sample: int) -> OwnedBins:
        """Return the bins of a range of samples."""
        low, high = np.searchsorted(self.sample_index, (start_sample, stop_sample))
        return OwnedBins(**{f.name: getattr(self, f.name)[low:high] for f in fields(self)})


def owned_bins(
    labels: NDArray[np.int16],
    traces_uv: NDArray[np.float32],
    start_sample: int,
    expected_uv: NDArray[np.float32] | None = None,
) -> OwnedBins:
    """Return the labelled bins of a stretch.

    Parameters
    ----------
    labels : ndarray, shape (n_samples, n_channels), int16
        Unit, or ``UNASSIGNED`` for the background.
    traces_uv : ndarray, shape (n_samples, n_channels), float32
    start_sample : int
        The stretch's first sample.
    expected_uv : ndarray, shape (n_samples, n_channels), float32, optional
        NaN where nothing is known.
    """
    row, channel = np.nonzero(labels >= 0)
    value = traces_uv[row, channel]
    expected = value if expected_uv is None else expected_uv[row, channel]
    return OwnedBins(
        sample_index=row + start_sample,
        channel_index=channel.astype(np.int32),
        unit_index=labels[row, channel],
        value_uv=value,
        expected_uv=np.where(np.isnan(expected), value, expected),
    )


def join_bins(parts: Sequence[OwnedBins]) -> OwnedBins:
    """Return the bins of consecutive stretches as one."""
    nothing = owned_bins(np.zeros((0, 0), np.int16), np.zeros((0, 0), np.float32), 0)
    return OwnedBins(
        **{
            f.name: np.concatenate([getattr(part, f.name) for part in (nothing, *parts)])
            for f in fields(OwnedBins)
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmixing:
    """Each neuron's own traces.

    Attributes
    ----------
    sorting : Sorting
        The spikes of each unit.
    bins : OwnedBins
    unit_peak_channel : ndarray, shape (n_units,), int64
    geometry : Geometry
    """

    sorting: Sorting
    bins: OwnedBins
    unit_peak_channel: IntArray
    geometry: Geometry

    def labels(self, start_sample: int, stop_sample: int) -> NDArray[np.int16]:
        """Return the unit of each bin of a range, (n_samples, n_channels); -1 where none."""
        bins = self.bins.between(start_sample, stop_sample)
        labels = np.full((stop_sample - start_sample, self.geometry.n_channels), -1, np.int16)
        labels[bins.sample_index - start_sample, bins.channel_index] = bins.unit_index
        return labels

    def traces(
        self, unit_index: int, start_sample: int, stop_sample: int, *, expected: bool = False
    ) -> NDArray[np.float32]:
        """Return one unit's own traces, shape (n_samples, n_channels), in µV.

        Parameters
        ----------
        unit_index, start_sample, stop_sample : int
        expected : bool
            What its nearest segments hold on average, in place of what was recorded.
        """
        bins = self.bins.between(start_sample, stop_sample)
        own = bins.unit_index == unit_index
        traces = np.zeros((stop_sample - start_sample, self.geometry.n_channels), np.float32)
        at = bins.sample_index[own] - start_sample, bins.channel_index[own]
        traces[at] = (bins.expected_uv if expected else bins.value_uv)[own]
        return traces

    def peak_traces(
        self, start_sample: int, stop_sample: int, *, expected: bool = False
    ) -> NDArray[np.float32]:
        """Return every unit's own trace on its peak channel, shape (n_samples, n_units), in µV."""
        bins = self.bins.between(start_sample, stop_sample)
        traces = np.zeros((stop_sample - start_sample, self.sorting.n_units), np.float32)
        at_peak = self.unit_peak_channel[bins.unit_index] == bins.channel_index
        at = bins.sample_index[at_peak] - start_sample, bins.unit_index[at_peak]
        traces[at] = (bins.expected_uv if expected else bins.value_uv)[at_peak]
        return traces


@dataclass(frozen=True, kw_only=True, slots=True)
class PeakTraces:
    """The unmixed signals as a recording: one channel per unit, its own trace on its peak channel.

    Satisfies the ``Recording`` protocol.
    """

    unmixing: Unmixing

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.unmixing.sorting.n_samples

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.unmixing.sorting.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """Place of each unit's peak channel; units that share one are set side by side."""
        peak = self.unmixing.unit_peak_channel
        # File formats want no two contacts at one place.
        rank = np.array([(peak[:unit] == channel).sum() for unit, channel in enumerate(peak)])
        positions = self.unmixing.geometry.positions_um[peak]
        beside_um = np.outer(rank, [SIDE_BY_SIDE_UM, 0.0])
        return Geometry(positions_um=positions + beside_um)

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (n_samples, n_units), in µV."""
        return self.unmixing.peak_traces(start_sample, stop_sample)


def save_unmixing(unmixing: Unmixing, path: Path) -> None:
    """Write an unmixing as one file of arrays."""
    sorting, bins = unmixing.sorting, unmixing.bins
    np.savez(
        path,
        spike_sample_index=sorting.sample_index,
        spike_unit_index=sorting.unit_index,
        unit_ids=sorting.unit_ids,
        sampling_rate_hz=sorting.sampling_rate_hz,
        n_samples=sorting.n_samples,
        unit_peak_channel=unmixing.unit_peak_channel,
        positions_um=unmixing.geometry.positions_um,
        shank_index=unmixing.geometry.shank_index,
        **{f"bin_{f.name}": getattr(bins, f.name) for f in fields(bins)},
    )


def load_unmixing(path: Path) -> Unmixing:
    """Read an unmixing back.

    Parameters
    ----------
    path : Path
        The file, or the folder that ``embersort unmix`` wrote.

    Raises
    ------
    BadInput
        If the file is none.
    """
    path = Path(path) / ARRAYS_FILE if Path(path).is_dir() else Path(path)
    try:
        with np.load(path, allow_pickle=False) as content:
            return Unmixing(
                sorting=Sorting(
                    sample_index=content["spike_sample_index"],
                    unit_index=content["spike_unit_index"],
                    unit_ids=content["unit_ids"],
                    sampling_rate_hz=float(content["sampling_rate_hz"]),
                    n_samples=int(content["n_samples"]),
                ),
                bins=OwnedBins(**{f.name: content[f"bin_{f.name}"] for f in fields(OwnedBins)}),
                unit_peak_channel=content["unit_peak_channel"],
                geometry=Geometry(
                    positions_um=content["positions_um"], shank_index=content["shank_index"]
                ),
            )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} is not the result of unmixing ({error})") from None
