import numpy as np
import pytest

from embersort.embedding.resampling import N_SHIFTS, resampling_matrices, shift_index
from embersort.errors import BadConfig


@pytest.mark.parametrize("rate_hz", [10000.0, 24000.0, 30000.0, 50000.0])
def test_a_slow_wave_is_read_at_the_canonical_times(rate_hz):
    n_before, n_window = round(1e-3 * rate_hz), round(2.5e-3 * rate_hz)
    matrices = resampling_matrices(n_window, n_before, rate_hz)

    def wave(time_ms):
        return np.cos(2 * np.pi * 1.2 * (time_ms - 0.1))

    snippet = wave((np.arange(n_window) - n_before) / rate_hz * 1e3)
    for index in range(N_SHIFTS):
        trough_ms = (index - 4) / 8 / rate_hz * 1e3
        expected = wave(trough_ms + (np.arange(48) - 19) / 20.0)
        # The first and last samples of the window are read with half a kernel.
        middle = slice(8, 40)
        assert np.abs(snippet @ matrices[index] - expected)[middle].max() < 0.03


def test_a_constant_stays_itself():
    matrices = resampling_matrices(75, 30, 30000.0)
    assert np.allclose(matrices.sum(axis=1), 1.0, atol=1e-6)


def test_canonical_rate_and_no_shift_is_a_copy():
    middle = resampling_matrices(50, 20, 20000.0)[N_SHIFTS // 2]
    assert np.allclose(middle, np.eye(50)[:, 1:49], atol=1e-6)


def test_a_window_that_is_too_short_is_refused():
    with pytest.raises(BadConfig, match=r"does not cover.*before_ms = 1\.0"):
        resampling_matrices(45, 15, 30000.0)


def test_vertex_of_a_parabola_is_found_to_an_eighth():
    def parabola(at):
        return [(t - at) ** 2 - 5.0 for t in (-1, 0, 1)]

    found = [shift_index(*parabola(at)) for at in (-0.5, -0.25, 0.0, 0.26, 0.5)]
    assert found == [0, 2, 4, 6, 8]


def test_flat_or_upside_down_samples_have_no_shift():
    assert shift_index(0.0, 0.0, 0.0) == 4
    assert shift_index(-1.0, 2.0, -3.0) == 4
