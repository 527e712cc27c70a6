import hashlib

import numpy as np
import pytest

from constants import changed
from embersort.config import FeatureConfig, RunConfig, SortConfig
from embersort.evaluation.comparison import compare
from embersort.recording import ArrayRecording
from embersort.simulate import Scene, simulate
from embersort.simulate.motion import DriftConfig
from embersort.simulate.probes import ProbeConfig
from embersort.simulate.scene import CellsConfig
from embersort.sorting import sort
from embersort.templates import tracking
from embersort.types import Geometry


def scene(**settings):
    return Scene(
        seed=4,
        duration_s=12,
        cells=CellsConfig(n_units=4, min_snr=8),
        probe=ProbeConfig(n_channels=8),
        **settings,
    )


def held(recording, gain=1.0):
    """The recording as an array, so that it is rendered once."""
    return ArrayRecording(
        traces=gain * recording.read(0, recording.n_samples),
        sampling_rate_hz=recording.sampling_rate_hz,
        geometry=recording.geometry,
    )


@pytest.fixture(scope="module")
def simulation():
    return simulate(scene())


@pytest.fixture(scope="module")
def recording(simulation):
    return held(simulation.recording)


@pytest.fixture(scope="module")
def result(recording):
    return sort(recording, run(chunk_s=3, n_workers=2))


def run(**settings):
    return SortConfig(run=RunConfig(**settings))


def digest(result):
    arrays = (
        result.sorting.sample_index,
        result.sorting.unit_index,
        result.templates.waveforms_uv,
        result.spike_amplitude,
        result.embedding,
        result.spike_probability,
        result.spike_position_um,
        *(result.unit_table[name] for name in sorted(result.unit_table)),
    )
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


def test_units_are_found(result, simulation):
    accuracy = compare(simulation.truth.sorting, result.sorting).accuracy
    assert len(accuracy) == 4
    assert accuracy.min() > 0.9


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("chunk_s", [1, 3, 10])
def test_the_bits_are_the_same_for_any_chunk_size_and_number_of_workers(
    recording, result, chunk_s, n_workers
):
    again = sort(recording, run(chunk_s=chunk_s, n_workers=n_workers))
    assert result.sorting.n_spikes > 100
    assert digest(again) == digest(result)


@pytest.mark.parametrize("keep_mb", [0, 5])
def test_the_bits_are_the_same_however_many_tiles_are_kept(recording, result, keep_mb):
    assert digest(sort(recording, run(keep_mb=keep_mb))) == digest(result)


@pytest.fixture(scope="module")
def moving():
    return simulate(
        Scene(
            seed=4,
            duration_s=24,
            cells=CellsConfig(n_units=6, min_snr=8),
            probe=ProbeConfig(n_channels=12),
            drift=DriftConfig(kind="ramp", amplitude_um=20),
        )
    )


@pytest.fixture(scope="module")
def moving_recording(moving):
    return held(moving.recording)


@pytest.fixture(scope="module")
def moving_result(moving_recording):
    return sort(moving_recording, run(chunk_s=3, n_workers=2))


def test_units_are_followed_while_the_tissue_moves_by_forty_micrometres(
    moving_recording, moving_result, moving
):
    truth = moving.truth.sorting
    accuracy = compare(truth, moving_result.sorting).accuracy
    assert accuracy.mean() > 0.8
    # No unit has so many spikes: all keep one template.
    with changed(tracking, N_SPIKES=10**6):
        unfollowed = sort(moving_recording)
    assert accuracy.mean() > compare(truth, unfollowed.sorting).accuracy.mean() + 0.05


@pytest.mark.parametrize(("chunk_s", "n_workers"), [(1, 1), (7, 3)])
def test_the_bits_are_the_same_too_where_templates_change(
    moving_recording, moving_result, chunk_s, n_workers
):
    again = sort(moving_recording, run(chunk_s=chunk_s, n_workers=n_workers))
    assert digest(again) == digest(moving_result)


def test_a_gain_of_two_changes_nothing_but_microvolts(recording, result):
    doubled = sort(held(recording, 2.0))
    assert (doubled.sorting.sample_index == result.sorting.sample_index).all()
    assert (doubled.sorting.unit_index == result.sorting.unit_index).all()
    assert np.allclose(
        doubled.templates.waveforms_uv, 2 * result.templates.waveforms_uv, rtol=1e-3, atol=1e-2
    )


def test_the_order_of_channels_does_not_matter(recording, result):
    order = np.array([3, 0, 7, 1, 6, 2, 5, 4])
    shuffled = ArrayRecording(
        traces=np.ascontiguousarray(recording.read(0, recording.n_samples)[:, order]),
        sampling_rate_hz=recording.sampling_rate_hz,
        geometry=Geometry(positions_um=recording.geometry.positions_um[order]),
    )
    comparison = compare(result.sorting, sort(shuffled).sorting)
    assert comparison.accuracy.min() > 0.97


def test_an_array_is_sorted_like_a_recording(recording, result):
    again = sort(
        recording.read(0, recording.n_samples).T,
        sampling_rate_hz=recording.sampling_rate_hz,
        positions_um=recording.geometry.positions_um,
    )
    assert digest(again) == digest(result)


def test_every_stage_is_timed_and_reports_its_progress(recording):
    reports = []
    result = sort(recording, progress=lambda *report: reports.append(report))
    stages = ["preprocessing", "detecting", "clustering", "matching", "finishing", "confidence"]
    assert list(result.timings_s) == stages
    assert list(dict.fromkeys(stage for stage, _, _ in reports)) == stages
    assert all(0 <= done <= total for _, done, total in reports)


@pytest.mark.parametrize("rate_hz", [10_000.0, 24_000.0, 50_000.0])
def test_other_sampling_rates(rate_hz):
    simulation = simulate(scene(sampling_rate_hz=rate_hz))
    accuracy = compare(simulation.truth.sorting, sort(simulation.recording).sorting).accuracy
    assert accuracy.min() > 0.8
    assert accuracy.mean() > 0.9


def test_the_embedding_of_every_spike_is_kept(recording, result):
    np.testing.assert_allclose(np.linalg.norm(result.embedding, axis=1), 1, atol=1e-5)
    assert result.embedding.shape == (result.sorting.n_spikes, 16)
    without = sort(recording, SortConfig(feature=FeatureConfig(method="pca")))
    assert without.embedding.shape == (without.sorting.n_spikes, 0)


def test_what_is_said_to_hold_collisions_is_no_unit(recording, result, monkeypatch):
    asked = []

    def all_but_one(templates, spikes, setup):
        asked.append(len(templates))
        return np.arange(len(templates)) > (0 if len(asked) == 1 else len(templates))

    monkeypatch.setattr("embersort.sorting.recipe.collisions", all_but_one)
    fewer = sort(recording, run())
    assert len(asked) == 2
    assert result.sorting.n_units == 4
    # The template that is left finds some spikes of another neuron, and they are split off.
    assert fewer.sorting.n_units <= 2
