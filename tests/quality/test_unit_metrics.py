import numpy as np
import pytest

from embersort.quality.metrics import presence, refractory_fraction, unit_table
from embersort.types import Geometry, Sorting
from sortings import sorting_of

RATE_HZ = 1000.0


def sorting(trains, n_samples):
    return sorting_of(*trains, n_samples=n_samples, rate_hz=RATE_HZ)


def test_intervals_below_two_milliseconds_are_violations():
    units = sorting([[10, 11, 13, 14, 50], [20], []], 1000)
    assert refractory_fraction(units).tolist() == [0.5, 0, 0]


def test_presence_counts_blocks_of_ten_seconds():
    units = sorting([[5, 15_000, 39_999], [100, 200], []], 40_000)
    assert presence(units).tolist() == [0.75, 0.25, 0]
    assert presence(sorting([[1]], 100)).tolist() == [1]


def test_the_columns_of_two_units():
    templates = np.zeros((2, 4, 3))
    templates[0, :, 0] = [0, -30, 10, 0]
    templates[0, :, 1] = [0, -15, 5, 0]
    templates[1, :, 2] = [0, -8, 0, 0]
    geometry = Geometry(positions_um=[[0, 0], [0, 50], [10, 100]])
    units = sorting([[5, 15], [100, 200, 300, 400]], 2000)
    table = unit_table(units, templates, np.array([3.0, 3.0, 2.0]), geometry)
    assert table["n_spikes"].tolist() == [2, 4]
    assert table["rate_hz"].tolist() == [1, 2]
    assert table["peak_channel"].tolist() == [0, 2]
    assert table["snr"].tolist() == [10, 4]
    assert table["amplitude_uv"].tolist() == [40, 8]
    assert table["x_um"].tolist() == [0, 10]
    # Weights are squared heights: 40² at 0 µm and 20² at 50 µm.
    assert table["y_um"].tolist() == pytest.approx([50 * 400 / 2000, 100])


def test_a_channel_without_noise_has_no_signal_to_noise_ratio():
    templates = np.full((1, 2, 1), -5.0)
    templates[0, 0] = 0
    table = unit_table(sorting([[1]], 100), templates, np.zeros(1), Geometry(positions_um=[[0, 0]]))
    assert table["snr"].tolist() == [0]


def test_no_units_have_empty_columns():
    table = unit_table(
        sorting_without_units(),
        np.zeros((0, 4, 2)),
        np.ones(2),
        Geometry(positions_um=[[0, 0], [0, 1]]),
    )
    assert all(len(column) == 0 for column in table.values())


def sorting_without_units():
    none = np.zeros(0, np.int64)
    return Sorting(
        sample_index=none, unit_index=none, unit_ids=none, sampling_rate_hz=RATE_HZ, n_samples=0
    )
