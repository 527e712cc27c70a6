"""Small sort results with known content, made from formulas rather than by sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.types import Geometry, Recording, Sorting, SortResult, Templates

SAMPLING_RATE_HZ = 30_000.0
N_WINDOW, N_BEFORE = 75, 30
NOISE_UV = 5.0


@dataclass(frozen=True, kw_only=True)
class SyntheticRecording(Recording):
    """Templates at the spikes' places over white noise; a slice has the same bits in any read."""

    sorting: Sorting
    templates: Templates
    geometry_: Geometry
    page_samples: int = 3000

    @property
    def n_samples(self) -> int:
        return self.sorting.n_samples

    @property
    def sampling_rate_hz(self) -> float:
        return self.sorting.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        return self.geometry_

    def read(self, start_sample, stop_sample):
        pages = range(start_sample // self.page_samples, -(-stop_sample // self.page_samples))
        whole = np.concatenate([self._noise(page) for page in pages])
        traces = whole[start_sample - pages.start * self.page_samples :][
            : stop_sample - start_sample
        ]
        n_window = self.templates.waveforms_uv.shape[1]
        reach = slice(
            *np.searchsorted(
                self.sorting.sample_index, [start_sample - n_window, stop_sample + n_window]
            )
        )
        for sample, unit in zip(
            self.sorting.sample_index[reach], self.sorting.unit_index[reach], strict=True
        ):
            first = sample - self.templates.n_before
            low, high = max(first, start_sample), min(first + n_window, stop_sample)
            if low < high:
                traces[low - start_sample : high - start_sample] += self.templates.waveforms_uv[
                    unit, low - first : high - first
                ]
        return traces

    def _noise(self, page: int):
        rng = np.random.default_rng([7, page])
        return rng.normal(0, NOISE_UV, (self.page_samples, self.geometry.n_channels)).astype(
            np.float32
        )


def make_geometry(n_channels: int) -> Geometry:
    """Return a staggered two-column probe with 20 µm between rows."""
    index = np.arange(n_channels)
    return Geometry(positions_um=np.column_stack([(index % 2) * 32.0, index * 20.0]))


def make_templates(n_units: int, geometry: Geometry, rng: np.random.Generator) -> Templates:
    """Return biphasic templates that fall off with the distance from each unit's place."""
    time = (np.arange(N_WINDOW) - N_BEFORE) / 6.0
    place = np.column_stack(
        [
            rng.uniform(-10, 42, n_units),
            rng.uniform(0, np.ptp(geometry.positions_um[:, 1]) + 1, n_units),
        ]
    )
    width = rng.uniform(0.7, 1.6, n_units)
    wave = -np.exp(-(time[None] ** 2) / width[:, None] ** 2)
    wave += 0.45 * np.exp(-((time[None] - 3) ** 2) / (3 * width[:, None]) ** 2)
    distance = np.linalg.norm(place[:, None] - geometry.positions_um[None], axis=2)
    height = rng.uniform(40, 180, n_units)[:, None] * np.exp(-distance / 30)
    height[height < 3] = 0
    return Templates(waveforms_uv=wave[:, :, None] * height[:, None, :], n_before=N_BEFORE)


def make_result(
    n_units: int = 8, *, duration_s: float = 20.0, n_channels: int = 16, rate_hz: float = 8.0
) -> SortResult:
    """Return a sort result of regular units; unit 1 fires in the first half only."""
    rng = np.random.default_rng(3)
    geometry = make_geometry(n_channels)
    templates = make_templates(n_units, geometry, rng)
    n_samples = int(duration_s * SAMPLING_RATE_HZ)
    trains = []
    for unit in range(n_units):
        n_expected = int(duration_s * rate_hz * rng.uniform(0.5, 1.5))
        interval = 0.002 + rng.exponential(duration_s / max(n_expected, 1), n_expected)
        train = (np.cumsum(interval) * SAMPLING_RATE_HZ).astype(np.int64)
        trains.append(train[train < (n_samples // 2 if unit == 1 else n_samples)])
    sample = np.concatenate([*trains, np.zeros(0, np.int64)]).astype(np.int64)
    unit_index = np.repeat(np.arange(n_units), [len(train) for train in trains])
    order = np.argsort(sample, kind="stable")
    sample, unit_index = sample[order], unit_index[order]
    height = np.ptp(templates.waveforms_uv, axis=1)
    peak = height.argmax(axis=1) if n_units else np.zeros(0, int)
    amplitude = -height.max(axis=1, initial=0)[unit_index] / NOISE_UV
    amplitude = amplitude * rng.normal(1, 0.08, len(amplitude))
    position = geometry.positions_um[peak][unit_index] + rng.normal(0, 4, (len(sample), 2))
    centres = rng.normal(0, 3, (n_units, 6))
    return SortResult(
        sorting=Sorting(
            sample_index=sample,
            unit_index=unit_index,
            unit_ids=np.arange(n_units) + 10,
            sampling_rate_hz=SAMPLING_RATE_HZ,
            n_samples=n_samples,
        ),
        templates=templates,
        geometry=geometry,
        spike_amplitude=amplitude,
        spike_probability=rng.beta(8, 2, len(sample)),
        spike_position_um=position,
        embedding=centres[unit_index] + rng.normal(0, 0.6, (len(sample), 6)),
        unit_table={
            "snr": height.max(axis=1, initial=0) / NOISE_UV / 1.5,
            "predicted_accuracy": (accuracy := rng.uniform(0.4, 0.9, n_units)),
            "predicted_accuracy_low": accuracy - 0.2,
            "predicted_accuracy_high": accuracy + 0.1,
        },
        timings_s={"signal": 1.2, "clustering": 0.8},
        provenance={"version": "0.1.0", "parameters": {"detect": {"threshold": 5.0}}},
    )


def make_recording(result: SortResult) -> SyntheticRecording:
    """Return a recording that holds the spikes of a result."""
    return SyntheticRecording(
        sorting=result.sorting, templates=result.templates, geometry_=result.geometry
    )


def make_truth(result: SortResult) -> Sorting:
    """Return a truth that the result answers well, save a lost unit and a split one."""
    sorting = result.sorting
    lost = sorting.unit_index == 0
    first_unit = np.where(lost, 2, sorting.unit_index)
    rng = np.random.default_rng(5)
    kept = rng.random(sorting.n_spikes) > 0.1
    kept &= (first_unit != 3) | (rng.random(sorting.n_spikes) > 0.6)
    return Sorting(
        sample_index=sorting.sample_index[kept],
        unit_index=first_unit[kept],
        unit_ids=np.arange(sorting.n_units),
        sampling_rate_hz=sorting.sampling_rate_hz,
        n_samples=sorting.n_samples,
    )
