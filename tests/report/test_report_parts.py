import dataclasses

import numpy as np
import pytest

from embersort.report.columns import unit_columns
from embersort.report.neighbours import discriminant_plane, nearest_units, template_similarity
from embersort.report.snippets import read_snippets, read_window, spread, waveform_density
from embersort.types import Geometry, Templates
from report_scenes import make_result


@dataclasses.dataclass
class Ramp:
    """A recording whose value is a fast sine times the channel's number plus one."""

    n_samples: int = 6000
    sampling_rate_hz: float = 30_000.0
    geometry: Geometry = dataclasses.field(
        default_factory=lambda: Geometry(positions_um=np.array([[0.0, 0.0], [0.0, 20.0]]))
    )

    def read(self, start, stop):
        time = np.arange(start, stop) / self.sampling_rate_hz
        return (np.sin(2 * np.pi * 1000 * time)[:, None] * [1.0, 2.0]).astype(np.float32)


def test_similarity_of_equal_opposite_and_empty_templates():
    wave = np.zeros((4, 3, 2), np.float32)
    wave[0, :, 0], wave[1, :, 0], wave[2, :, 1] = [1, 2, 1], [-2, -4, -2], [1, 0, 0]
    similarity = template_similarity(Templates(waveforms_uv=wave, n_before=1))
    np.testing.assert_allclose(
        similarity, [[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], atol=1e-6
    )
    assert nearest_units(similarity, 1)[:, 0].tolist() == [2, 2, 0, 0]


def test_nearest_of_a_single_unit_is_nobody():
    assert nearest_units(np.ones((1, 1))).shape == (1, 0)


@pytest.mark.parametrize("n_dims", [1, 2, 7])
def test_plane_separates_groups_that_differ_in_one_of_many_dimensions(n_dims):
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (300, n_dims))
    label = np.repeat([0, 1, 2], 100)
    points[:, -1] += 8 * label
    plane = discriminant_plane(points, label)
    assert plane.shape == (300, 2)
    means = [plane[label == group].mean(axis=0) for group in range(3)]
    within = np.mean([plane[label == group].std(axis=0)[0] for group in range(3)])
    assert min(abs(means[0][0] - means[1][0]), abs(means[1][0] - means[2][0])) > 5 * within


def test_plane_of_one_group_and_of_nothing():
    points = np.random.default_rng(0).normal(0, [5, 1, 1], (200, 3))
    assert np.isfinite(discriminant_plane(points, np.zeros(200, int))).all()
    assert discriminant_plane(np.zeros((0, 3)), np.zeros(0, int)).shape == (0, 2)


def test_window_is_zero_beyond_the_ends_and_raw_inside():
    raw, filtered = read_window(Ramp(), -10, 50, np.array([1]))
    assert not raw[:10].any()
    assert not filtered[:10].any()
    expected = Ramp().read(0, 350)[:, 1]
    np.testing.assert_allclose(raw[10:, 0], (expected - np.median(expected))[:50], atol=1e-6)


def test_pass_band_keeps_one_kilohertz():
    _, filtered = read_window(Ramp(), 2000, 2300, np.array([0]))
    np.testing.assert_allclose(filtered[:, 0], Ramp().read(2000, 2300)[:, 0], atol=0.02)


def test_snippets_equal_windows_of_the_filtered_trace():
    snippets = read_snippets(Ramp(), np.array([1000, 1010, 4000]), np.array([1, 0]), 20, 60)
    for snippet, sample in zip(snippets, [1000, 1010, 4000], strict=True):
        expected = Ramp().read(sample - 20, sample + 40)[:, [1, 0]]
        np.testing.assert_allclose(snippet, expected, atol=0.04)


def test_density_counts_every_value_once():
    snippets = np.array([[0.0, 1.0], [0.0, 3.0]], np.float32)
    counts, (low, high) = waveform_density(snippets, 3)
    assert counts.sum(axis=0).tolist() == [2, 2]
    assert counts[0].tolist() == [2, 0]
    assert counts[2].tolist() == [0, 1]
    assert 0 <= low < 0.01 < 2.9 < high <= 3


@pytest.mark.parametrize(("n", "kept"), [(10, [0, 3, 6]), (2, [0, 1]), (0, [])])
def test_spread(n, kept):
    assert spread(n, 3).tolist() == kept


def test_columns_keep_what_the_sorter_wrote_and_add_the_rest():
    result = make_result(3, duration_s=5, n_channels=4)
    result = dataclasses.replace(
        result, unit_table={"snr": np.array([1.5, np.nan, 3.0]), "is_noise": np.array([True] * 3)}
    )
    heads, values = unit_columns(result)
    names = [head["name"] for head in heads]
    assert names[:2] == ["n_spikes", "rate_hz"]
    assert names[-1] == "is_noise"
    assert values["snr"] == [1.5, None, 3.0]
    assert values["is_noise"] == [True] * 3
    peak = np.ptp(result.templates.waveforms_uv, axis=1).argmax(axis=1)
    assert values["peak_channel"] == peak.tolist()
    assert "rate_hz" not in values
